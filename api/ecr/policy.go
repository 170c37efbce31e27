package ecr

import (
	"context"
	"slices"

	"fargo/aws/ecr"
	"fargo/policy"
	"fargo/record"
)

// SetRepositoryPolicy keeps who may use a repository.
func (s *Server) SetRepositoryPolicy(ctx context.Context, in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	if !isRepositoryPolicy(*in.PolicyText) {
		return nil, ecr.InvalidParameterException("Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	}
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		r.Policy = *in.PolicyText
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.SetRepositoryPolicyOutput{RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName, PolicyText: &r.Policy}, nil
}

// isRepositoryPolicy reports whether a text is a policy of IAM's grammar in which each
// statement names principals.
func isRepositoryPolicy(text string) bool {
	p, err := policy.Parse(text)
	if err != nil || len(p.Statements) == 0 {
		return false
	}
	return !slices.ContainsFunc(p.Statements, func(s policy.Statement) bool { return s.Principals == nil && s.NotPrincipals == nil })
}

func policyNotFound(r *record.Repository) error {
	return ecr.RepositoryPolicyNotFoundException("Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", r.Name(), r.Scope.Account)
}

// GetRepositoryPolicy shows a repository's policy.
func (s *Server) GetRepositoryPolicy(ctx context.Context, in *ecr.GetRepositoryPolicyInput) (*ecr.GetRepositoryPolicyOutput, error) {
	_, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Policy == "" {
		return nil, policyNotFound(r)
	}
	return &ecr.GetRepositoryPolicyOutput{RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName, PolicyText: &r.Policy}, nil
}

// DeleteRepositoryPolicy removes a repository's policy.
func (s *Server) DeleteRepositoryPolicy(ctx context.Context, in *ecr.DeleteRepositoryPolicyInput) (*ecr.DeleteRepositoryPolicyOutput, error) {
	var old string
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		if r.Policy == "" {
			return policyNotFound(r)
		}
		old, r.Policy = r.Policy, ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.DeleteRepositoryPolicyOutput{RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName, PolicyText: &old}, nil
}
