//go:build e2e

package kernel

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// A file system has the room that it was made with, is made once, and goes with all that
// belongs to it, also when nobody knows of it any more.
func TestStorage(t *testing.T) {
	s := &Storage{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}
	const size = 64 << 20
	for range 2 {
		for _, id := range []string{"a", "b"} {
			if err := s.Make(t.Context(), id, size); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(s.Path("a"), "kept"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Create(filepath.Join(s.Path("a"), "large"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := unix.Fallocate(int(file.Fd()), 0, 0, size); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("more than it has: %v", err)
	}
	if err := os.WriteFile(filepath.Join(s.Path("b"), "other"), make([]byte, 1<<20), 0o600); err != nil {
		t.Error(err)
	}
	file.Close()
	again := &Storage{Dir: s.Dir, Logger: s.Logger} // after a crash
	if err := again.Sweep(map[string]bool{"b": true, "a": false}); err != nil {
		t.Fatal(err)
	}
	again.Wait()
	if mounted, _ := isMountPoint(s.Path("b")); !mounted {
		t.Error("one in use is gone")
	}
	again.Drop("b")
	again.Wait()
	left, err := filepath.Glob(filepath.Join(s.Dir, "*"))
	if err != nil || len(left) != 1 || filepath.Ext(left[0]) != ".empty" {
		t.Errorf("left: %v %v", left, err)
	}
}
