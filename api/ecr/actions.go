package ecr

import (
	"cmp"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ecr"
	"fargo/record"
	"fargo/store"
)

// Actions are what the operations ask IAM for, and what clients do in the registry
// as if they had called them.
// Source: Service Authorization Reference, "Amazon Elastic Container Registry".
var Actions = &api.Actions{
	Prefix:      "ecr",
	TagOnCreate: "ecr:TagResource",
	Tags: func(r store.Reader, arn string) map[string]string {
		repository, ok := repositoryByARN(r, arn)
		if !ok {
			return nil
		}
		return tagMap(repository.Tags)
	},
	Policy: func(r store.Reader, arn string) (api.ResourcePolicy, bool) {
		repository, ok := repositoryByARN(r, arn)
		if !ok || repository.Policy == "" {
			return api.ResourcePolicy{}, false
		}
		return api.ResourcePolicy{Document: repository.Policy}, true
	},
	Rows: map[string]api.Row{
		"CreateRepository": inRepository(func(in *ecr.CreateRepositoryInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}).Tags(func(in *ecr.CreateRepositoryInput) map[string]string { return tagMap(in.Tags) }).Creates(),
		"DescribeRepositories": api.On(func(q *api.Query, in *ecr.DescribeRepositoriesInput) []string {
			if len(in.RepositoryNames) == 0 {
				return []string{repositoryARN(q, in.RegistryId, "*")} // inferred: of no names nothing is said
			}
			var arns []string
			for _, name := range in.RepositoryNames {
				arns = append(arns, repositoryARN(q, in.RegistryId, name))
			}
			return arns
		}),
		"BatchCheckLayerAvailability": inRepository(func(in *ecr.BatchCheckLayerAvailabilityInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"BatchDeleteImage": inRepository(func(in *ecr.BatchDeleteImageInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"BatchGetImage": inRepository(func(in *ecr.BatchGetImageInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"CompleteLayerUpload": inRepository(func(in *ecr.CompleteLayerUploadInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"DeleteLifecyclePolicy": inRepository(func(in *ecr.DeleteLifecyclePolicyInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"DeleteRepository": inRepository(func(in *ecr.DeleteRepositoryInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"DeleteRepositoryPolicy": inRepository(func(in *ecr.DeleteRepositoryPolicyInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"DescribeImages": inRepository(func(in *ecr.DescribeImagesInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"GetDownloadUrlForLayer": inRepository(func(in *ecr.GetDownloadUrlForLayerInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"GetLifecyclePolicy": inRepository(func(in *ecr.GetLifecyclePolicyInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"GetRepositoryPolicy": inRepository(func(in *ecr.GetRepositoryPolicyInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"InitiateLayerUpload": inRepository(func(in *ecr.InitiateLayerUploadInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"ListImages": inRepository(func(in *ecr.ListImagesInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"PutImage": inRepository(func(in *ecr.PutImageInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"PutImageScanningConfiguration": inRepository(func(in *ecr.PutImageScanningConfigurationInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"PutImageTagMutability": inRepository(func(in *ecr.PutImageTagMutabilityInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"PutLifecyclePolicy": inRepository(func(in *ecr.PutLifecyclePolicyInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"SetRepositoryPolicy": inRepository(func(in *ecr.SetRepositoryPolicyInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"GetLifecyclePolicyPreview": inRepository(func(in *ecr.GetLifecyclePolicyPreviewInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"StartLifecyclePolicyPreview": inRepository(func(in *ecr.StartLifecyclePolicyPreviewInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"DescribeImageScanFindings": inRepository(func(in *ecr.DescribeImageScanFindingsInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),
		"UpdateImageStorageClass": inRepository(func(in *ecr.UpdateImageStorageClassInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}).Inferred(),
		"ListImageReferrers": inRepository(func(in *ecr.ListImageReferrersInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}).Inferred(),
		"UploadLayerPart": inRepository(func(in *ecr.UploadLayerPartInput) (registry, name *string) {
			return in.RegistryId, in.RepositoryName
		}),

		"DescribeRegistry":      api.AnyResource[any](),
		"GetAuthorizationToken": api.AnyResource[any](),
		"GetAccountSetting":     api.AnyResource[any]().Inferred(),
		"PutAccountSetting":     api.AnyResource[any]().Inferred(),

		"ListTagsForResource": api.On(func(_ *api.Query, in *ecr.ListTagsForResourceInput) []string { return api.Given(in.ResourceArn) }),
		"TagResource": api.On(func(_ *api.Query, in *ecr.TagResourceInput) []string { return api.Given(in.ResourceArn) }).
			Tags(func(in *ecr.TagResourceInput) map[string]string { return tagMap(in.Tags) }),
		"UntagResource": api.On(func(_ *api.Query, in *ecr.UntagResourceInput) []string { return api.Given(in.ResourceArn) }).
			Key("aws:TagKeys", func(_ *api.Query, in *ecr.UntagResourceInput) []string { return in.TagKeys }),
	},
}

// inRepository is the row of an operation on one repository, of the caller's
// registry if no other is named.
func inRepository[In any](of func(*In) (registry, name *string)) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		registry, name := of(in)
		return []string{repositoryARN(q, registry, aws.Value(name))}
	})
}

func repositoryARN(q *api.Query, registry *string, name string) string {
	return fargo.Scope{Account: cmp.Or(aws.Value(registry), q.Account), Region: q.Region}.ARN("ecr", "repository/"+name)
}

func repositoryByARN(r store.Reader, arn string) (*record.Repository, bool) {
	a, _ := fargo.ParseARN(arn)
	name, ok := strings.CutPrefix(a.Resource, "repository/")
	if !ok {
		return nil, false
	}
	return store.Repositories.Get(r, a.Scope().Key(name))
}

func tagMap(tags []ecr.Tag) map[string]string {
	return api.TagMap(tags, func(t ecr.Tag) (key, value *string) { return t.Key, t.Value })
}
