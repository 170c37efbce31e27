package ecr

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ecr"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// The methods here, with Login and RecordImage, make the server the registry's
// Catalog.

// Authorize returns nil if the repository is there and a client may do action
// ("ecr:BatchGetImage") in it.
func (s *Server) Authorize(ctx context.Context, g record.RegistryGrant, action string, scope fargo.Scope, repository string) error {
	if scope.Account != g.Scope.Account {
		return protocol.Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s because no resource-based policy allows the %s action",
			g.PrincipalARN, action, scope.ARN("ecr", "repository/"+repository), action)
	}
	call := &api.Call{
		RequestID: fargo.NewHex(32), Operation: strings.TrimPrefix(action, "ecr:"),
		Account: scope.Account, Region: scope.Region, Caller: api.Caller{
			PrincipalARN: g.PrincipalARN, PrincipalID: g.PrincipalID, AccessKeyID: g.AccessKeyID,
			Role: g.Role, SessionPolicy: g.SessionPolicy, SessionPolicyARNs: g.SessionPolicyARNs, SessionTags: g.SessionTags, SourceIdentity: g.SourceIdentity, FederatedBy: g.FederatedBy,
			Task: g.Task, Client: s.client(ctx, g, scope.Region),
		},
	}
	if err := s.calls.Authorize(ctx, &ecr.API, call, inputOf(call.Operation, &scope.Account, &repository)); err != nil {
		return err
	}
	if call.Operation == "GetDownloadUrlForLayer" {
		if err := s.authorizeLayers(ctx, call.Client, scope, repository); err != nil {
			return err
		}
	}
	_, err := find(s.db.View(), scope, repository)
	return err
}

// client is the client of a registry. A node that pulls with a password that no access key
// was needed for does what Fargate would have done by the interface of its task.
func (s *Server) client(ctx context.Context, g record.RegistryGrant, region string) api.Client {
	c := api.ClientFrom(ctx)
	a, ok := fargo.ParseARN(g.Task)
	if c.Origin != nil || g.AccessKeyID != "" || !ok {
		return c
	}
	view := s.db.View()
	if t, ok := store.Tasks.Get(view, a.Scope().Key(fargo.ClusterOf(a), a.Name())); ok && t.Interface != nil {
		c.Origin = plan.SentFrom(store.EC2VPCEndpoints.By(view, store.ByVPC, t.Interface.VPC), t.Interface, "ecr.dkr", region)
		c.SourceAddress, c.Secure = c.Origin.Client, c.Origin.Secure
	}
	return c
}

// inputOf is the input of the operation that a client's deed stands for, as far
// as a policy looks at it.
func inputOf(operation string, registry, repository *string) any {
	switch operation {
	case "BatchGetImage":
		return &ecr.BatchGetImageInput{RegistryId: registry, RepositoryName: repository}
	case "GetDownloadUrlForLayer":
		return &ecr.GetDownloadUrlForLayerInput{RegistryId: registry, RepositoryName: repository}
	case "BatchCheckLayerAvailability":
		return &ecr.BatchCheckLayerAvailabilityInput{RegistryId: registry, RepositoryName: repository}
	case "ListImages":
		return &ecr.ListImagesInput{RegistryId: registry, RepositoryName: repository}
	case "InitiateLayerUpload":
		return &ecr.InitiateLayerUploadInput{RegistryId: registry, RepositoryName: repository}
	case "UploadLayerPart":
		return &ecr.UploadLayerPartInput{RegistryId: registry, RepositoryName: repository}
	case "CompleteLayerUpload":
		return &ecr.CompleteLayerUploadInput{RegistryId: registry, RepositoryName: repository}
	case "BatchDeleteImage":
		return &ecr.BatchDeleteImageInput{RegistryId: registry, RepositoryName: repository}
	case "PutImage":
		return &ecr.PutImageInput{RegistryId: registry, RepositoryName: repository}
	}
	panic("no operation of ECR stands for " + operation)
}

// FindImage gives the image behind a tag or a digest.
func (s *Server) FindImage(_ context.Context, scope fargo.Scope, repository, reference string) (*record.RepositoryImage, error) {
	if i, ok := store.ResolveImage(s.db.View(), scope, repository, reference); ok {
		return i, nil
	}
	return nil, ecr.ImageNotFoundException("Requested image not found")
}

// Referrers gives what refers to a manifest, in the order of digests.
func (s *Server) Referrers(_ context.Context, scope fargo.Scope, repository, digest string) ([]*record.RepositoryImage, error) {
	return referrers(s.db.View(), scope, repository, digest), nil
}

func referrers(r store.Reader, scope fargo.Scope, repository, digest string) []*record.RepositoryImage {
	return slices.SortedFunc(store.Referrers(r, scope, repository, digest), func(a, b *record.RepositoryImage) int {
		return strings.Compare(a.Digest(), b.Digest())
	})
}

// DeleteImage is what the registry does when a client deletes a manifest.
func (s *Server) DeleteImage(ctx context.Context, scope fargo.Scope, repository, reference string) error {
	id := ecr.ImageIdentifier{ImageTag: &reference}
	if strings.Contains(reference, ":") {
		id = ecr.ImageIdentifier{ImageDigest: &reference}
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := find(tx, scope, repository)
		if err != nil {
			return err
		}
		i, failure := findImage(tx, r, id)
		if failure == nil {
			_, failure = deleteImage(tx, i, id)
		}
		switch {
		case failure == nil:
			return nil
		case failure.FailureCode == ecr.ImageFailureCodeImageNotFound:
			return ecr.ImageNotFoundException("%s", *failure.FailureReason)
		}
		return ecr.InvalidParameterException("%s", *failure.FailureReason)
	})
}

// ListTags gives a repository's tags in order.
func (s *Server) ListTags(_ context.Context, scope fargo.Scope, repository string) ([]string, error) {
	var tags []string
	for i := range store.Images.Prefix(s.db.View(), record.ImageKey(scope, repository, "")) {
		tags = append(tags, i.Image.ImageTags...)
	}
	slices.Sort(tags)
	return tags, nil
}

// AllImages gives every image of every account, as of now.
func (s *Server) AllImages() iter.Seq[*record.RepositoryImage] { return store.Images.All(s.db.View()) }

// pullPrecision is how exact lastRecordedPullTime is. ECR promises a day.
const pullPrecision = time.Hour

// RecordPull notes that an image was pulled now.
func (s *Server) RecordPull(ctx context.Context, i *record.RepositoryImage) error {
	if last := i.Image.LastRecordedPullTime; last != nil && time.Since(*last) < pullPrecision {
		return nil
	}
	return s.db.Update(ctx, func(tx *store.Tx) error {
		if i, ok := store.Images.Get(tx, i.Key()); ok { // it may have been deleted meanwhile
			pulled := *i
			pulled.Image.LastRecordedPullTime = now()
			store.Images.Put(tx, &pulled)
		}
		return nil
	})
}
