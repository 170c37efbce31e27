package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/distribution/distribution/v3"
	"github.com/distribution/distribution/v3/registry/storage"
	"github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo"
	"fargo/aws/ecr"
	"fargo/diskspace"
	"fargo/record"
)

// options refuse an image index that lists manifests the repository does not
// have, as ECR does (ReferencedImagesNotFoundException).
var options = []storage.RegistryOption{storage.EnableValidateImageIndexImagesExist}

var (
	errNoManifest = ecr.ImageNotFoundException("Requested image not found")
	errNoLayer    = ecr.LayersNotFoundException("blob unknown to registry")
)

// threads bounds the files the storage works on at the same time.
const threads = 100

// StorageConfig is the configuration of a [Storage].
type StorageConfig struct {
	// Dir is where the blobs are. It is made when it does not exist.
	Dir string
	// Grace is how long a blob that no image refers to is kept after it was last
	// used by a push: long enough for any push to get from its first layer
	// to its manifest.
	Grace  time.Duration
	Logger *slog.Logger
	// Free measures the bytes that are free on the disk; nil is statfs(2).
	Free func() (uint64, error)
}

// reserve is the space on disk that is not filled with images, in bytes: more than
// the reserves of logs and of the control plane's state.
const reserve = 64 << 20

// Writable is nil when something can be pushed now. Otherwise
// [fargo.ErrNotWritable] holds for the error.
func (s *Storage) Writable() error { return s.space.Check() }

// Storage keeps the blobs of all repositories on disk, each content once. All
// of its methods may be called concurrently. Errors for clients are AWS errors (*protocol.Error).
type Storage struct {
	dir    string
	grace  time.Duration
	logger *slog.Logger

	space  *diskspace.Gauge
	driver *durable
	blobs  distribution.Namespace

	// refreshing is held to refresh what a push refers to, and to remove what was
	// not refreshed: see refresh.
	refreshing sync.Mutex
}

// OpenStorage opens the storage in a directory.
func OpenStorage(ctx context.Context, c StorageConfig) (*Storage, error) {
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open registry storage: %w", err)
	}
	if err := syncDir(filepath.Dir(c.Dir)); err != nil {
		return nil, fmt.Errorf("open registry storage: %w", err)
	}
	files := filesystem.New(filesystem.DriverParameters{RootDirectory: c.Dir, MaxThreads: threads})
	s := &Storage{dir: filepath.Clean(c.Dir), grace: c.Grace, logger: c.Logger}
	s.space = diskspace.New(diskspace.Config{Dir: c.Dir, What: "images", Reserve: reserve, Logger: c.Logger, Free: c.Free})
	s.driver = &durable{files, s.dir}
	var err error
	if s.blobs, err = storage.NewRegistry(ctx, s.driver, options...); err != nil {
		return nil, fmt.Errorf("open registry storage: %w", err)
	}
	return s, nil
}

