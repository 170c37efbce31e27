package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A tree that is deeper than files may be open is removed, with all its branches,
// and what its links lead to stays.
func TestRemoveAllOfADeepTree(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	few := limit
	few.Cur = 1000
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &few); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}()
	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tree := filepath.Join(dir, "tree")
	for _, branch := range []string{"a", "b"} {
		at := filepath.Join(tree, branch)
		if err := os.MkdirAll(at, 0o700); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Open(at, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		for range 3000 {
			if err == nil {
				err = errors.Join(unix.Mkdirat(fd, "d", 0o700), unix.Symlinkat(dir, fd, "link"))
			}
			if err != nil {
				t.Fatal(err)
			}
			var next int
			next, err = unix.Openat(fd, "d", unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			err = errors.Join(err, unix.Close(fd))
			fd = next
		}
		if err := errors.Join(err, unix.Close(fd)); err != nil {
			t.Fatal(err)
		}
	}
	if err := RemoveAll(tree); err != nil {
		t.Errorf("%.300v", err)
	}
	if _, err := os.Lstat(tree); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left: %v", err)
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
}
