package containerd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/google/go-cmp/cmp"
)

// An overlay is written into a directory that is empty and has the mode of the one before.
// What is no overlay stays.
func TestWriteInto(t *testing.T) {
	dir := t.TempDir()
	upper, own := filepath.Join(dir, "upper"), filepath.Join(dir, "own")
	if err := os.Mkdir(upper, 0o750); err != nil {
		t.Fatal(err)
	}
	given := []mount.Mount{{Type: "overlay", Source: "overlay", Options: []string{"index=off", "workdir=/w", "upperdir=" + upper, "lowerdir=/l"}}}
	for range 2 {
		got, err := writeInto(given, own)
		if err != nil {
			t.Fatal(err)
		}
		want := []mount.Mount{{Type: "overlay", Source: "overlay", Options: []string{"index=off", "workdir=" + own + "/work", "upperdir=" + own + "/files", "lowerdir=/l"}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		info, err := os.Stat(own + "/files")
		if err != nil || info.Mode().Perm() != 0o750 {
			t.Errorf("%v %v", info, err)
		}
		if err := os.WriteFile(own+"/files/left", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := writeInto(given, own); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(own + "/files/left"); err == nil {
		t.Error("files of the run before are there")
	}
	bind := []mount.Mount{{Type: "bind", Source: "/s"}}
	if got, err := writeInto(bind, own); err != nil || cmp.Diff(bind, got) != "" {
		t.Errorf("%v %v", got, err)
	}
}
