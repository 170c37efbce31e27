package objects_test

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fargo"
	"fargo/objects"
	"fargo/record"
)

func open(t testing.TB, free func() (uint64, error)) *objects.Store {
	t.Helper()
	s, err := objects.Open(objects.Config{Dir: filepath.Join(t.TempDir(), "objects"), Logger: slog.New(slog.DiscardHandler), Free: free})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t testing.TB, s *objects.Store, text string) record.Blob {
	t.Helper()
	b, err := s.Write(t.Context(), strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t testing.TB, s *objects.Store, blobs []record.Blob, offset, size int64) string {
	t.Helper()
	r, err := s.Read(blobs, offset, size)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

// Any range of contents in any number of files is what the same range of all bytes is,
// by either way of reading.
func TestRanges(t *testing.T) {
	s := open(t, nil)
	rapid.Check(t, func(rt *rapid.T) {
		var all []byte
		var blobs []record.Blob
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 300), 0, 5).Draw(rt, "sizes") {
			part := make([]byte, n)
			for i := range part {
				part[i] = byte(rand.Uint32())
			}
			all = append(all, part...)
			blobs = append(blobs, write(t, s, string(part)))
		}
		from := rapid.IntRange(0, len(all)).Draw(rt, "from")
		to := rapid.IntRange(from, len(all)).Draw(rt, "to")
		if got := read(t, s, blobs, int64(from), int64(to-from)); got != string(all[from:to]) {
			rt.Fatalf("read %q, want %q", got, all[from:to])
		}
		r, err := s.Read(blobs, int64(from), int64(to-from))
		if err != nil {
			rt.Fatal(err)
		}
		defer r.Close()
		var b bytes.Buffer
		if n, err := r.WriteTo(&b); err != nil || int(n) != to-from || b.String() != string(all[from:to]) {
			rt.Fatalf("written %q, %d, %v, want %q", b.String(), n, err, all[from:to])
		}
	})
}

// What is read is not removed before it was read.
func TestRemoveWhileReading(t *testing.T) {
	s := open(t, nil)
	blobs := []record.Blob{write(t, s, "first "), write(t, s, "second")}
	r, err := s.Read(blobs, 0, 12)
	if err != nil {
		t.Fatal(err)
	}
	s.Remove(blobs...)
	all, err := io.ReadAll(r)
	if err != nil || string(all) != "first second" {
		t.Errorf("%q, %v", all, err)
	}
	if !s.Exists(blobs[0]) {
		t.Error("removed while it was read")
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	for _, b := range blobs {
		if s.Exists(b) {
			t.Error("not removed when nobody reads any more")
		}
	}
	if _, err := s.Read(blobs, 0, 12); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("read what was removed: %v", err)
	}
}

// A copy is independent of what it is of.
func TestLink(t *testing.T) {
	s := open(t, nil)
	from := write(t, s, "contents")
	to, err := s.Link(t.Context(), from)
	if err != nil || to.ID == from.ID {
		t.Fatal(to, err)
	}
	s.Remove(from)
	if got := read(t, s, []record.Blob{to}, 0, to.Size); got != "contents" {
		t.Errorf("%q", got)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// What cannot be written to its end leaves nothing.
func TestWriteFails(t *testing.T) {
	free := uint64(1 << 30)
	dir := filepath.Join(t.TempDir(), "objects")
	s, err := objects.Open(objects.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler), Free: func() (uint64, error) { return free, nil }})
	if err != nil {
		t.Fatal(err)
	}
	want := errors.New("the client has left")
	if _, err := s.Write(t.Context(), io.MultiReader(strings.NewReader("begun"), failing{want})); !errors.Is(err, want) {
		t.Errorf("%v", err)
	}
	free = 1 << 20
	if _, err := s.Write(t.Context(), strings.NewReader("text")); !errors.Is(err, fargo.ErrNotWritable) {
		t.Errorf("the disk is full: %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*", "*")); err != nil || len(files) > 0 {
		t.Errorf("left: %v, %v", files, err)
	}
}

// Only what no record names and what was not written lately is collected; what is not
// ours stays.
func TestCollect(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "objects")
	s, err := objects.Open(objects.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	named, unnamed := write(t, s, "named"), write(t, s, "unnamed")
	other := filepath.Join(dir, "00", "lost+found")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	records := func() iter.Seq[record.Blob] { return slices.Values([]record.Blob{named}) }
	if n, err := s.Collect(t.Context(), time.Now().Add(-time.Minute), records); n != 0 || err != nil {
		t.Errorf("young: %d, %v", n, err)
	}
	if n, err := s.Collect(t.Context(), time.Now().Add(time.Minute), records); n != 1 || err != nil {
		t.Errorf("old: %d, %v", n, err)
	}
	if _, err := os.Stat(other); err != nil || !s.Exists(named) || s.Exists(unnamed) {
		t.Errorf("named %v, unnamed %v, other %v", s.Exists(named), s.Exists(unnamed), err)
	}
}
