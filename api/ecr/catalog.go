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
	"fargo/store"
)

// The methods here, with Login and RecordImage, make the server the registry's
// Catalog.

// Authorize returns nil if the repository is there and a client may do action
// ("ecr:BatchGetImage") in it.
func (s *Server) Authorize(ctx context.Context, g fargo.RegistryGrant, action string, scope fargo.Scope, repository string) error {
	arn := scope.ARN("ecr", "repository/"+repository)
	if scope.Account != g.Scope.Account {
		return protocol.Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s because no resource-based policy allows the %s action", g.PrincipalARN, action, arn, action)
	}
	call := &api.Call{
		RequestID: fargo.NewHex(32), Service: "ecr", Operation: strings.TrimPrefix(action, "ecr:"),
		Account: g.Scope.Account, Region: scope.Region, PrincipalARN: g.PrincipalARN, PrincipalID: g.PrincipalID,
	}
	if err := s.authorize(ctx, call, arn); err != nil {
		return err
	}
	_, err := find(s.db.View(), scope, repository)
	return err
}

// FindImage gives the image behind a tag or a digest.
func (s *Server) FindImage(_ context.Context, scope fargo.Scope, repository, reference string) (*fargo.RepositoryImage, error) {
	if i, ok := store.ResolveImage(s.db.View(), scope, repository, reference); ok {
		return i, nil
	}
	return nil, ecr.ImageNotFoundException("Requested image not found")
}

// ListTags gives a repository's tags in order.
func (s *Server) ListTags(_ context.Context, scope fargo.Scope, repository string) ([]string, error) {
	var tags []string
	for i := range store.Images.Prefix(s.db.View(), fargo.ImageKey(scope, repository, "")) {
		tags = append(tags, i.Image.ImageTags...)
	}
	slices.Sort(tags)
	return tags, nil
}

// AllImages gives every image of every account, as of now.
func (s *Server) AllImages() iter.Seq[*fargo.RepositoryImage] { return store.Images.All(s.db.View()) }

// pullPrecision is how exact lastRecordedPullTime is. ECR promises a day.
const pullPrecision = time.Hour

// RecordPull notes that an image was pulled now.
func (s *Server) RecordPull(ctx context.Context, i *fargo.RepositoryImage) error {
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
