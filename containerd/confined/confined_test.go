package confined

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
)

// open opens a directory as the root of a file system.
func open(t *testing.T, dir string) *os.File {
	t.Helper()
	root, err := os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "secret")
	for path, content := range map[string]string{secret: "secret", filepath.Join(dir, "small"): "small", filepath.Join(dir, "large"): strings.Repeat("x", 11)} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"out": secret, "up": "../../../../.." + secret, "in": "/small", "loop": "loop", "gone": "/nowhere", "through": "/small/x",
		"magic": "/proc/self/exe", "long": strings.Repeat("x/", 2000),
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	hole, err := os.Create(filepath.Join(dir, "hole"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(hole.Truncate(1<<40), hole.Close()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"small": "small", "in": "small", "/../../small": "small",
		"absent": "", "out": "", "up": "", "gone": "", "through": "", "magic": "", "small/x": "",
		"large": "larger than", "hole": "larger than", "fifo": "a FIFO", ".": "a directory", "loop": "leads to itself",
	} {
		content, err := read(open(t, dir), name, 10)
		var refusal Refusal
		switch {
		case err == nil && string(content) != want:
			t.Errorf("%s: %.20q, want %q", name, content, want)
		case err != nil && (!errors.As(err, &refusal) || want == "" || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

// archived is a tar archive of entries.
func archived(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, h.Size)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unpack(t *testing.T, u Unpack, layer []byte) (dir string, progress int, answer Answer, err error) {
	t.Helper()
	dir = t.TempDir()
	u.Root = []mount.Mount{{Type: "bind", Source: dir}}
	answer, err = u.apply(context.Background(), bytes.NewReader(layer), "", func() { progress++ })
	return dir, progress, answer, err
}

func TestUnpackIsBounded(t *testing.T) {
	long := strings.Repeat("n", 200)
	many := func(n int) (all []tar.Header) {
		for i := range n {
			all = append(all, tar.Header{Name: fmt.Sprintf("%s-%d", long, i), Mode: 0o600})
		}
		return all
	}
	file := func(size int64) tar.Header { return tar.Header{Name: "a", Mode: 0o600, Size: size} }
	for _, c := range []struct {
		name  string
		layer []byte
		want  string
	}{
		{"enough", archived(t, many(10)...), ""},
		{"too many", archived(t, many(11)...), "more than 10 files"},
		{"too large", archived(t, file(64<<10)), "no space left on device"},
		{"together too large", archived(t, file(30<<10), file(30<<10)), "no space left on device"},
		{"too much behind", append(archived(t, file(1)), make([]byte, 64<<10)...), "no space left on device"},
		{"no archive", bytes.Repeat([]byte("noise"), 1000), "the layer is damaged"},
	} {
		_, _, answer, err := unpack(t, Unpack{MaxBytes: 40 << 10, MaxEntries: 10}, c.layer)
		var refusal Refusal
		switch {
		case c.want == "" && (err != nil || answer.Digest != digest.FromBytes(c.layer) || answer.Size != int64(len(c.layer))):
			t.Errorf("%s: %+v, %v", c.name, answer, err)
		case c.want != "" && (!errors.As(err, &refusal) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// Work that goes on says so.
func TestUnpackShowsProgress(t *testing.T) {
	_, progress, _, err := unpack(t, Unpack{MaxBytes: 1 << 30, MaxEntries: 10}, archived(t, tar.Header{Name: "a", Mode: 0o600, Size: 5 * progressBytes}))
	if err != nil || progress < 4 {
		t.Errorf("%d, %v", progress, err)
	}
}

// A layer cannot speak to overlayfs in its own words.
func TestNamesOfOverlayAreDropped(t *testing.T) {
	records := map[string]string{
		"SCHILY.xattr.trusted.overlay.redirect": "/", "SCHILY.xattr.user.overlay.opaque": "y", "SCHILY.xattr.user.mine": "1",
	}
	h := tar.Header{Name: "a", PAXRecords: records}
	if _, err := (&entries{max: 1}).accept(&h); err != nil {
		t.Fatal(err)
	}
	if len(h.PAXRecords) != 1 || h.PAXRecords["SCHILY.xattr.user.mine"] != "1" {
		t.Errorf("%v", h.PAXRecords)
	}
}

func TestFillIsMeasured(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, "b"), 1<<40); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		fill Fill
		want string
	}{
		{Fill{MaxBytes: 1 << 40, MaxEntries: 3}, ""},
		{Fill{MaxBytes: 1<<40 - 1, MaxEntries: 3}, "no space left on device"},
		{Fill{MaxBytes: 1 << 40, MaxEntries: 2}, "more than 2 files"},
	} {
		if err := c.fill.measure(dir); c.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.fill, err)
		}
	}
}
