package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// fileSystems are the folders of file systems: those of tasks' volumes, each by its id. It
// has them while they are not deleted, whether any task mounts them or not. Volumes that
// were kept and are deleted go with them.
//
//	<id>         the root of a file system, made when it is first mounted
//	.new-…       a directory being made
//	.deleted-…   a file system being removed
type fileSystems struct {
	dir    string
	kept   KeptStorage
	log    *slog.Logger
	making sync.Mutex // one directory at a time is looked for, and made
	wakeUp chan struct{}

	mu struct {
		sync.Mutex
		deleted map[string]bool // all that we know of, by id
		files   []string        // ids of those whose files may be there yet
	}
}

func newFileSystems(dir string, kept KeptStorage, log *slog.Logger) *fileSystems {
	f := &fileSystems{dir: dir, kept: kept, log: log, wakeUp: make(chan struct{}, 1)}
	f.mu.deleted = map[string]bool{}
	return f
}

// unmountableError is why a volume can never be mounted, in Fargate's words.
type unmountableError struct {
	reason string
	block  bool // it is a [desired.BlockVolume]
}

func (e *unmountableError) Error() string { return e.reason }

// prepare makes the directories that a task mounts, as far as they are to be made.
func (f *fileSystems) prepare(mounts []desired.FileSystemMount) error {
	f.making.Lock()
	defer f.making.Unlock()
	for i := range mounts {
		if err := f.prepareOne(&mounts[i]); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileSystems) prepareOne(m *desired.FileSystemMount) error {
	if f.isDeleted(m.FileSystem) {
		return &unmountableError{reason: m.MissingReason}
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(f.root(m.FileSystem), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	root, err := os.OpenRoot(f.root(m.FileSystem)) // no name leads out of it
	if err != nil {
		return err
	}
	defer root.Close()
	directory := beneath(m.Directory)
	for at := range ancestors(directory) {
		info, err := root.Stat(at)
		switch {
		case err == nil && info.IsDir():
			continue
		case errors.Is(err, fs.ErrNotExist) && m.Create != nil:
			if err := f.makeDirectory(root, at, m.Create); err != nil {
				return fmt.Errorf("make %s in file system %s: %w", m.Directory, m.FileSystem, err)
			}
		default: // not there, no directory, or a link that leads out
			return &unmountableError{reason: m.MissingReason}
		}
	}
	return nil
}

// makeDirectory makes a directory below one that is there: it has its owner and mode from
// the moment it is seen.
func (f *fileSystems) makeDirectory(root *os.Root, name string, as *desired.DirectoryOwnership) error {
	made := filepath.Join(f.dir, ".new-"+rand.Text())
	if err := os.Mkdir(made, 0o700); err != nil {
		return err
	}
	defer os.Remove(made) // unless it was moved
	if err := errors.Join(os.Chown(made, int(as.UID), int(as.GID)), unix.Chmod(made, as.Mode&0o7777)); err != nil {
		return err
	}
	parent, err := root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer parent.Close()
	return unix.Renameat(unix.AT_FDCWD, made, int(parent.Fd()), path.Base(name))
}

// beneath is an absolute path as one below the root.
func beneath(directory string) string {
	return path.Clean(strings.TrimPrefix(path.Clean("/"+directory), "/"))
}

// ancestors are a relative path and those above it, from the top.
func ancestors(name string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := range len(name) {
			if name[i] == '/' && !yield(name[:i]) {
				return
			}
		}
		yield(name)
	}
}

func (f *fileSystems) root(id string) string { return filepath.Join(f.dir, id) }

// mount is how a container mounts a volume.
func (f *fileSystems) mount(v *desired.FileSystemMount, m *desired.MountPoint) host.Mount {
	return host.Mount{
		Source: f.root(v.FileSystem), Beneath: beneath(v.Directory), Target: m.Path, ReadOnly: m.ReadOnly || v.ReadOnly,
		Owner: v.User, SquashRoot: v.SquashRoot,
	}
}

func (f *fileSystems) isDeleted(id string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.deleted[id]
}

// note takes note of the file systems that were deleted: none of them is mounted from now
// on. [fileSystems.run] removes their files.
func (f *fileSystems) note(deleted []desired.DeletedFileSystem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range deleted {
		if !f.mu.deleted[d.ID] {
			f.mu.deleted[d.ID] = true
			f.mu.files = append(f.mu.files, d.ID)
			wake(f.wakeUp)
		}
	}
}

// run removes the files of file systems that were deleted, until ctx ends.
func (f *fileSystems) run(ctx context.Context) {
	for {
		f.mu.Lock()
		deleted := f.mu.files
		f.mu.files = nil
		f.mu.Unlock()
		for _, id := range deleted {
			f.putAside(id)
		}
		f.sweep(ctx)
		select {
		case <-ctx.Done():
			return
		case <-f.wakeUp:
		}
	}
}

// putAside takes the root of a file system away, if it is there: who has mounted it finds
// its files until they are gone.
func (f *fileSystems) putAside(id string) {
	if id == "" || filepath.Base(id) != id || strings.HasPrefix(id, ".") {
		return // no file system of ours
	}
	f.making.Lock()
	defer f.making.Unlock()
	err := os.Rename(f.root(id), filepath.Join(f.dir, ".deleted-"+id))
	if errors.Is(err, fs.ErrNotExist) {
		err = f.kept.Remove(id)
	}
	if err != nil {
		f.log.Error("the files of a deleted file system stay until the node is started again", "fileSystem", id, "err", err)
	}
}

// sweep removes what was left in the making or in removal.
func (f *fileSystems) sweep(ctx context.Context) {
	f.making.Lock()
	made, _ := filepath.Glob(filepath.Join(f.dir, ".new-*"))
	deleted, _ := filepath.Glob(filepath.Join(f.dir, ".deleted-*"))
	f.making.Unlock()
	for _, path := range append(made, deleted...) {
		if ctx.Err() != nil {
			return
		}
		if err := RemoveAll(path); err != nil {
			f.log.Error("removing the files of a deleted file system", "path", path, "err", err)
		}
	}
}
