package containerd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	remoteerrors "github.com/containerd/containerd/v2/core/remotes/errors"
	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo/desired"
	"fargo/host"
)

// pulling: a registry is asked again that gives no clear answer.
var pulling = retryPolicy{attempts: 2, pause: time.Second, final: final}

// Pull makes an image ready to run and returns it. An image that is here
// already under its digest (src.Digest, or the one in its name) needs no
// network. A tag is resolved each time; when its registry cannot be reached, the
// image that it named last is used.
//
// A failure reads as ECS shows it: "CannotPullContainerError: pull image
// manifest has been retried …" before the image is known, "… ref pull has been
// retried …" after. Pulls of the same image at the same time share one
// transfer, which goes on as long as one of them waits.
//
// login is asked when the registry wants to know who pulls; its errors are Pull's.
func (r *Runtime) Pull(ctx context.Context, name string, src desired.PullSource, login host.Login) (host.Image, error) {
	img, err := r.pullOnce(r.in(ctx), name, src, login)
	var noPassword *host.SecretError
	if errors.As(err, &noPassword) {
		return img, noPassword
	}
	if refused(err) {
		err = &Error{Kind: CannotPull, Err: err}
	}
	return img, err
}

// pullOnce is Pull, but that it says of an image that is not acceptable only why.
func (r *Runtime) pullOnce(ctx context.Context, name string, src desired.PullSource, login host.Login) (host.Image, error) {
	named, err := normalize(name, src)
	if err != nil {
		return host.Image{}, &Error{Kind: CannotPull, Err: err}
	}
	if pinned, ok := named.(reference.Digested); ok {
		img, err := r.image(ctx, pinned.Digest())
		if err == nil {
			return host.Image{Name: named.String(), Digest: img.digest.String()}, nil
		}
		if !errdefs.IsNotFound(err) {
			return host.Image{}, err
		}
	}
	key := pullKey{named.String(), src}
	return r.pulls.join(ctx, key, func(ctx context.Context) (host.Image, error) {
		return r.pull(ctx, named, src, login)
	})
}

// normalize reads a name as Docker does: "nginx" is
// "docker.io/library/nginx:latest". A digest that is known stands before a tag.
func normalize(name string, src desired.PullSource) (reference.Named, error) {
	named, err := reference.ParseDockerRef(name)
	if err != nil {
		return nil, fmt.Errorf("invalid reference format: %q: %w", name, err)
	}
	if _, pinned := named.(reference.Digested); pinned || src.Digest == "" {
		return named, nil
	}
	known, err := digest.Parse(src.Digest)
	if err != nil {
		return nil, fmt.Errorf("digest of %q: %w", name, err)
	}
	return reference.WithDigest(reference.TrimNamed(named), known)
}

func (r *Runtime) pull(ctx context.Context, named reference.Named, src desired.PullSource, login host.Login) (host.Image, error) {
	ref := named.String()
	resolver, err := r.transports.resolver(ctx, src, login)
	if err != nil {
		return host.Image{}, &Error{Kind: CannotPull, Err: err}
	}
	var target ocispec.Descriptor
	attempts, err := r.retry(ctx, pulling, func() (err error) {
		_, target, err = resolver.Resolve(ctx, ref)
		return err
	})
	if err != nil {
		if img, cached := r.cached(ctx, named, err); cached {
			return img, nil
		}
		return host.Image{}, &Error{Kind: CannotPull, Err: fmt.Errorf(
			"pull image manifest has been retried %d time(s): failed to resolve ref %s: %w", attempts, ref, explained(ref, err))}
	}
	if _, err := r.image(ctx, target.Digest); err == nil {
		return r.name(ctx, named, target)
	} else if !errdefs.IsNotFound(err) {
		return host.Image{}, err
	}
	var img host.Image
	err = r.leased(ctx, func(ctx context.Context) error { // until what is fetched has its name
		room := cmp.Or(src.Room, usualRoom)
		attempts, err := r.retry(ctx, pulling, func() error { return r.fetch(ctx, ref, resolver, target, room) })
		if err != nil {
			return &Error{Kind: CannotPull, Err: fmt.Errorf("ref pull has been retried %d time(s): %w", attempts, explained(ref, err))}
		}
		img, err = r.name(ctx, named, target)
		return err
	})
	return img, err
}

