package secretsmanager

import (
	"context"
	"slices"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/secretsmanager"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// The sentences of policies that are not good.
// Source: Secrets Manager user guide, "Attach a permissions policy to a secret".
const (
	syntaxError = "This resource policy contains a syntax error."
	broadAccess = "This resource policy grants broad access to your secret."
)

// PutResourcePolicy keeps who may use a secret.
func (s *Server) PutResourcePolicy(ctx context.Context, in *secretsmanager.PutResourcePolicyInput) (*secretsmanager.PutResourcePolicyOutput, error) {
	p, ok := parsePolicy(*in.ResourcePolicy)
	switch {
	case !ok:
		return nil, secretsmanager.MalformedPolicyDocumentException(syntaxError)
	case aws.Value(in.BlockPublicPolicy) && isPublic(p):
		return nil, secretsmanager.PublicPolicyException(broadAccess)
	}
	changed, err := s.change(ctx, in.SecretId, func(_ *store.Tx, changed *record.Secret) error {
		changed.Policy = *in.ResourcePolicy
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.PutResourcePolicyOutput{ARN: &changed.ARN, Name: &changed.Name}, nil
}

// GetResourcePolicy shows a secret's policy, if it has one.
func (s *Server) GetResourcePolicy(ctx context.Context, in *secretsmanager.GetResourcePolicyInput) (*secretsmanager.GetResourcePolicyOutput, error) {
	found, err := findLive(s.db.View(), api.CallFrom(ctx).Scope(), in.SecretId)
	if err != nil {
		return nil, err
	}
	return &secretsmanager.GetResourcePolicyOutput{ARN: &found.ARN, Name: &found.Name, ResourcePolicy: aws.NonZero(found.Policy)}, nil
}

// DeleteResourcePolicy takes a secret's policy away.
func (s *Server) DeleteResourcePolicy(ctx context.Context, in *secretsmanager.DeleteResourcePolicyInput) (*secretsmanager.DeleteResourcePolicyOutput, error) {
	changed, err := s.change(ctx, in.SecretId, func(_ *store.Tx, changed *record.Secret) error {
		changed.Policy = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteResourcePolicyOutput{ARN: &changed.ARN, Name: &changed.Name}, nil
}

// ValidateResourcePolicy says what is wrong with a policy. The names of the checks are
// ours: AWS documents none.
func (s *Server) ValidateResourcePolicy(ctx context.Context, in *secretsmanager.ValidateResourcePolicyInput) (*secretsmanager.ValidateResourcePolicyOutput, error) {
	if in.SecretId != nil {
		if _, err := findLive(s.db.View(), api.CallFrom(ctx).Scope(), in.SecretId); err != nil {
			return nil, err
		}
	}
	wrong := []secretsmanager.ValidationErrorsEntry{}
	add := func(check, message string) {
		wrong = append(wrong, secretsmanager.ValidationErrorsEntry{CheckName: &check, ErrorMessage: &message})
	}
	if p, ok := parsePolicy(*in.ResourcePolicy); !ok {
		add("SYNTAX", syntaxError)
	} else if isPublic(p) {
		add("BROAD_ACCESS", broadAccess)
	}
	return &secretsmanager.ValidateResourcePolicyOutput{PolicyValidationPassed: new(len(wrong) == 0), ValidationErrors: wrong}, nil
}

// parsePolicy reads a policy of IAM's grammar in which each statement names principals.
func parsePolicy(text string) (policy.Document, bool) {
	p, err := policy.Parse(text)
	return p, err == nil && len(p.Statements) > 0 && !slices.ContainsFunc(p.Statements, func(s policy.Statement) bool {
		return s.Principals == nil && s.NotPrincipals == nil
	})
}

// isPublic reports whether a policy allows something to everybody, without a condition.
func isPublic(p policy.Document) bool {
	return slices.ContainsFunc(p.Statements, func(s policy.Statement) bool {
		return s.Allow && len(s.Conditions) == 0 &&
			(s.NotPrincipals != nil || s.Principals.Everyone || slices.Contains(s.Principals.ByKind["AWS"], "*"))
	})
}
