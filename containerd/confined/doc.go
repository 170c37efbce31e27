// Package confined does what has to be done inside of images in a process of its
// own, for nothing that an image holds can be trusted: it reads the files that
// name users, fills volumes, and unpacks layers.
//
// The process lives for one [Request]. It has its own mount namespace, so that
// what it mounts ends with it; a limit on its memory, and it is what the kernel
// ends first when the machine has none left; and it ends when the one who asked
// does. What takes too long is killed by the one who asked.
//
// It knows bounds and refuses what exceeds them. It refuses to know containers,
// registries and what its answers are for.
package confined

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Request is what a process is to do: the one of the fields that is set.
type Request struct {
	// At is an empty directory of ours, where the process may mount for itself.
	At       string    `json:"at"`
	Accounts *Accounts `json:"accounts,omitempty"`
	Fill     *Fill     `json:"fill,omitempty"`
	Unpack   *Unpack   `json:"unpack,omitempty"`
}

// Accounts asks for /etc/passwd and /etc/group of a file system.
type Accounts struct {
	Root []mount.Mount `json:"root"`
	// MaxBytes of each file.
	MaxBytes int64 `json:"maxBytes"`
}

// Fill asks that directories of the machine, which are empty, get what the file
// system has at certain paths: files, owners and modes.
type Fill struct {
	Root []mount.Mount `json:"root"`
	// To are the directories, by the path in the file system that they are
	// filled from. A path that is not there, or is no directory, gives nothing.
	To map[string]string `json:"to"`
	// MaxBytes and MaxEntries are of each directory, files counted by their
	// sizes, holes included.
	MaxBytes   int64 `json:"maxBytes"`
	MaxEntries int   `json:"maxEntries"`
}

// Unpack asks that a layer is applied to a file system.
type Unpack struct {
	// Containerd is the socket of the containerd whose content store has the
	// layer, in Namespace.
	Containerd string             `json:"containerd"`
	Namespace  string             `json:"namespace"`
	Layer      ocispec.Descriptor `json:"layer"`
	Root       []mount.Mount      `json:"root"`
	// MaxBytes is what the layer may have when it is decompressed, MaxEntries
	// how many files.
	MaxBytes   int64 `json:"maxBytes"`
	MaxEntries int   `json:"maxEntries"`
}

// Answer is what came of a request.
type Answer struct {
	// Passwd and Group are what Accounts asked for; empty when there are none.
	Passwd []byte `json:"passwd,omitempty"`
	Group  []byte `json:"group,omitempty"`

	// Digest and Size are of the layer as a tar archive.
	Digest digest.Digest `json:"digest,omitempty"`
	Size   int64         `json:"size,omitempty"`
}

// Refusal says what about an image is not acceptable. Trying again changes
// nothing.
type Refusal string

// Error is the text.
func (r Refusal) Error() string { return string(r) }

// Refuse makes a [Refusal].
func Refuse(format string, args ...any) error { return Refusal(fmt.Sprintf(format, args...)) }

// message is what a process writes to its output, one JSON value after another:
// signs that it makes progress, and then its answer or its failure.
type message struct {
	Answer  *Answer `json:"answer,omitempty"`
	Error   string  `json:"error,omitempty"`
	Refused bool    `json:"refused,omitempty"` // Error is of a [Refusal]
}
