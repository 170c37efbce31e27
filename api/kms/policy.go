package kms

import (
	"context"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/kms"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// defaultPolicyName is the name of the one policy that a key has.
const defaultPolicyName = "default"

// checkPolicy refuses what is no policy and, unless bypassed, one that would not let the
// caller write another.
func checkPolicy(call *api.Call, document string, bypass bool) error {
	d, err := policy.Parse(document)
	if err != nil {
		return kms.MalformedPolicyDocumentException("%s", err)
	}
	may := policy.Evaluate(policy.Request{
		Action: "kms:PutKeyPolicy", Resource: "*",
		Principal: policy.Principal{Account: call.PrincipalAccount(), ARNs: []string{call.PrincipalARN}, Role: call.Role},
	}, d)
	if !bypass && may != policy.Allow {
		return kms.MalformedPolicyDocumentException("The new key policy will not allow you to update the key policy in the future.")
	}
	return nil
}

func checkPolicyName(name *string) error {
	if aws.ValueOr(name, defaultPolicyName) != defaultPolicyName {
		return kms.NotFoundException("No such policy exists")
	}
	return nil
}

// GetKeyPolicy shows the policy of a key.
func (s *Server) GetKeyPolicy(ctx context.Context, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	k, err := named(s.db.View(), api.CallFrom(ctx).Scope(), *in.KeyId)
	if err := firstError(err, checkPolicyName(in.PolicyName)); err != nil {
		return nil, err
	}
	return &kms.GetKeyPolicyOutput{Policy: &k.Policy, PolicyName: new(defaultPolicyName)}, nil
}

// PutKeyPolicy gives a key another policy.
func (s *Server) PutKeyPolicy(ctx context.Context, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	if err := firstError(checkPolicyName(in.PolicyName), checkPolicy(api.CallFrom(ctx), *in.Policy, aws.Value(in.BypassPolicyLockoutSafetyCheck))); err != nil {
		return nil, err
	}
	_, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) error {
		k.Policy = *in.Policy
		return nil
	})
	return &kms.PutKeyPolicyOutput{}, err
}

// ListKeyPolicies lists the names of a key's policies: there is one.
func (s *Server) ListKeyPolicies(ctx context.Context, in *kms.ListKeyPoliciesInput) (*kms.ListKeyPoliciesOutput, error) {
	if _, err := named(s.db.View(), api.CallFrom(ctx).Scope(), *in.KeyId); err != nil {
		return nil, err
	}
	return &kms.ListKeyPoliciesOutput{PolicyNames: []string{defaultPolicyName}, Truncated: new(false)}, nil
}
