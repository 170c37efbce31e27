// Package arn resolves the names that callers give to resources: ARNs, and in many
// calls short names as well. It knows how ARNs are made and whose they are; the
// kinds of resources and the texts of errors are data that each service gives. It
// refuses to know which resources there are.
package arn

import (
	"strings"

	"fargo"
)

// partition is the one that this installation makes ARNs in.
const partition = "aws"

// A Kind is a kind of resources, as their ARNs tell it.
type Kind struct {
	Service string // in ARNs: "elasticloadbalancing"
	Prefix  string // what the resource part begins with: "task-definition/"
	// NotOne refuses what is not an ARN of this kind.
	NotOne func(given string) error
	// Elsewhere refuses an ARN of another account or region than the call's. Nil
	// accepts it, for services that then find no such resource.
	Elsewhere func(given fargo.ARN, scope fargo.Scope) error
}

// Parse takes apart an ARN that must be one of the kind, given in a call in scope.
// name is what follows the prefix: "production/web" of a service's.
func (k *Kind) Parse(scope fargo.Scope, given string) (a fargo.ARN, name string, err error) {
	a, ok := fargo.ParseARN(given)
	name, isKind := strings.CutPrefix(a.Resource, k.Prefix)
	if !ok || !isKind || name == "" || a.Service != k.Service || a.Partition != partition {
		return a, "", k.NotOne(given)
	}
	if k.Elsewhere != nil && a.Scope() != scope {
		return a, "", k.Elsewhere(a, scope)
	}
	return a, name, nil
}

// Check refuses what Parse refuses.
func (k *Kind) Check(scope fargo.Scope, given string) error {
	_, _, err := k.Parse(scope, given)
	return err
}

// Is reports whether s is meant to be an ARN and not a short name, which has no
// colon there.
func Is(s string) bool { return strings.HasPrefix(s, "arn:") }

// Name is the name in an ARN of the kind, or given itself when it is a short name.
func (k *Kind) Name(scope fargo.Scope, given string) (string, error) {
	if !Is(given) {
		return given, nil
	}
	_, name, err := k.Parse(scope, given)
	return name, err
}
