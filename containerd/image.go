package containerd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/mount"
	continuity "github.com/containerd/continuity/fs"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// image is what containers need of an image. It is immutable, as its digest is,
// and so is kept in memory.
type image struct {
	digest        digest.Digest // of the manifest for this platform
	config        ocispec.ImageConfig
	chain         string // the snapshot that containers' file systems build on
	passwd, group []byte // /etc/passwd and /etc/group; nil when there are none
}

// image returns the image under the digest, of a manifest or of an index. The
// error is errdefs.ErrNotFound when it, or part of it, is not on this machine.
func (r *Runtime) image(ctx context.Context, of digest.Digest) (*image, error) {
	if known, ok := r.images.Load(of); ok {
		return known.(*image), nil
	}
	loaded, err := r.loadImage(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", of, err)
	}
	r.images.Store(of, loaded)
	r.images.Store(loaded.digest, loaded)
	return loaded, nil
}

func (r *Runtime) loadImage(ctx context.Context, of digest.Digest) (*image, error) {
	if err := of.Validate(); err != nil {
		return nil, err
	}
	store := r.client.ContentStore()
	// An index or a manifest, whichever it is.
	var document struct {
		Manifests []ocispec.Descriptor `json:"manifests"`
		Config    ocispec.Descriptor   `json:"config"`
	}
	if err := readBlob(ctx, store, of, &document); err != nil {
		return nil, err
	}
	if len(document.Manifests) > 0 {
		manifest, err := forThisPlatform(document.Manifests)
		if err != nil {
			return nil, err
		}
		return r.loadImage(ctx, manifest.Digest)
	}
	var config ocispec.Image
	if err := readBlob(ctx, store, document.Config.Digest, &config); err != nil {
		return nil, err
	}
	chain := identity.ChainID(config.RootFS.DiffIDs).String()
	snapshotter, err := r.snapshotter(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := r.client.SnapshotService(snapshotter).Stat(ctx, chain); err != nil {
		return nil, err // the image was never unpacked to the end
	}
	loaded := &image{digest: of, config: config.Config, chain: chain}
	err = r.withView(ctx, snapshotter, chain, func(root string) error {
		return errors.Join(readInside(root, "/etc/passwd", &loaded.passwd), readInside(root, "/etc/group", &loaded.group))
	})
	return loaded, err
}

// forThisPlatform picks the manifest of an index that runs best here. One that
// does not say where it runs is taken when no other fits.
func forThisPlatform(manifests []ocispec.Descriptor) (ocispec.Descriptor, error) {
	here := platforms.Default()
	var best *ocispec.Descriptor
	for i, manifest := range manifests {
		switch {
		case manifest.Platform == nil:
			if best == nil {
				best = &manifests[i]
			}
		case !here.Match(*manifest.Platform):
		case best == nil || best.Platform == nil || here.Less(*manifest.Platform, *best.Platform):
			best = &manifests[i]
		}
	}
	if best == nil {
		return ocispec.Descriptor{}, fmt.Errorf("no manifest for %s: %w", platforms.DefaultString(), errdefs.ErrNotFound)
	}
	return *best, nil
}

func readBlob(ctx context.Context, store content.Store, of digest.Digest, into any) error {
	blob, err := content.ReadBlob(ctx, store, ocispec.Descriptor{Digest: of})
	if err != nil {
		return err
	}
	return json.Unmarshal(blob, into)
}

// withView lets look see a snapshot at the directory root, mounted for the time
// of the call.
func (r *Runtime) withView(ctx context.Context, snapshotter, chain string, look func(root string) error) (err error) {
	ctx, done, err := r.client.WithLease(ctx) // keeps the view, and ends it if we die
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done(context.WithoutCancel(ctx))) }()
	service := r.client.SnapshotService(snapshotter)
	key := r.unique("view")
	mounts, err := service.View(ctx, key, chain)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Remove(context.WithoutCancel(ctx), key)) }()
	return mount.WithReadonlyTempMount(ctx, mounts, look)
}

// readInside reads a small file of a root file system, following links only
// inside it. A file that is not there is empty.
func readInside(root, name string, into *[]byte) error {
	path, err := continuity.RootPath(root, name)
	if err != nil {
		return err
	}
	*into, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
