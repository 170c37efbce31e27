package ecr

import (
	"context"
	"time"

	"fargo/aws/ecr"
	"fargo/record"
)

// PutLifecyclePolicy keeps the rules by which images expire.
func (s *Server) PutLifecyclePolicy(ctx context.Context, in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	if err := checkLifecycle(*in.LifecyclePolicyText); err != nil {
		return nil, err
	}
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		r.LifecyclePolicy, r.LifecyclePolicySetAt = *in.LifecyclePolicyText, time.Now()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutLifecyclePolicyOutput{RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName, LifecyclePolicyText: &r.LifecyclePolicy}, nil
}

func lifecycleNotFound(r *record.Repository) error {
	return ecr.LifecyclePolicyNotFoundException("Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", r.Name(), r.Scope.Account)
}

// GetLifecyclePolicy shows a repository's lifecycle policy.
func (s *Server) GetLifecyclePolicy(ctx context.Context, in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	_, r, err := s.view(ctx, in.RegistryId, in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.LifecyclePolicy == "" {
		return nil, lifecycleNotFound(r)
	}
	return &ecr.GetLifecyclePolicyOutput{
		RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName,
		LifecyclePolicyText: &r.LifecyclePolicy, LastEvaluatedAt: lastEvaluated(r),
	}, nil
}

// lastEvaluated is when the policy was carried out: the epoch, when it was not yet.
// Source: AWS CLI reference, example of delete-lifecycle-policy.
func lastEvaluated(r *record.Repository) *time.Time {
	at := r.LifecycleEvaluated()
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	return new(at.UTC().Truncate(time.Second))
}

// DeleteLifecyclePolicy removes a repository's lifecycle policy.
func (s *Server) DeleteLifecyclePolicy(ctx context.Context, in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	out := new(ecr.DeleteLifecyclePolicyOutput)
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		if r.LifecyclePolicy == "" {
			return lifecycleNotFound(r)
		}
		out.LifecyclePolicyText, out.LastEvaluatedAt = new(r.LifecyclePolicy), lastEvaluated(r)
		r.LifecyclePolicy = ""
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.RegistryId, out.RepositoryName = r.Repository.RegistryId, r.Repository.RepositoryName
	return out, nil
}
