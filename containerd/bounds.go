package containerd

import (
	"errors"
	"fmt"
	"time"

	"fargo/containerd/confined"
)

// What an image may be. Nobody but its author has looked at it.
const (
	// maxDocument is how large a manifest, an index or a configuration may be, in
	// bytes. Source: OCI distribution specification, "Pushing Manifests", which
	// asks registries to take 4 MiB.
	maxDocument = 4 << 20
	// maxElements is how many elements all of its arrays and objects may have
	// together: an empty one takes three bytes there, and a hundred here.
	maxElements = 50_000
	// maxNesting is how many indexes may lead to a manifest.
	maxNesting = 3
	// maxLayers is Docker's, so that no image that works elsewhere has more.
	// Source: Docker's "max depth exceeded".
	maxLayers = 125
	// maxEntries is how many files a layer may have.
	maxEntries = 1_000_000
	// maxAccounts is how large /etc/passwd and /etc/group may be, in bytes.
	maxAccounts = 1 << 20
	// usualRoom is what an image may take when nothing else is said: Fargate's
	// ephemeral storage. Source: ECS developer guide, "Fargate task ephemeral
	// storage".
	usualRoom = 20 << 30
)

const (
	// imageSilence is how long the work on an image may make no progress. A disk
	// that is busy with others is slow, but not that slow.
	imageSilence = 2 * time.Minute
	// unpackers and readers are how many processes may be at work on images at
	// once. Together they bound the memory that images can take of the machine.
	unpackers = 3
	readers   = 8
)

// gib writes a number of bytes as an error does.
func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

// refuse says what about an image is not acceptable.
func refuse(format string, args ...any) error { return confined.Refuse(format, args...) }

// refused reports whether an image is not acceptable.
func refused(err error) bool {
	var refusal confined.Refusal
	return errors.As(err, &refusal)
}
