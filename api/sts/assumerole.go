package sts

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/sts"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// The limits of AssumeRole. Source: STS API, AssumeRole.
const (
	defaultLifetime = 3600 // seconds
	chainedLifetime = time.Hour
	maxPolicies     = 10
	maxPacked       = 2048 // characters of session policies
)

// AssumeRole implements the operation of that name.
func (s *Server) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	c := api.CallFrom(ctx)
	if err := checkArguments(c, in); err != nil {
		return nil, err
	}
	out := &sts.AssumeRoleOutput{SourceIdentity: in.SourceIdentity}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		session, lifetime, err := assume(tx, c, in)
		if err != nil {
			return err
		}
		out.Credentials = issue(tx, session, lifetime)
		out.AssumedRoleUser = &sts.AssumedRoleUser{Arn: &session.PrincipalARN, AssumedRoleId: &session.PrincipalID}
		return nil
	})
	out.PackedPolicySize = packedSize(in.Policy)
	return out, err
}

// packedSize is how much of the room for a session's own policy is used, in percent; nil
// without one.
func packedSize(document *string) *int32 {
	if document == nil {
		return nil
	}
	return new(int32((len(*document)*100 + maxPacked - 1) / maxPacked))
}

// checkArguments refuses what is wrong whatever the role.
func checkArguments(c *api.Call, in *sts.AssumeRoleInput) error {
	if strings.HasSuffix(c.PrincipalARN, ":root") {
		return accessDenied("Roles may not be assumed by root accounts.")
	}
	if in.ProvidedContexts != nil {
		return protocol.Errorf("ValidationError", "ProvidedContexts are not supported by Fargo.")
	}
	if err := checkSessionTags(in); err != nil {
		return err
	}
	if err := checkSessionPolicies(in.Policy, in.PolicyArns); err != nil {
		return err
	}
	return mfa(in.SerialNumber, in.TokenCode)
}

// checkSessionPolicies refuses what cannot limit a session.
func checkSessionPolicies(document *string, managed []sts.PolicyDescriptorType) error {
	if len(managed) > maxPolicies {
		return protocol.Errorf("ValidationError", "The number of managed session policies exceeds the limit of %d.", maxPolicies)
	}
	if document == nil {
		return nil
	}
	if _, err := policy.ParseInline(*document); err != nil {
		return sts.MalformedPolicyDocumentException("%s", err)
	}
	if len(*document) > maxPacked {
		return sts.PackedPolicyTooLargeException("Packed size of session policies consumes %d%% of allotted space.", len(*document)*100/maxPacked)
	}
	return nil
}

func policyARNs(managed []sts.PolicyDescriptorType) (arns []string) {
	for _, p := range managed {
		arns = append(arns, aws.Value(p.Arn))
	}
	return arns
}

