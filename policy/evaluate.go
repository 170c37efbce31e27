package policy

import (
	"slices"
	"strings"
)

// Request is one action on one resource.
type Request struct {
	Action   string // "ecs:RunTask"
	Resource string // ARN, or "*" for actions without resources
	// Principal is who makes the request. Only policies with principals use it.
	Principal Principal
	Context   Context // nil: no key has a value
}

// Context has the values of condition keys. It is called only when a condition or
// a variable needs a value, so computing one may be expensive.
type Context interface {
	// Values gives the values of a key (in lower case: "aws:username",
	// "aws:requesttag/team") for the decision about a resource. It returns none for
	// a key that the request does not have.
	Values(key, resource string) []string
}

// Values is a fixed context: values by key, in lower case.
type Values map[string][]string

// Values implements [Context].
func (v Values) Values(key, _ string) []string { return v[key] }

// values gives the values of a key, which is in lower case.
func (r *Request) values(key string) []string {
	if r.Context == nil {
		return nil
	}
	return r.Context.Values(key, r.Resource)
}

// Principal is who makes a request: an AWS service, or a principal of an account.
type Principal struct {
	Service string // "ecs-tasks.amazonaws.com"
	// Account and ARNs are those of a user or a role session. ARNs are all names
	// that a policy may use for it, its unique id included.
	Account string
	ARNs    []string
	// Role and RoleID are the ARN and the unique id of the role that a session is of.
	Role, RoleID string
}

// Effect is the result of an evaluation. The zero value is ImplicitDeny.
type Effect int

// The effects: no statement matches, a statement allows, a statement denies (which
// overrides every allow).
const (
	ImplicitDeny Effect = iota
	Allow
	ExplicitDeny
)

// String is the effect's name.
func (e Effect) String() string {
	return [...]string{"implicit deny", "allow", "explicit deny"}[e]
}

// Evaluate evaluates documents of one kind.
func Evaluate(r Request, documents ...Document) Effect {
	effect := ImplicitDeny
	action := strings.ToLower(r.Action)
	for _, d := range documents {
		for i := range d.Statements {
			s := &d.Statements[i]
			switch {
			case !s.matches(action, &r):
			case !s.Allow:
				return ExplicitDeny
			default:
				effect = Allow
			}
		}
	}
	return effect
}

// Trusts reports whether a role's trust policy lets an AWS service
// ("ecs-tasks.amazonaws.com") assume the role when it acts for a resource of an account.
func Trusts(d Document, service, account, resourceARN string) bool {
	return Evaluate(Request{
		Action: "sts:AssumeRole", Resource: "*", Principal: Principal{Service: service},
		Context: Values{"aws:sourceaccount": {account}, "aws:sourcearn": {resourceARN}},
	}, d) == Allow
}

// matches reports whether a statement applies to a request, whose action is given
// in lower case.
func (s *Statement) matches(action string, r *Request) bool {
	c := &s.compiled
	switch {
	case c.actions != nil && !anyMatches(c.actions, action, r):
		return false
	case c.notActions != nil && anyMatches(c.notActions, action, r):
		return false
	case c.resources != nil && !anyMatches(c.resources, r.Resource, r):
		return false
	case c.notResources != nil && anyMatches(c.notResources, r.Resource, r):
		return false
	case s.Principals != nil && !s.Principals.include(&r.Principal):
		return false
	case s.NotPrincipals != nil && s.NotPrincipals.include(&r.Principal):
		return false
	}
	for i := range c.conditions {
		if !c.conditions[i].holds(r) {
			return false
		}
	}
	return true
}

func anyMatches(patterns []pattern, s string, r *Request) bool {
	for i := range patterns {
		if patterns[i].matches(s, r) {
			return true
		}
	}
	return false
}

func (p *Principals) include(who *Principal) bool {
	if p.isEveryone() {
		return true
	}
	if who.Service != "" {
		return slices.Contains(p.ByKind["Service"], who.Service)
	}
	return slices.ContainsFunc(p.ByKind["AWS"], func(v string) bool {
		return isAccount(v, who.Account) || who.is(v) || who.isOf(v)
	})
}

func (p *Principals) isEveryone() bool {
	return p.Everyone || slices.Contains(p.ByKind["AWS"], "*")
}

// isAccount reports whether a principal of a policy is a whole account, by its
// number or by the ARN of its root.
func isAccount(v, account string) bool {
	return account != "" && (v == account || strings.HasSuffix(v, "::"+account+":root"))
}

// isOf reports whether a principal of a policy is the role that a session is of.
func (who *Principal) isOf(v string) bool { return v != "" && (v == who.Role || v == who.RoleID) }

func (who *Principal) is(v string) bool { return slices.Contains(who.ARNs, v) }
