package ecr

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws/ecr"
	"fargo/record"
	"fargo/store"
)

// CreateRepository makes an empty repository.
func (s *Server) CreateRepository(ctx context.Context, in *ecr.CreateRepositoryInput) (*ecr.CreateRepositoryOutput, error) {
	scope, err := registryOf(ctx, in.RegistryId)
	if err != nil {
		return nil, err
	}
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	r := newRepository(scope, in)
	if err := checkMutability(r.Repository.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Repositories.Get(tx, r.Key()); ok {
			return ecr.RepositoryAlreadyExistsException("The repository with name '%s' already exists in the registry with id '%s'", r.Name(), scope.Account)
		}
		store.Repositories.Put(tx, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.CreateRepositoryOutput{Repository: &r.Repository}, nil
}

// newRepository is the repository a call asks for, with the defaults of ECR.
func newRepository(scope fargo.Scope, in *ecr.CreateRepositoryInput) *record.Repository {
	name := *in.RepositoryName
	r := &record.Repository{Scope: scope, Tags: in.Tags, Repository: ecr.Repository{
		RepositoryArn:                      new(scope.ARN("ecr", "repository/"+name)),
		RegistryId:                         &scope.Account,
		RepositoryName:                     &name,
		RepositoryUri:                      new(fargo.RegistryHost(scope) + "/" + name),
		CreatedAt:                          now(),
		ImageTagMutability:                 in.ImageTagMutability,
		ImageTagMutabilityExclusionFilters: in.ImageTagMutabilityExclusionFilters,
		ImageScanningConfiguration:         scanning(in.ImageScanningConfiguration),
		EncryptionConfiguration:            encryption(scope, in.EncryptionConfiguration),
	}}
	if r.Repository.ImageTagMutability == "" {
		r.Repository.ImageTagMutability = ecr.ImageTagMutabilityMutable
	}
	return r
}

// encryption is what a repository shows of its encryption: by default ECR's own, and with
// KMS but without a key the one that AWS manages for ECR (alias/aws/ecr), of which there
// is one in each account and region.
func encryption(s fargo.Scope, c *ecr.EncryptionConfiguration) *ecr.EncryptionConfiguration {
	if c == nil {
		return &ecr.EncryptionConfiguration{EncryptionType: ecr.EncryptionTypeAes256}
	}
	if c.EncryptionType == ecr.EncryptionTypeAes256 || c.KmsKey != nil {
		return c
	}
	id := uuid.NewSHA1(uuid.NameSpaceURL, []byte(s.ARN("kms", "alias/aws/ecr")))
	return &ecr.EncryptionConfiguration{EncryptionType: c.EncryptionType, KmsKey: new(s.ARN("kms", "key/"+id.String()))}
}

func scanning(c *ecr.ImageScanningConfiguration) *ecr.ImageScanningConfiguration {
	if c == nil || c.ScanOnPush == nil {
		return &ecr.ImageScanningConfiguration{ScanOnPush: new(false)}
	}
	return c
}

// DescribeRepositories shows the repositories by name, or all of them.
func (s *Server) DescribeRepositories(ctx context.Context, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	scope, err := registryOf(ctx, in.RegistryId)
	if err != nil {
		return nil, err
	}
	v, out := s.db.View(), &ecr.DescribeRepositoriesOutput{Repositories: []ecr.Repository{}}
	if len(in.RepositoryNames) > 0 {
		if in.NextToken != nil || in.MaxResults != nil {
			return nil, ecr.InvalidParameterException("Invalid parameter: maxResults and nextToken cannot be used with repositoryNames")
		}
		for _, name := range in.RepositoryNames {
			r, err := find(v, scope, name)
			if err != nil {
				return nil, err
			}
			out.Repositories = append(out.Repositories, r.Repository)
		}
		return out, nil
	}
	all, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), store.Repositories.Prefix(v, scope.Key()), (*record.Repository).Name)
	for _, r := range all {
		out.Repositories = append(out.Repositories, r.Repository)
	}
	out.NextToken = next
	return out, err
}

