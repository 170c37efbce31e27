//go:build e2e

package kernel

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// What is put into a directory in memory is on no disk, and stays when it is asked for
// again.
func TestMemoryDir(t *testing.T) {
	below := t.TempDir()
	already, err := inMemory(below) // then there is nothing to mount
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(below, "secrets")
	t.Cleanup(func() {
		if already {
			return
		}
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
			t.Errorf("on the disk is %v, %v", entries, err)
		}
	})
	for i := range 2 {
		if err := MemoryDir(dir); err != nil {
			t.Fatal(err)
		}
		if in, err := inMemory(dir); err != nil || !in {
			t.Fatalf("in memory: %t, %v", in, err)
		}
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		path := filepath.Join(dir, "file")
		if i == 0 {
			err = os.WriteFile(path, []byte("secret"), 0o600)
		} else {
			_, err = os.ReadFile(path)
		}
		if err != nil {
			t.Error(err)
		}
	}
}
