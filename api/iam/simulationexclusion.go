package iam

import (
	"regexp"
	"slices"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/iam"
)

// exclude takes the policies away that a simulation shall do without.
// Source: IAM API, PolicyIdentifier.
func (p *sourcePolicies) exclude(identifiers []iam.PolicyIdentifier) error {
	for _, id := range identifiers {
		matches, err := identified(id)
		if err != nil {
			return err
		}
		p.all = slices.DeleteFunc(p.all, matches)
		if id.PolicyType == iam.PolicyIdentifierPolicyTypePermissionBoundary {
			p.boundary = ""
		}
	}
	return nil
}

// identified tells which policies an identifier means.
func identified(id iam.PolicyIdentifier) (func(sourcePolicy) bool, error) {
	given := 0
	for _, is := range []bool{id.PolicyType != "", id.PolicyArn != nil, id.InlinePolicyIdentifier != nil} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, iam.InvalidInputException("Exactly one member of a policy identifier must be given.")
	case id.PolicyArn != nil:
		return managedPolicies(*id.PolicyArn)
	case id.InlinePolicyIdentifier != nil:
		inline := id.InlinePolicyIdentifier
		entity, err := wildcards(aws.Value(inline.AttachmentName))
		return func(p sourcePolicy) bool {
			return p.arn == "" && p.inline == *inline.PolicyName && p.kind == inline.AttachmentType && entity.MatchString(p.entity)
		}, err
	}
	return func(p sourcePolicy) bool { return p.policyType() == id.PolicyType }, nil
}

// managedPolicies are those with an ARN, whose name may have wildcards.
func managedPolicies(arn string) (func(sourcePolicy) bool, error) {
	a, ok := fargo.ParseARN(arn)
	name := strings.LastIndexByte(arn, '/') + 1
	if !ok || a.Service != "iam" || !strings.HasPrefix(a.Resource, "policy/") || strings.ContainsAny(arn[:name], "*?") {
		return nil, iam.InvalidInputException("The policy identifier %s is not valid.", arn)
	}
	matches, err := wildcards(arn)
	return func(p sourcePolicy) bool { return p.arn != "" && matches.MatchString(p.arn) }, err
}

// wildcards is a text with one * at most, and any number of ?.
func wildcards(text string) (*regexp.Regexp, error) {
	if strings.Count(text, "*") > 1 {
		return nil, iam.InvalidInputException("The policy identifier %s is not valid.", text)
	}
	quoted := regexp.QuoteMeta(text)
	return regexp.MustCompile("^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(quoted) + "$"), nil
}
