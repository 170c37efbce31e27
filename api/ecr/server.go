// Package ecr implements the operations of Amazon ECR: repositories, the
// records of the images in them, and the passwords of the registry that clients
// push to and pull from. It knows ECR's nouns, rules and texts; it refuses to
// know where a manifest or a layer is kept and how clients bring them.
//
// # Where to push
//
// Repository URIs and the proxy endpoint have the form they have on AWS
// (123456789012.dkr.ecr.us-east-1.amazonaws.com), and tasks name their images
// so. No such host can be reached from the machine: docker, podman, skopeo and
// crane push to the address Fargo listens on, 127.0.0.1:4566/myapp/api:v1, with
// the same user and password. Both names lead to the same repository.
package ecr

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo"
	"fargo/api"
	"fargo/aws/ecr"
	"fargo/record"
	"fargo/store"
)

// Config is what a Server needs. All of it is required.
type Config struct {
	DB    *store.DB
	Blobs Blobs
	// Key signs passwords: see LoadKey.
	Key []byte
	// Calls are asked about what clients do in the registry, as if they had
	// called the operation that stands for it. The API's own calls have been
	// authorized when they come here.
	Calls api.Calls
}

// Blobs keeps manifests and layers. Errors that a client should see are AWS
// errors.
type Blobs interface {
	// Manifest reads the text of a manifest.
	Manifest(ctx context.Context, s fargo.Scope, repository, digest string) ([]byte, error)
	// PutManifest stores a manifest whose layers are there and describes it,
	// without tags and time. What it returns is durable.
	PutManifest(ctx context.Context, s fargo.Scope, repository, mediaType string, text []byte) (*record.RepositoryImage, error)
	// Describe gives the descriptor of an image as an index of referrers has it.
	Describe(ctx context.Context, i *record.RepositoryImage) (v1.Descriptor, error)
	// Layer finds the size of a layer, or returns LayersNotFoundException.
	Layer(ctx context.Context, s fargo.Scope, repository, digest string) (int64, error)
}

// Server answers the ECR operations, from and into the store. It also is the
// catalog of the registry.
type Server struct {
	db    *store.DB
	blobs Blobs
	key   []byte
	calls api.Calls
}

// New makes a server.
func New(c Config) *Server {
	return &Server{db: c.DB, blobs: c.Blobs, key: c.Key, calls: c.Calls}
}

// LoadKey gives the secret that this installation signs the registry's
// passwords with. It is made at the first start and sealed in the store.
func LoadKey(ctx context.Context, db *store.DB) ([]byte, error) {
	var secret []byte
	err := db.Update(ctx, func(tx *store.Tx) error {
		if k, ok := store.RegistryKeys.Get(tx, "key"); ok {
			secret = k.Secret
			return nil
		}
		secret = newKey()
		store.RegistryKeys.Put(tx, &record.RegistryKey{Secret: secret})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the registry's key: %w", err)
	}
	return secret, nil
}

// registryOf is the registry that a call means: the caller's own in the call's
// region. Nobody else's can be named: see NotActedOn.
func registryOf(ctx context.Context, registryID *string) (fargo.Scope, error) {
	s := api.CallFrom(ctx).Scope()
	if registryID != nil && *registryID != s.Account {
		return s, ecr.InvalidParameterException("Invalid parameter at 'registryId' failed to satisfy constraint: 'only the registry with id '%s' can be used by this account'", s.Account)
	}
	return s, nil
}

// find gives the repository of a call's registry.
func find(r store.Reader, s fargo.Scope, name string) (*record.Repository, error) {
	repository, ok := store.Repositories.Get(r, s.Key(name))
	if !ok {
		return nil, ecr.RepositoryNotFoundException("The repository with name '%s' does not exist in the registry with id '%s'", name, s.Account)
	}
	return repository, nil
}

// view finds the repository that a call reads.
func (s *Server) view(ctx context.Context, registryID, name *string) (*store.Snapshot, *record.Repository, error) {
	scope, err := registryOf(ctx, registryID)
	if err != nil {
		return nil, nil, err
	}
	v := s.db.View()
	repository, err := find(v, scope, *name)
	return v, repository, err
}

// change finds the repository that a call writes, lets f change a copy of it,
// and stores that.
func (s *Server) change(ctx context.Context, registryID, name *string, f func(*record.Repository) error) (*record.Repository, error) {
	scope, err := registryOf(ctx, registryID)
	if err != nil {
		return nil, err
	}
	var changed record.Repository
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		repository, err := find(tx, scope, *name)
		if err != nil {
			return err
		}
		changed = *repository
		if err := f(&changed); err != nil {
			return err
		}
		store.Repositories.Put(tx, &changed)
		return nil
	})
	return &changed, err
}

// now is the time as ECR tells it: in whole seconds.
func now() *time.Time { return new(time.Now().UTC().Truncate(time.Second)) }
