package confined

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"syscall"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/content/proxy"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/pkg/archive"
	"github.com/containerd/containerd/v2/pkg/archive/compression"
	"github.com/containerd/containerd/v2/pkg/dialer"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	// progressBytes and progressEntries are after how much of a layer there is a
	// sign of progress.
	progressBytes   = 8 << 20
	progressEntries = 500
	// spare is what unpacking leaves free of a file system, for all others who
	// write to it.
	spare = 512 << 20
	// maxNames is how long all names in a layer may be together, in bytes.
	maxNames = 128 << 20
)

func (u *Unpack) serve(ctx context.Context, at string, progress func()) (Answer, error) {
	connection, err := grpc.NewClient(dialer.DialAddress(u.Containerd),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(dialer.ContextDialer))
	if err != nil {
		return Answer{}, err
	}
	defer connection.Close()
	ctx = namespaces.WithNamespace(ctx, u.Namespace)
	blob, err := proxy.NewContentStore(connection).ReaderAt(ctx, u.Layer)
	if err != nil {
		return Answer{}, err
	}
	defer blob.Close()
	return u.apply(ctx, content.NewReader(blob), at, progress)
}

// apply unpacks a layer, compressed or not, and reads it to its end.
func (u *Unpack) apply(ctx context.Context, layer io.Reader, at string, progress func()) (Answer, error) {
	root, options, err := u.target(at)
	if err != nil {
		return Answer{}, err
	}
	source := &remembering{from: layer}
	plain, err := compression.DecompressStream(source)
	if err != nil {
		return Answer{}, source.blame(err)
	}
	defer plain.Close()
	archived := &counted{from: plain, hash: digest.Canonical.Digester(), max: u.MaxBytes, root: root, progress: progress}
	entries := &entries{max: u.MaxEntries, maxSize: u.MaxBytes, progress: progress}
	if _, err := archive.Apply(ctx, root, archived, append(options, archive.WithFilter(entries.accept))...); err != nil {
		return Answer{}, source.blame(err)
	}
	// What follows the archive is part of what the digest is of.
	if _, err := io.Copy(io.Discard, archived); err != nil {
		return Answer{}, source.blame(err)
	}
	return Answer{Digest: archived.hash.Digest(), Size: archived.size}, nil
}

// remembering is a reader that remembers its own failure.
type remembering struct {
	from io.Reader
	err  error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
}

// blame tells a layer that is no archive, whose author is to blame, from one that
// could not be read or written.
func (r *remembering) blame(err error) error {
	var refusal Refusal
	var system syscall.Errno
	if r.err != nil || errors.As(err, &system) || errors.As(err, &refusal) {
		return err
	}
	return Refuse("the layer is damaged: %v", err)
}

// target is the directory that a layer is to be unpacked into, and how. What is
// not mounted needs not be: nobody else uses it yet.
func (u *Unpack) target(at string) (root string, options []archive.ApplyOpt, err error) {
	if len(u.Root) == 1 {
		switch m := u.Root[0]; m.Type {
		case "bind":
			return m.Source, nil, nil
		case "overlay":
			// Into the uppermost directory, with deletions as overlayfs has them.
			options = []archive.ApplyOpt{archive.WithConvertWhiteout(archive.OverlayConvertWhiteout)}
			for _, o := range m.Options {
				if upper, ok := strings.CutPrefix(o, "upperdir="); ok {
					root = upper
				}
				if lower, ok := strings.CutPrefix(o, "lowerdir="); ok {
					options = append(options, archive.WithParents(strings.Split(lower, ":")))
				}
			}
			if root != "" {
				return root, options, nil
			}
		}
	}
	if err := mount.All(u.Root, at); err != nil {
		return "", nil, fmt.Errorf("mount what the layer goes into: %w", err)
	}
	return at, nil, nil
}

// counted is a reader that bounds and digests what is read, and watches how full
// the file system gets.
type counted struct {
	from     io.Reader
	hash     digest.Digester
	size     int64
	max      int64
	told     int64 // of size
	root     string
	progress func()
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.hash.Hash().Write(p[:n])
	if c.size += int64(n); c.size > c.max {
		return n, tooLarge(c.max)
	}
	if c.size-c.told >= progressBytes {
		c.told = c.size
		c.progress()
		if err := enough(c.root); err != nil {
			return n, err
		}
	}
	return n, err
}

func tooLarge(max int64) error {
	return Refuse("no space left on device: when unpacked, the layer has more than the %d MiB that are left for it", max>>20)
}

// enough fails when a file system is as good as full.
func enough(root string) error {
	var stat unix.Statfs_t
	if err := unix.Statfs(root, &stat); err != nil {
		return err
	}
	if stat.Bavail*uint64(stat.Bsize) < spare {
		return Refuse("no space left on device: the machine's disk is full")
	}
	return nil
}

// entries bounds what an archive has in it.
type entries struct {
	count, max int
	names      int
	// size is what all files say they have. An archive with holes is smaller than
	// what it unpacks to.
	size, maxSize int64
	progress      func()
}

func (e *entries) accept(header *tar.Header) (bool, error) {
	if e.count++; e.count > e.max {
		return false, Refuse("the layer has more than %d files", e.max)
	}
	if header.Size < 0 || header.Size > e.maxSize-e.size {
		return false, tooLarge(e.maxSize)
	}
	e.size += header.Size
	e.names += len(header.Name) + len(header.Linkname)
	for key, value := range header.PAXRecords {
		e.names += len(key) + len(value)
	}
	if e.names > maxNames {
		return false, Refuse("the names in the layer are longer than %d MiB together", maxNames>>20)
	}
	if e.count%progressEntries == 0 {
		e.progress()
	}
	// What overlayfs keeps for itself would turn directories into others, or
	// files into what they are not. Source: the kernel's overlayfs.rst.
	maps.DeleteFunc(header.PAXRecords, func(key, _ string) bool {
		name, is := strings.CutPrefix(key, "SCHILY.xattr.")
		return is && (strings.HasPrefix(name, "trusted.overlay.") || strings.HasPrefix(name, "user.overlay."))
	})
	return true, nil
}
