package sts

import (
	"cmp"
	"context"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/sts"
	"fargo/record"
	"fargo/store"
)

// federatedLifetime is in seconds. Source: STS API, GetFederationToken.
const federatedLifetime = 12 * 60 * 60

// GetFederationToken implements the operation of that name: a user has credentials made
// for somebody who has none.
func (s *Server) GetFederationToken(ctx context.Context, in *sts.GetFederationTokenInput) (*sts.GetFederationTokenOutput, error) {
	c := api.CallFrom(ctx)
	if strings.HasPrefix(c.AccessKeyID, "ASIA") {
		return nil, accessDenied("Cannot call GetFederationToken with session credentials")
	}
	if strings.HasSuffix(c.PrincipalARN, ":root") {
		return nil, accessDenied("Fargo makes no federation tokens for the root user.")
	}
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	if err := checkSessionPolicies(in.Policy, in.PolicyArns); err != nil {
		return nil, err
	}
	session := &record.Session{
		Account: c.Account, PrincipalARN: fargo.Scope{Account: c.Account}.ARN("sts", "federated-user/"+*in.Name),
		PrincipalID: c.Account + ":" + *in.Name, FederatedBy: c.PrincipalARN,
		Policy: aws.Value(in.Policy), PolicyARNs: policyARNs(in.PolicyArns), Tags: map[string]string{},
	}
	for _, t := range in.Tags {
		session.Tags[*t.Key] = *t.Value
	}
	out := &sts.GetFederationTokenOutput{
		FederatedUser:    &sts.FederatedUser{Arn: &session.PrincipalARN, FederatedUserId: &session.PrincipalID},
		PackedPolicySize: cmp.Or(packedSize(in.Policy), new(int32(0))),
	}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		out.Credentials = issue(tx, session, seconds(in.DurationSeconds, federatedLifetime))
		return nil
	})
	return out, err
}
