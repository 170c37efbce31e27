package iam

import (
	"strings"
	"unicode"

	"fargo"
	"fargo/aws/iam"
	"fargo/policy"
	"fargo/store"
)

// Sizes of documents in characters, white space not counted.
// Source: IAM user guide, "IAM and AWS STS quotas".
const (
	maxTrust   = 2048
	maxManaged = 6144
	maxInline  = 10240 // of all of a role together
)

func size(document string) int {
	n := 0
	for _, r := range document {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

// checkIdentity refuses what is no policy for a role, a user or a group.
func checkIdentity(document string) error {
	d, err := policy.Parse(document)
	if err == nil {
		err = d.CheckIdentity()
	}
	if err != nil {
		return iam.MalformedPolicyDocumentException("%s", err)
	}
	return nil
}

// checkTrust refuses what is no trust policy, or trusts roles and users of this
// account that are not there.
func checkTrust(r store.Reader, s fargo.Scope, document string) error {
	if size(document) > maxTrust {
		return iam.LimitExceededException("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	d, err := policy.Parse(document)
	if err == nil {
		err = d.CheckTrust()
	}
	if err != nil {
		return iam.MalformedPolicyDocumentException("%s", err)
	}
	for _, statement := range d.Statements {
		if statement.Principals == nil {
			continue
		}
		for _, arn := range statement.Principals.ByKind["AWS"] {
			if !principalExists(r, s, arn) {
				return iam.MalformedPolicyDocumentException("Invalid principal in policy: \"AWS\":\"%s\"", arn)
			}
		}
	}
	return nil
}

// principalExists reports whether a role or user that an ARN names is there. Of
// other accounts, and of other principals, nothing is known.
func principalExists(r store.Reader, s fargo.Scope, arn string) bool {
	a, ok := fargo.ParseARN(arn)
	if !ok || a.Service != "iam" || a.Account != s.Account {
		return true
	}
	kind, _, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "role":
		found, ok := store.Roles.Get(r, s.Key(a.Name()))
		return ok && *found.Role.Arn == arn
	case "user":
		found, ok := store.Users.Get(r, s.Key(a.Name()))
		return ok && *found.User.Arn == arn
	}
	return true
}

// Assumable reports whether a role exists and trusts an AWS service
// ("ecs-tasks.amazonaws.com") that acts for the role's own account.
func Assumable(r store.Reader, roleARN, service string) bool {
	a, ok := fargo.ParseARN(roleARN)
	if !ok || a.Service != "iam" {
		return false
	}
	found, ok := store.Roles.Get(r, a.Scope().Key(a.Name()))
	if !ok || *found.Role.Arn != roleARN {
		return false
	}
	d, err := policy.Parse(*found.Role.AssumeRolePolicyDocument)
	return err == nil && policy.Trusts(d, service, a.Account)
}
