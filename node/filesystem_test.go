package node

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"fargo/desired"
)

// removing notes what is removed.
type removing struct {
	KeptStorage
	ids []string
}

func (r *removing) Remove(id string) error {
	r.ids = append(r.ids, id)
	return nil
}

func testFileSystems(t *testing.T) (*fileSystems, func(path string) (mode os.FileMode, found bool)) {
	f := newFileSystems(filepath.Join(t.TempDir(), "efs"), &removing{}, slog.New(slog.DiscardHandler))
	return f, func(path string) (os.FileMode, bool) {
		info, err := os.Stat(filepath.Join(f.dir, path))
		if err != nil {
			return 0, false
		}
		return info.Mode().Perm(), true
	}
}

// A directory that may be made is, with all above it; one that may not has to be there, and
// no link leads to it from elsewhere.
func TestFileSystemDirectory(t *testing.T) {
	f, stat := testFileSystems(t)
	own := &desired.DirectoryOwnership{UID: uint32(os.Getuid()), GID: uint32(os.Getgid()), Mode: 0o750}
	prepare := func(m desired.FileSystemMount) error {
		m.FileSystem, m.MissingReason = "fs-1", "missing"
		return f.prepare([]desired.FileSystemMount{m})
	}
	missing := func(err error) bool {
		var e *unmountableError
		return errors.As(err, &e) && e.reason == "missing"
	}
	if err := prepare(desired.FileSystemMount{Directory: "/"}); err != nil {
		t.Fatal(err)
	}
	if err := prepare(desired.FileSystemMount{Directory: "/a/b"}); !missing(err) {
		t.Errorf("a directory that is not there: %v", err)
	}
	for range 2 {
		if err := prepare(desired.FileSystemMount{Directory: "/a/b", Create: own}); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"fs-1/a", "fs-1/a/b"} {
		if mode, _ := stat(path); mode != 0o750 {
			t.Errorf("%s has mode %o", path, mode)
		}
	}
	outside := t.TempDir()
	if err := os.Symlink(outside, filepath.Join(f.dir, "fs-1/out")); err != nil {
		t.Fatal(err)
	}
	for _, create := range []*desired.DirectoryOwnership{nil, own} {
		if err := prepare(desired.FileSystemMount{Directory: "/out", Create: create}); !missing(err) {
			t.Errorf("a link that leads out: %v", err)
		}
	}
	if m := f.mount(&desired.FileSystemMount{FileSystem: "fs-1", Directory: "/../a/./b"}, &desired.MountPoint{Path: "/x"}); m.Beneath != "a/b" {
		t.Errorf("mounted beneath: %q", m.Beneath)
	}
}

// Files go when their file system was deleted, and none else's. It is not mounted again.
func TestDeletedFileSystem(t *testing.T) {
	f, stat := testFileSystems(t)
	mounts := []desired.FileSystemMount{{FileSystem: "fs-1", Directory: "/", MissingReason: "gone"}, {FileSystem: "fs-2", Directory: "/"}}
	if err := f.prepare(mounts); err != nil {
		t.Fatal(err)
	}
	for _, left := range []string{".deleted-fs-0/deep", ".new-1"} {
		if err := os.MkdirAll(filepath.Join(f.dir, left), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f.note([]desired.DeletedFileSystem{{ID: "fs-1"}, {ID: "vol-1"}, {ID: "../efs"}, {ID: ""}, {ID: "."}, {ID: ".."}})
	ended, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { f.run(ended); close(done) }()
	stop := func() { cancel(); <-done }
	defer stop()
	for {
		left, err := filepath.Glob(filepath.Join(f.dir, "*"))
		hidden, _ := filepath.Glob(filepath.Join(f.dir, ".*-*"))
		if err != nil || len(left) == 1 && len(hidden) == 0 {
			break
		}
		if t.Context().Err() != nil {
			t.Fatal(left, hidden)
		}
	}
	if _, ok := stat("fs-2"); !ok {
		t.Error("another's files are gone")
	}
	if err := f.prepare(mounts); err == nil || err.Error() != "gone" {
		t.Errorf("mounted again: %v", err)
	}
	stop()
	if removed := f.kept.(*removing).ids; len(removed) != 1 || removed[0] != "vol-1" {
		t.Errorf("volumes removed: %v", removed)
	}
}
