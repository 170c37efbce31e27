package iam

import (
	"context"
	"slices"
	"strings"

	"fargo/aws/iam"
	"fargo/policy"
)

// GetContextKeysForCustomPolicy implements the operation of that name.
func (s *Server) GetContextKeysForCustomPolicy(_ context.Context, in *iam.GetContextKeysForCustomPolicyInput) (*iam.GetContextKeysForCustomPolicyOutput, error) {
	keys, err := contextKeys(in.PolicyInputList)
	return &iam.GetContextKeysForCustomPolicyOutput{ContextKeyNames: keys}, err
}

// GetContextKeysForPrincipalPolicy implements the operation of that name.
func (s *Server) GetContextKeysForPrincipalPolicy(ctx context.Context, in *iam.GetContextKeysForPrincipalPolicyInput) (*iam.GetContextKeysForPrincipalPolicyOutput, error) {
	source, err := principalPolicies(s.db.View(), scopeOf(ctx), *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	keys, err := contextKeys(slices.Concat(source.documents(), in.PolicyInputList))
	return &iam.GetContextKeysForPrincipalPolicyOutput{ContextKeyNames: keys}, err
}

// contextKeys are the keys of several documents, each once.
func contextKeys(documents []string) ([]string, error) {
	all := []string{}
	for _, text := range documents {
		d, err := policy.Parse(text)
		if err != nil {
			return nil, iam.InvalidInputException("%s", err)
		}
		for _, key := range d.ContextKeys() {
			if !slices.ContainsFunc(all, func(o string) bool { return strings.EqualFold(o, key) }) {
				all = append(all, key)
			}
		}
	}
	return all, nil
}