// final says that the registry itself has answered, or that the image is not
// acceptable, and that asking again changes nothing.
func final(err error) bool {
	var noPassword *host.SecretError
	if refused(err) || errors.As(err, &noPassword) {
		return true
	}
	var status remoteerrors.ErrUnexpectedStatus
	if errors.As(err, &status) {
		return status.StatusCode/100 == 4 &&
			status.StatusCode != http.StatusTooManyRequests && status.StatusCode != http.StatusRequestTimeout
	}
	return errdefs.IsNotFound(err) || errors.Is(err, docker.ErrInvalidAuthorization) || isRefusal(err)
}

// cached is the image that a tag named last, for when its registry says nothing.
func (r *Runtime) cached(ctx context.Context, named reference.Named, failure error) (host.Image, bool) {
	if final(failure) || ctx.Err() != nil {
		return host.Image{}, false
	}
	record, err := r.client.ImageService().Get(ctx, named.String())
	if err != nil {
		return host.Image{}, false
	}
	img, err := r.image(ctx, record.Target.Digest)
	if err != nil {
		return host.Image{}, false
	}
	r.config.Logger.Warn("registry out of reach, using the image that is here", "image", named.String(), "error", failure)
	return host.Image{Name: record.Name, Digest: img.digest.String()}, true
}

// fetch brings a resolved image here and unpacks it.
func (r *Runtime) fetch(ctx context.Context, ref string, resolver remotes.Resolver, target ocispec.Descriptor, room int64) error {
	snapshotter, err := r.snapshotter(ctx)
	if err != nil {
		return err
	}
	fetcher, err := resolver.Fetcher(ctx, ref)
	if err != nil {
		return err
	}
	only := registryOnly{fetcher}
	manifest, err := r.examine(ctx, only, target, room)
	if err != nil {
		return err
	}
	unpacking := &unpacking{DiffService: r.client.DiffService(), runtime: r}
	unpacking.room.Store(room)
	puller, err := client.NewWithConn(r.conn, client.WithServices(client.WithDiffService(unpacking)))
	if err != nil {
		return err
	}
	_, err = puller.Pull(ctx, ref,
		client.WithResolver(resolved{ref: ref, target: manifest, fetcher: only}),
		client.WithPullUnpack,
		client.WithPullSnapshotter(snapshotter),
	)
	return err
}

// resolved is a resolver that knows the answer already.
type resolved struct {
	remotes.Resolver // nobody asks it for more
	ref              string
	target           ocispec.Descriptor
	fetcher          remotes.Fetcher
}

func (r resolved) Resolve(context.Context, string) (string, ocispec.Descriptor, error) {
	return r.ref, r.target, nil
}

func (r resolved) Fetcher(context.Context, string) (remotes.Fetcher, error) { return r.fetcher, nil }

// name records the image under the name it was asked for and under its digest,
// which keeps it here when the tag moves on.
func (r *Runtime) name(ctx context.Context, named reference.Named, target ocispec.Descriptor) (host.Image, error) {
	img, err := r.image(ctx, target.Digest)
	if err != nil {
		return host.Image{}, err
	}
	pinned, err := reference.WithDigest(reference.TrimNamed(named), target.Digest)
	if err != nil {
		return host.Image{}, err
	}
	for _, name := range []string{pinned.String(), named.String()} {
		if err := r.nameImage(ctx, images.Image{Name: name, Target: target}); err != nil {
			return host.Image{}, fmt.Errorf("record image %s: %w", name, err)
		}
	}
	return host.Image{Name: named.String(), Digest: img.digest.String()}, nil
}

// nameImage creates or changes what a name stands for.
func (r *Runtime) nameImage(ctx context.Context, image images.Image) error {
	service := r.client.ImageService()
	_, err := service.Create(ctx, image)
	if errdefs.IsAlreadyExists(err) {
		_, err = service.Update(ctx, image)
	}
	return err
}
