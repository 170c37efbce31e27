package ecr

import (
	"context"
	"encoding/json"

	"fargo/aws/ecr"
	"fargo/record"
)

// SetRepositoryPolicy keeps who may use a repository.
func (s *Server) SetRepositoryPolicy(ctx context.Context, in *ecr.SetRepositoryPolicyInput) (*ecr.SetRepositoryPolicyOutput, error) {
	var policy struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(*in.PolicyText), &policy); err != nil || policy.Statement == nil {
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
