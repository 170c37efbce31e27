package iam

import (
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

// malformed is IAM's error of a document that is none, nil for none.
func malformed(err error) error {
	if err != nil {
		return iam.MalformedPolicyDocumentException("%s", err)
	}
	return nil
}

// checkInline refuses what is no policy of a role's, a user's or a group's own.
func checkInline(document string) error {
	_, err := policy.ParseInline(document)
	return malformed(err)
}

// Assumable reports whether a role exists and trusts an AWS service
// ("ecs-tasks.amazonaws.com") that acts for a resource in the role's own account.
func Assumable(r store.Reader, roleARN, service, resourceARN string) bool {
	a, ok := fargo.ParseARN(roleARN)
	if !ok || a.Service != "iam" {
		return false
	}
	found, ok := store.Roles.Get(r, a.Scope().Key(a.Name()))
	if !ok || *found.Role.Arn != roleARN {
		return false
	}
	d, err := policy.Parse(*found.Role.AssumeRolePolicyDocument)
	return err == nil && policy.Trusts(d, service, a.Account, resourceARN)
}
