package containerd

import (
	"context"
	"sync/atomic"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/diff"
	"github.com/containerd/containerd/v2/core/mount"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo/containerd/confined"
)

// unpacking applies the layers of one image in processes of their own, which is
// what containerd's service would do in containerd.
type unpacking struct {
	client.DiffService
	runtime *Runtime
	room    atomic.Int64 // bytes that are left for the image
}

// Apply unpacks a layer, and says what the archive was.
func (u *unpacking) Apply(ctx context.Context, layer ocispec.Descriptor, mounts []mount.Mount, _ ...diff.ApplyOpt) (ocispec.Descriptor, error) {
	answer, err := u.runtime.confine(ctx, u.runtime.unpackers, confined.Request{Unpack: &confined.Unpack{
		Containerd: u.runtime.config.Address, Namespace: u.runtime.config.Namespace,
		Layer: ocispec.Descriptor{MediaType: layer.MediaType, Digest: layer.Digest, Size: layer.Size},
		Root:  mounts, MaxBytes: u.room.Load(), MaxEntries: maxEntries,
	}})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	u.room.Add(-answer.Size)
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: answer.Digest, Size: answer.Size}, nil
}

// confine has a process do something with an image, when there is room for one.
func (r *Runtime) confine(ctx context.Context, slots chan struct{}, request confined.Request) (confined.Answer, error) {
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return confined.Answer{}, context.Cause(ctx)
	}
	defer func() { <-slots }()
	at, err := r.mountPoint()
	if err != nil {
		return confined.Answer{}, err
	}
	request.At = at
	helper := confined.Helper{Command: r.config.Helper, Silence: imageSilence}
	return helper.Do(ctx, request)
}