// Manifest reads the text of a manifest, or returns ImageNotFoundException.
func (s *Storage) Manifest(ctx context.Context, scope fargo.Scope, repository, dgst string) ([]byte, error) {
	d, err := digest.Parse(dgst)
	if err != nil {
		return nil, errNoManifest
	}
	r, err := s.repository(ctx, scope, repository)
	if err != nil {
		return nil, err
	}
	manifests, err := r.Manifests(ctx)
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	m, err := manifests.Get(ctx, d)
	if errors.As(err, new(distribution.ErrManifestUnknownRevision)) {
		return nil, errNoManifest
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	_, text, err := m.Payload()
	return text, err
}

// Describe gives the descriptor of an image as an index of referrers has it.
func (s *Storage) Describe(ctx context.Context, i *record.RepositoryImage) (v1.Descriptor, error) {
	text, err := s.Manifest(ctx, i.Scope, i.Repository(), i.Digest())
	if err != nil {
		return v1.Descriptor{}, fmt.Errorf("manifest of a recorded image: %w", err)
	}
	var o manifestFields
	if err := json.Unmarshal(text, &o); err != nil {
		return v1.Descriptor{}, fmt.Errorf("manifest of a recorded image: %w", err)
	}
	return v1.Descriptor{
		MediaType: *i.Image.ImageManifestMediaType, ArtifactType: o.artifactType(), Annotations: o.Annotations,
		Digest: digest.Digest(i.Digest()), Size: int64(len(text)),
	}, nil
}

// PutManifest stores a manifest and describes it as the catalog keeps it,
// without tags and time. When it returns, the manifest is durable, and so is
// everything it names; all of it stays for at least the grace, in which the
// caller must write the record. An invalid manifest is an InvalidParameterException; one that names what the
// repository does not have is a LayersNotFoundException or, for an index, a
// ReferencedImagesNotFoundException.
func (s *Storage) PutManifest(ctx context.Context, scope fargo.Scope, repository, mediaType string, text []byte) (*record.RepositoryImage, error) {
	m, image, err := parseManifest(scope, repository, mediaType, text)
	if err != nil {
		return nil, err
	}
	if err := s.Writable(); err != nil {
		return nil, err
	}
	r, err := s.repository(ctx, scope, repository)
	if err != nil {
		return nil, err
	}
	name := r.Named().Name()
	s.refresh(name, digest.Digest(image.Digest()))
	for _, ref := range m.References() {
		s.refresh(name, ref.Digest)
	}
	manifests, err := r.Manifests(ctx)
	if err != nil {
		return nil, fmt.Errorf("store manifest: %w", err)
	}
	if _, err := manifests.Put(ctx, m); err != nil {
		return nil, refused(err, image.Children != nil)
	}
	return image, nil
}

// refused is the AWS error for one of distribution about a manifest.
func refused(err error, index bool) error {
	var found distribution.ErrManifestVerification
	if !errors.As(err, &found) {
		return fmt.Errorf("store manifest: %w", err)
	}
	var missing []string
	for _, e := range found {
		var unknown distribution.ErrManifestBlobUnknown
		if !errors.As(e, &unknown) {
			return errNotManifest
		}
		missing = append(missing, unknown.Digest.String())
	}
	what := strings.Join(slices.Compact(missing), ", ")
	if index {
		return ecr.ReferencedImagesNotFoundException("The manifest list references images that do not exist in the repository: %s", what)
	}
	return ecr.LayersNotFoundException("Layers with digests '%s' required for pushing image into repository do not exist", what)
}

// Layer finds the size of a blob in a repository, or returns
// LayersNotFoundException. The blob then stays for at least the grace.
func (s *Storage) Layer(ctx context.Context, scope fargo.Scope, repository, dgst string) (size int64, err error) {
	f, err := s.openLayer(ctx, scope, repository, dgst)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("read layer: %w", err)
	}
	return info.Size(), nil
}

func (s *Storage) openLayer(ctx context.Context, scope fargo.Scope, repository, dgst string) (*os.File, error) {
	d, err := digest.Parse(dgst)
	if err != nil {
		return nil, errNoLayer
	}
	r, err := s.repository(ctx, scope, repository)
	if err != nil {
		return nil, err
	}
	s.refresh(r.Named().Name(), d)
	desc, err := r.Blobs(ctx).Stat(ctx, d)
	if errors.Is(err, distribution.ErrBlobUnknown) {
		return nil, errNoLayer
	}
	if err != nil {
		return nil, fmt.Errorf("read layer: %w", err)
	}
	f, err := os.Open(filepath.Join(s.blobDir(desc.Digest), "data"))
	if err != nil {
		return nil, fmt.Errorf("read layer: %w", err)
	}
	return f, nil
}

func (s *Storage) repository(ctx context.Context, scope fargo.Scope, repository string) (distribution.Repository, error) {
	name, err := namedRepository(scope, repository)
	if err != nil {
		return nil, ecr.InvalidParameterException("The repository name '%s' is not one that images can be stored under", repository)
	}
	r, err := s.blobs.Repository(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("open repository: %w", err)
	}
	return r, nil
}
