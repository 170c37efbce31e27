package objects

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"fargo/diskspace"
	"fargo/record"
)

// Config is the configuration of a [Store].
type Config struct {
	// Dir is where the files are. It is made when it does not exist.
	Dir    string
	Logger *slog.Logger
	// Free measures the bytes that are free on the disk; nil is statfs(2).
	Free func() (uint64, error)
}

// reserve is the space on disk that is not filled with objects, in bytes: as much as
// for images.
const reserve = 64 << 20

// Store keeps the files. Its methods may be called by many goroutines.
type Store struct {
	dir    string
	logger *slog.Logger
	space  *diskspace.Gauge

	mu struct {
		sync.Mutex
		// readers are how many read a file now, by its id. removed are those of them
		// that are to be removed when nobody reads them any more.
		readers map[string]int
		removed map[string]bool
	}
}

// Open opens the store in a directory.
func Open(c Config) (*Store, error) {
	s := &Store{dir: filepath.Clean(c.Dir), logger: c.Logger}
	s.mu.readers, s.mu.removed = map[string]int{}, map[string]bool{}
	s.space = diskspace.New(diskspace.Config{Dir: s.dir, What: "objects", Reserve: reserve, Logger: c.Logger, Free: c.Free})
	if err := s.makeDirs(); err != nil {
		return nil, fmt.Errorf("open objects: %w", err)
	}
	return s, nil
}

// makeDirs makes the directories of files, one for each first byte of an id.
func (s *Store) makeDirs() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	for i := range 256 {
		if err := os.Mkdir(filepath.Join(s.dir, hex.EncodeToString([]byte{byte(i)})), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return errors.Join(syncDir(s.dir), syncDir(filepath.Dir(s.dir)))
}

// Writable is nil when something can be written now. Otherwise
// [fargo.ErrNotWritable] holds for the error.
func (s *Store) Writable() error { return s.space.Check() }

func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}

func (s *Store) path(id string) string { return filepath.Join(s.dir, id[:2], id) }

// buffers are for copying; a file system is fastest with large writes.
var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// Write makes all of r a file that is on disk when it returns. What r or the disk fail
// with is the error, and nothing is left then.
func (s *Store) Write(ctx context.Context, r io.Reader) (record.Blob, error) {
	b := record.Blob{ID: newID()}
	f, err := os.OpenFile(s.path(b.ID), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return record.Blob{}, s.failure("write an object", err)
	}
	buffer := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(buffer)
	b.Size, err = io.CopyBuffer(struct{ io.Writer }{f}, &measured{ctx: ctx, r: r, space: s.space.Check}, buffer[:])
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = syncDir(filepath.Dir(f.Name()))
	}
	if err != nil {
		return record.Blob{}, errors.Join(s.failure("write an object", err), os.Remove(f.Name()))
	}
	return b, nil
}

// failure is the error for one of the disk: that the disk is full, when it is.
func (s *Store) failure(what string, err error) error {
	if full := s.space.Check(); full != nil {
		return full
	}
	return fmt.Errorf("%s: %w", what, err)
}

// measured is a reader that ends with an error when the disk is full, or when ctx is
// done.
type measured struct {
	ctx   context.Context //nolint:containedctx // of one call
	r     io.Reader
	space func() error
	left  int // bytes until the free space is measured again
}

// checkInterval is the bytes between two measurements of the free space.
const checkInterval = 4 << 20

// Read implements [io.Reader].
func (m *measured) Read(p []byte) (int, error) {
	if m.left <= 0 {
		if err := errors.Join(m.ctx.Err(), m.space()); err != nil {
			return 0, err
		}
		m.left = checkInterval
	}
	n, err := m.r.Read(p)
	m.left -= n
	return n, err
}

// Link makes a file with the contents of another, which must not be removed meanwhile:
// have a [Reader] of it. It takes no space where the file system has hard links.
func (s *Store) Link(ctx context.Context, from record.Blob) (record.Blob, error) {
	b := record.Blob{ID: newID(), Size: from.Size}
	if err := os.Link(s.path(from.ID), s.path(b.ID)); err != nil {
		// The file has as many names as the file system allows, or there are none.
		r, err := s.Read([]record.Blob{from}, 0, from.Size)
		if err != nil {
			return record.Blob{}, err
		}
		defer r.Close()
		return s.Write(ctx, r)
	}
	if err := syncDir(filepath.Dir(s.path(b.ID))); err != nil {
		return record.Blob{}, s.failure("copy an object", err)
	}
	return b, nil
}

// Remove removes files that no record names any more, each when nobody reads it. What
// cannot be removed is logged, and collected later.
func (s *Store) Remove(blobs ...record.Blob) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range blobs {
		if s.mu.readers[b.ID] > 0 {
			s.mu.removed[b.ID] = true
		} else {
			s.unlink(b.ID)
		}
	}
}

func (s *Store) unlink(id string) {
	if err := os.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.logger.Warn("objects: cannot remove a file", "path", s.path(id), "err", err)
	}
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", path, err)
	}
	return nil
}
