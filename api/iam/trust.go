package iam

import (
	"strings"

	"fargo"
	"fargo/aws/iam"
	"fargo/policy"
	"fargo/store"
)

// keptTrust checks a trust policy and gives it as it is kept. Who is trusted is an
// identity, not a name: users and roles stand in it by their unique ids, so that
// another one of the same name is not trusted, and accounts by the ARN of their root.
// Source: IAM user guide, "AWS JSON policy elements: Principal".
func keptTrust(r store.Reader, s fargo.Scope, document string) (string, error) {
	if size(document) > maxTrust {
		return "", iam.LimitExceededException("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	if _, err := policy.ParseTrust(document); err != nil {
		return "", malformed(err)
	}
	var unknown error
	kept := policy.ReplacePrincipals(document, func(principal string) string {
		id, ok := keptPrincipal(r, s, principal)
		if !ok && unknown == nil {
			unknown = malformed(policy.InvalidPrincipal(principal))
		}
		return id
	})
	return kept, unknown
}

// keptPrincipal is what stands for a principal in a kept trust policy. ok is false if
// there is no such principal. Of other accounts nothing is known: their users and
// roles stand for themselves.
func keptPrincipal(r store.Reader, s fargo.Scope, principal string) (id string, ok bool) {
	if isUniqueID(principal) {
		_, ok := principalWith(r, principal)
		return principal, ok
	}
	a, isARN := fargo.ParseARN(principal)
	if !isARN {
		if principal == "*" {
			return principal, true
		}
		return fargo.Scope{Account: principal}.ARN("iam", "root"), true
	}
	kind, _, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "iam" && kind == "role":
		if found, ok := store.Named(store.Roles, r, a.Scope().Key(a.Name())); ok && *found.Role.Arn == principal {
			return *found.Role.RoleId, true
		}
	case a.Service == "iam" && kind == "user":
		if found, ok := store.Named(store.Users, r, a.Scope().Key(a.Name())); ok && *found.User.Arn == principal {
			return *found.User.UserId, true
		}
	default:
		return principal, true
	}
	return principal, a.Account != s.Account
}

// shownTrust is a kept trust policy as answers carry it: with the ARNs that users
// and roles have now. Of those that are gone, the ids stay.
func shownTrust(r store.Reader, document string) string {
	return policy.ReplacePrincipals(document, func(principal string) string {
		if !isUniqueID(principal) {
			return principal
		}
		arn, ok := principalWith(r, principal)
		if !ok {
			return principal
		}
		return arn
	})
}

func isUniqueID(principal string) bool {
	return strings.HasPrefix(principal, "AIDA") || strings.HasPrefix(principal, "AROA")
}

// principalWith gives the ARN of the user or role that has a unique id.
func principalWith(r store.Reader, id string) (arn string, ok bool) {
	for u := range store.Users.By(r, "id", id) {
		return *u.User.Arn, true
	}
	for found := range store.Roles.By(r, "id", id) {
		return *found.Role.Arn, true
	}
	return "", false
}