// DeleteRepository removes a repository; with force, its images too.
func (s *Server) DeleteRepository(ctx context.Context, in *ecr.DeleteRepositoryInput) (*ecr.DeleteRepositoryOutput, error) {
	scope, err := registryOf(ctx, in.RegistryId)
	if err != nil {
		return nil, err
	}
	out, name := new(ecr.DeleteRepositoryOutput), *in.RepositoryName
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := find(tx, scope, name)
		if err != nil {
			return err
		}
		for i := range store.Images.Prefix(tx, record.ImageKey(scope, name, "")) {
			if in.Force == nil || !*in.Force {
				return ecr.RepositoryNotEmptyException("The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", name, scope.Account)
			}
			store.Images.Delete(tx, i.Key())
		}
		store.Repositories.Delete(tx, r.Key())
		out.Repository = &r.Repository
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// PutImageTagMutability says whether tags may be moved.
func (s *Server) PutImageTagMutability(ctx context.Context, in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	if err := checkMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		r.Repository.ImageTagMutability = in.ImageTagMutability
		r.Repository.ImageTagMutabilityExclusionFilters = in.ImageTagMutabilityExclusionFilters
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageTagMutabilityOutput{
		RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName,
		ImageTagMutability:                 r.Repository.ImageTagMutability,
		ImageTagMutabilityExclusionFilters: r.Repository.ImageTagMutabilityExclusionFilters,
	}, nil
}

// PutImageScanningConfiguration keeps whether images should be scanned when
// they are pushed.
func (s *Server) PutImageScanningConfiguration(ctx context.Context, in *ecr.PutImageScanningConfigurationInput) (*ecr.PutImageScanningConfigurationOutput, error) {
	r, err := s.change(ctx, in.RegistryId, in.RepositoryName, func(r *record.Repository) error {
		r.Repository.ImageScanningConfiguration = scanning(in.ImageScanningConfiguration)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageScanningConfigurationOutput{
		RegistryId: r.Repository.RegistryId, RepositoryName: r.Repository.RepositoryName,
		ImageScanningConfiguration: r.Repository.ImageScanningConfiguration,
	}, nil
}

// DescribeRegistry shows the registry's settings: replication, of which there
// is none.
func (s *Server) DescribeRegistry(ctx context.Context, _ *ecr.DescribeRegistryInput) (*ecr.DescribeRegistryOutput, error) {
	return &ecr.DescribeRegistryOutput{
		RegistryId:               new(api.CallFrom(ctx).Account),
		ReplicationConfiguration: &ecr.ReplicationConfiguration{Rules: []ecr.ReplicationRule{}},
	}, nil
}

func withExclusion(m ecr.ImageTagMutability) bool {
	return m == ecr.ImageTagMutabilityImmutableWithExclusion || m == ecr.ImageTagMutabilityMutableWithExclusion
}

// checkMutability refuses exclusion filters without a setting that uses them,
// and the other way round.
// Source: ECR API, ImageTagMutabilityExclusionFilter (two wildcards at most).
func checkMutability(m ecr.ImageTagMutability, filters []ecr.ImageTagMutabilityExclusionFilter) error {
	if withExclusion(m) != (len(filters) > 0) {
		return ecr.InvalidParameterException("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'must be given with, and only with, IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION'")
	}
	for i, f := range filters {
		if wildcards(*f.Filter) > 2 {
			return ecr.InvalidParameterException("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'a filter can contain a maximum of two wildcards (*)'")
		}
		if slices.ContainsFunc(filters[:i], func(g ecr.ImageTagMutabilityExclusionFilter) bool { return *g.Filter == *f.Filter }) {
			return ecr.InvalidParameterException("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'filters must be unique'")
		}
	}
	return nil
}
