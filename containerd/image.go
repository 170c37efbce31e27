package containerd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo/containerd/confined"
)

// image is what containers need of an image. It is immutable, as its digest is,
// and so is kept in memory.
type image struct {
	digest        digest.Digest // of the manifest for this platform
	config        imageConfig
	chain         string // the snapshot that containers' file systems build on
	passwd, group []byte // /etc/passwd and /etc/group; nil when there are none
}

// image returns the image under the digest, of a manifest or of an index. The
// error is errdefs.ErrNotFound when it, or part of it, is not on this machine.
func (r *Runtime) image(ctx context.Context, of digest.Digest) (*image, error) {
	if known := r.images.get(of); known != nil {
		return known, nil
	}
	loaded, err := r.loadImage(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", of, err)
	}
	r.images.put(of, loaded)
	r.images.put(loaded.digest, loaded)
	return loaded, nil
}

func (r *Runtime) loadImage(ctx context.Context, of digest.Digest) (*image, error) {
	if err := of.Validate(); err != nil {
		return nil, err
	}
	return r.loadNested(ctx, of, maxNesting)
}

func (r *Runtime) loadNested(ctx context.Context, of digest.Digest, nesting int) (*image, error) {
	var found document
	if err := r.readDocument(ctx, of, &found); err != nil {
		return nil, err
	}
	if len(found.Manifests) > 0 {
		manifest, err := forThisPlatform(found.Manifests)
		if err != nil {
			return nil, err
		}
		if nesting == 0 {
			return nil, refuse("more than %d indexes lead to a manifest", maxNesting)
		}
		return r.loadNested(ctx, manifest.Digest, nesting-1)
	}
	var config configuration
	if err := r.readDocument(ctx, found.Config.Digest, &config); err != nil {
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
	err = r.withView(ctx, snapshotter, chain, func(root []mount.Mount) error {
		files, err := r.confine(ctx, r.readers, confined.Request{Accounts: &confined.Accounts{Root: root, MaxBytes: maxAccounts}})
		loaded.passwd, loaded.group = files.Passwd, files.Group
		return err
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

// withView lets look mount a snapshot for the time of the call.
func (r *Runtime) withView(ctx context.Context, snapshotter, chain string, look func(root []mount.Mount) error) error {
	service := r.client.SnapshotService(snapshotter)
	key := r.unique("view")
	return r.leased(ctx, func(ctx context.Context) (err error) { // which ends the view if we die
		mounts, err := service.View(ctx, key, chain)
		if err != nil {
			return err
		}
		defer func() {
			clean := context.WithoutCancel(ctx)
			err = errors.Join(err, gone(clean, func() error { return service.Remove(clean, key) }))
		}()
		return look(mounts)
	})
}

// leased calls do with a lease in its context, which keeps what is made from being
// collected until do returns.
func (r *Runtime) leased(ctx context.Context, do func(context.Context) error) error {
	service := r.client.LeasesService()
	lease := leases.Lease{ID: r.unique("fargo")}
	_, err := service.Create(ctx, leases.WithID(lease.ID), leases.WithExpiration(leaseTime))
	if err == nil {
		err = do(leases.WithLease(ctx, lease.ID))
	}
	// Also when it seems not to have been made: containerd may have died after it.
	clean := context.WithoutCancel(ctx)
	return errors.Join(err, gone(clean, func() error { return service.Delete(clean, lease) }))
}

// leaseTime is how long a lease lives whose owner died; longer than a pull may
// take.
const leaseTime = 24 * time.Hour

// gone removes something, also when containerd dies over it.
func gone(ctx context.Context, remove func() error) error {
	err := again(ctx, remove)
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
