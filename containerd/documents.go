package containerd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// document is an index or a manifest, whichever it is.
type document struct {
	Manifests []ocispec.Descriptor `json:"manifests"`
	Config    ocispec.Descriptor   `json:"config"`
	Layers    []ocispec.Descriptor `json:"layers"`
}

// configuration is what we need of an image's configuration.
type configuration struct {
	Config imageConfig    `json:"config"`
	RootFS ocispec.RootFS `json:"rootfs"`
}

// imageConfig is what an image says of its containers, as far as we look at it.
// Source: OCI image specification, config.md.
type imageConfig struct {
	User       string
	Env        []string
	Entrypoint []string
	Cmd        []string
	WorkingDir string
	StopSignal string
}

// examine fetches the documents of an image, from the one that its name stands
// for down to the configuration, and refuses what an image must not be before
// anything else is done with it. It returns the manifest for this machine. What
// it has seen cannot change: documents are known by their digests.
func (r *Runtime) examine(ctx context.Context, fetcher remotes.Fetcher, target ocispec.Descriptor, room int64) (ocispec.Descriptor, error) {
	for range maxNesting + 1 {
		var found document
		if err := r.document(ctx, fetcher, target, &found); err != nil {
			return ocispec.Descriptor{}, err
		}
		if len(found.Manifests) == 0 {
			return target, r.examineManifest(ctx, fetcher, target, &found, room)
		}
		if len(found.Layers) > 0 || found.Config.Digest != "" {
			return ocispec.Descriptor{}, refuse("%s is both an index and a manifest", target.Digest)
		}
		next, err := forThisPlatform(found.Manifests)
		if err != nil {
			return ocispec.Descriptor{}, err
		}
		if err := next.Digest.Validate(); err != nil {
			return ocispec.Descriptor{}, refuse("index %s: digest %.80q: %v", target.Digest, next.Digest, err)
		}
		if err := r.keepWith(ctx, target.Digest, next.Digest); err != nil {
			return ocispec.Descriptor{}, err
		}
		target = next
	}
	return ocispec.Descriptor{}, refuse("more than %d indexes lead to a manifest", maxNesting)
}

func (r *Runtime) examineManifest(
	ctx context.Context, fetcher remotes.Fetcher, target ocispec.Descriptor, manifest *document, room int64,
) error {
	if !images.IsManifestType(target.MediaType) {
		return refuse("%s, which is a manifest, is said to be %.80q", target.Digest, target.MediaType)
	}
	if err := checkLayers(manifest.Layers, room); err != nil {
		return err
	}
	if !images.IsConfigType(manifest.Config.MediaType) {
		return refuse("the configuration of %s is of the kind %.80q: this is no container image", target.Digest, manifest.Config.MediaType)
	}
	var config configuration
	if err := r.document(ctx, fetcher, manifest.Config, &config); err != nil {
		return err
	}
	if len(config.RootFS.DiffIDs) != len(manifest.Layers) {
		return refuse("%s has %d layers, and its configuration speaks of %d", target.Digest, len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	for _, id := range config.RootFS.DiffIDs {
		if err := id.Validate(); err != nil {
			return refuse("layer %.80q in the configuration of %s: %v", id, target.Digest, err)
		}
	}
	return nil
}

// checkLayers refuses layers that no image has.
func checkLayers(layers []ocispec.Descriptor, room int64) error {
	if len(layers) == 0 {
		return refuse("the image has no layers")
	}
	if len(layers) > maxLayers {
		return refuse("max depth exceeded: the image has %d layers, more than %d", len(layers), maxLayers)
	}
	left := room
	for _, layer := range layers {
		if err := layer.Digest.Validate(); err != nil {
			return refuse("layer %.80q: %v", layer.Digest, err)
		}
		if !images.IsLayerType(layer.MediaType) {
			return refuse("layer %s is of the kind %.80q: this is no container image", layer.Digest, layer.MediaType)
		}
		if layer.Size <= 0 {
			return refuse("layer %s is said to have %d bytes", layer.Digest, layer.Size)
		}
		if layer.Size > left {
			return refuse("no space left on device: the image's layers are larger than the %s that it may have", gib(room))
		}
		left -= layer.Size
	}
	return nil
}

// document fetches a document, unless it is here, and reads it.
func (r *Runtime) document(ctx context.Context, fetcher remotes.Fetcher, of ocispec.Descriptor, into any) error {
	if err := of.Digest.Validate(); err != nil {
		return refuse("digest %.80q: %v", of.Digest, err)
	}
	if of.Size <= 0 || of.Size > maxDocument {
		return refuse("%s is said to have %d bytes: a manifest, index or configuration has up to %d", of.Digest, of.Size, maxDocument)
	}
	if _, err := remotes.FetchHandler(r.client.ContentStore(), fetcher)(ctx, of); err != nil {
		return err
	}
	return r.readDocument(ctx, of.Digest, into)
}

// readDocument reads a document that is here. One at a time is in memory, for
// everybody may have large ones pulled at once.
func (r *Runtime) readDocument(ctx context.Context, of digest.Digest, into any) error {
	blob, err := r.client.ContentStore().ReaderAt(ctx, ocispec.Descriptor{Digest: of})
	if err != nil {
		return err
	}
	defer blob.Close()
	if blob.Size() > maxDocument {
		return refuse("%s has %d bytes: a manifest, index or configuration has up to %d", of, blob.Size(), maxDocument)
	}
	r.reading.Lock()
	defer r.reading.Unlock()
	text, err := io.ReadAll(content.NewReader(blob))
	if err != nil {
		return err
	}
	return decode(of, text, into)
}

// decode parses a document that is not too much to be parsed.
func decode(of digest.Digest, text []byte, into any) error {
	// Each element but an array's or object's first has a comma before it.
	if bytes.Count(text, []byte(",")) > maxElements {
		return refuse("%s has more than %d elements", of, maxElements)
	}
	err := json.Unmarshal(text, into)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	if errors.As(err, &syntax) || errors.As(err, &kind) {
		return refuse("%s cannot be read: %v", of, err)
	}
	return err
}

// keepWith has one piece of content live as long as another does. Source:
// containerd's docs/garbage-collection.md.
func (r *Runtime) keepWith(ctx context.Context, parent, child digest.Digest) error {
	const label = "containerd.io/gc.ref.content.m.0"
	info := content.Info{Digest: parent, Labels: map[string]string{label: child.String()}}
	_, err := r.client.ContentStore().Update(ctx, info, "labels."+label)
	return err
}

// registryOnly is a fetcher that asks the registry and nobody else: a descriptor can
// name addresses of its own, which would have the node ask whomever the image
// wants.
type registryOnly struct{ remotes.Fetcher }

func (o registryOnly) Fetch(ctx context.Context, of ocispec.Descriptor) (io.ReadCloser, error) {
	of.URLs = nil
	return o.Fetcher.Fetch(ctx, of)
}