// assume makes the session of a role, if the role trusts the caller. To a caller
// that it does not trust, a role that is not there looks the same.
func assume(r store.Reader, c *api.Call, in *sts.AssumeRoleInput) (*record.Session, time.Duration, error) {
	a, _ := fargo.ParseARN(*in.RoleArn)
	role, ok := store.Roles.Get(r, a.Scope().Key(a.Name()))
	caller, chained := store.Sessions.Get(r, c.AccessKeyID)
	chained = chained && caller.Role != ""
	tags := sessionTags(caller, in)
	if !ok || *role.Role.Arn != *in.RoleArn || !trusts(role, c, caller, in, tags) {
		return nil, 0, accessDenied("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.PrincipalARN, *in.RoleArn)
	}
	if chained && overridesTransitive(caller, in) {
		return nil, 0, invalidValue("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
	}
	lifetime := seconds(in.DurationSeconds, defaultLifetime)
	if lifetime > seconds(role.Role.MaxSessionDuration, defaultLifetime) {
		return nil, 0, protocol.Errorf("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	if chained && lifetime > chainedLifetime {
		return nil, 0, protocol.Errorf("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	}
	session := &record.Session{
		Account:      role.Account,
		PrincipalARN: fargo.Scope{Account: role.Account}.ARN("sts", "assumed-role/"+*role.Role.RoleName+"/"+*in.RoleSessionName),
		PrincipalID:  *role.Role.RoleId + ":" + *in.RoleSessionName,
		Role:         *role.Role.Arn,
		Policy:       aws.Value(in.Policy),
		Tags:         tags, Transitive: in.TransitiveTagKeys,
		SourceIdentity: aws.Value(in.SourceIdentity),
	}
	if chained {
		session.Transitive = append(slices.Clone(caller.Transitive), in.TransitiveTagKeys...)
		if session.SourceIdentity == "" {
			session.SourceIdentity = caller.SourceIdentity
		}
	}
	session.PolicyARNs = policyARNs(in.PolicyArns)
	return session, lifetime, nil
}

// tagRules are those of session tags; keys and values have their bounds in the model.
// The duplicates' text is recorded, the others are ours.
// Source: IAM user guide, "Passing session tags in AWS STS".
var tagRules = tags.Rules[sts.Tag]{
	Most: 50, FoldCase: true,
	TooMany:  func(most int) error { return invalidValue("A session can have at most %d tags.", most) },
	Reserved: func(string) error { return invalidValue("Tag keys that begin with aws: are reserved.") },
	Duplicate: func(string) error {
		return invalidValue("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
	},
}

// checkSessionTags refuses tags that no session can have, and transitive keys of tags
// that are not given. Source: recorded.
func checkSessionTags(in *sts.AssumeRoleInput) error {
	if err := tagRules.Check(in.Tags); err != nil {
		return err
	}
	for _, key := range in.TransitiveTagKeys {
		if !slices.ContainsFunc(in.Tags, func(t sts.Tag) bool { return strings.EqualFold(*t.Key, key) }) {
			return invalidValue("The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
}

func invalidValue(format string, args ...any) error {
	return protocol.Errorf("InvalidParameterValue", format, args...)
}

// overridesTransitive reports whether a tag is given that the caller's session hands
// on: it cannot be changed. Source: recorded.
func overridesTransitive(caller *record.Session, in *sts.AssumeRoleInput) bool {
	return slices.ContainsFunc(in.Tags, func(t sts.Tag) bool {
		return slices.ContainsFunc(caller.Transitive, func(key string) bool { return strings.EqualFold(*t.Key, key) })
	})
}

// sessionTags are the tags of the session to be: those asked for, and those
// that the caller's session hands on.
func sessionTags(caller *record.Session, in *sts.AssumeRoleInput) map[string]string {
	tags := map[string]string{}
	for _, t := range in.Tags {
		tags[*t.Key] = *t.Value
	}
	if caller != nil {
		for _, key := range caller.Transitive {
			tags[key] = caller.Tags[key]
		}
	}
	return tags
}

// trusts asks a role's trust policy about the caller. Tags and a source identity
// need permissions of their own.
func trusts(role *record.Role, c *api.Call, caller *record.Session, in *sts.AssumeRoleInput, tags map[string]string) bool {
	d, err := policy.Parse(*role.Role.AssumeRolePolicyDocument)
	if err != nil {
		return false
	}
	known := policy.Values{
		"aws:principalarn": {c.PrincipalARN}, "aws:principalaccount": {c.Account}, "aws:userid": {c.PrincipalID},
		"sts:rolesessionname": {*in.RoleSessionName}, "aws:multifactorauthpresent": {"false"},
	}
	r := policy.Request{
		Resource:  *role.Role.Arn,
		Principal: policy.Principal{Account: c.Account, ARNs: []string{c.PrincipalARN, c.PrincipalID}},
		Context:   known,
	}
	if a, _ := fargo.ParseARN(c.PrincipalARN); strings.HasPrefix(a.Resource, "user/") {
		known["aws:username"] = []string{a.Name()}
	}
	if caller != nil && caller.Role != "" {
		r.Principal.Role = caller.Role
		r.Principal.RoleID, _, _ = strings.Cut(c.PrincipalID, ":")
		known["aws:principalarn"] = []string{caller.Role}
	}
	if in.ExternalId != nil {
		known["sts:externalid"] = []string{*in.ExternalId}
	}
	if in.SourceIdentity != nil {
		known["sts:sourceidentity"] = []string{*in.SourceIdentity}
	}
	for key, value := range tags {
		known["aws:requesttag/"+strings.ToLower(key)] = []string{value}
		known["aws:tagkeys"] = append(known["aws:tagkeys"], key)
	}
	if len(in.TransitiveTagKeys) > 0 {
		known["sts:transitivetagkeys"] = in.TransitiveTagKeys
	}
	actions := []string{"sts:AssumeRole"}
	if len(in.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.SourceIdentity != nil {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	return !slices.ContainsFunc(actions, func(action string) bool {
		r.Action = action
		return policy.Evaluate(r, d) != policy.Allow
	})
}
