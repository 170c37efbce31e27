//go:build e2e

package kernel

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"fargo/desired"
)

// A volume has the file system and the size that were asked for, is made once, and goes
// with all that belongs to it.
func TestVolume(t *testing.T) {
	for kind, magic := range map[string]int64{"xfs": unix.XFS_SUPER_MAGIC, "ext4": unix.EXT4_SUPER_MAGIC, "ext3": unix.EXT3_SUPER_MAGIC} {
		t.Run(kind, func(t *testing.T) {
			s := &Storage{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
			v := &desired.BlockVolume{ID: "vol-1", Size: 1 << 30, FileSystem: kind}
			for i := range 2 {
				if err := s.MakeVolume(t.Context(), v); err != nil {
					t.Fatal(err)
				}
				kept := filepath.Join(s.Path("vol-1"), "kept")
				if _, err := os.Stat(kept); (err == nil) != (i > 0) {
					t.Errorf("the second time: %v", err)
				}
				if err := os.WriteFile(kept, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var has unix.Statfs_t
			if err := unix.Statfs(s.Path("vol-1"), &has); err != nil {
				t.Fatal(err)
			}
			if size := int64(has.Blocks) * has.Bsize; has.Type != magic || size < 900<<20 || size > 1<<30 {
				t.Errorf("a file system of type %x and %d bytes", has.Type, size)
			}
			written(t, s, "vol-1", int64(has.Blocks)*has.Bsize)
			fill(t, filepath.Join(s.Path("vol-1"), "large"))
			again := &Storage{Dir: s.Dir, Logger: s.Logger} // after a crash
			if err := again.Sweep(map[string]bool{}); err != nil {
				t.Fatal(err)
			}
			again.Wait()
			nothingLeft(t, s.Dir)
		})
	}
}

// written checks that what is written into a volume is in use of it.
func written(t *testing.T, s *Storage, id string, want int64) {
	t.Helper()
	before, size, err := s.Usage(id)
	if err != nil || size != want {
		t.Errorf("it has %d bytes, not %d, %v", size, want, err)
	}
	if err := os.WriteFile(filepath.Join(s.Path(id), "written"), make([]byte, 8<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	after, _, err := s.Usage(id)
	if used := after - before; err != nil || used < 8<<20 || used > 9<<20 {
		t.Errorf("8 MiB are %d bytes, %v", used, err)
	}
}

// fill asks for more room than there is.
func fill(t *testing.T, path string) {
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = unix.Fallocate(int(file.Fd()), 0, 0, 1<<30)
	if !errors.Is(err, unix.ENOSPC) && !errors.Is(err, unix.EOPNOTSUPP) { // ext3 has none
		t.Errorf("more than it has: %v", err)
	}
}

// nothingLeft checks that no file is left below a directory, nor a loop device of one.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
	files, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if of := filepath.Dir(string(b)); of == dir {
			t.Errorf("a loop device is left: %s", b)
		}
	}
}

// A volume that is kept outlives its mount, with what is in it, until it is removed.
func TestKeptVolume(t *testing.T) {
	s := &Storage{Dir: t.TempDir(), Keep: true, Logger: slog.New(slog.DiscardHandler)}
	v := &desired.BlockVolume{ID: "vol-1", Size: 1 << 30, FileSystem: "xfs", Keep: true}
	if err := s.MakeVolume(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	written := filepath.Join(s.Path("vol-1"), "kept")
	if err := os.WriteFile(written, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Drop("vol-1")
	s.Wait()
	if _, err := os.Stat(s.Path("vol-1")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still mounted: %v", err)
	}
	if err := s.Sweep(nil); err != nil {
		t.Fatal(err)
	}
	s.Wait()
	if err := s.MakeVolume(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(written); err != nil {
		t.Error(err)
	}
	if err := s.Remove("vol-1"); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, s.Dir)
}

// What this machine cannot have is told apart from what may work later; what was cut short
// in the making leaves nothing.
func TestImpossibleVolume(t *testing.T) {
	s := &Storage{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	for _, v := range []desired.BlockVolume{{ID: "vol-1", Size: 1 << 30, FileSystem: "ntfs"}, {ID: "vol-2", Size: 1 << 62, FileSystem: "xfs"}} {
		if err := s.MakeVolume(t.Context(), &v); !errdefs.IsNotImplemented(err) {
			t.Errorf("%+v: %v", v, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.MakeVolume(ended, &desired.BlockVolume{ID: "vol-3", Size: 1 << 30, FileSystem: "xfs"}); err == nil || errdefs.IsNotImplemented(err) {
		t.Errorf("cut short: %v", err)
	}
	if err := s.Sweep(nil); err != nil {
		t.Fatal(err)
	}
	s.Wait()
	nothingLeft(t, s.Dir)
}
