package audit

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// files are the contents of those in a directory, by name.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		f, err := os.Open(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		var r io.Reader = f
		if filepath.Ext(e.Name()) == compressedSuffix {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		b, err := io.ReadAll(r)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

func write(t *testing.T, dir string, contents map[string]string) {
	t.Helper()
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Full files are compressed, also those that were half compressed before; the one that is
// written to is not, and nothing that has another name.
func TestCompress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		write(t, dir, map[string]string{
			"events.jsonl": "now\n", "events-2026-11-30T10-00-00.000.jsonl": "a\n", "events-2026-11-30T10-00-00.000.jsonl.new": "half", "note.txt": "x",
		})
		l := &Log{dir: dir, logger: slog.New(slog.DiscardHandler)}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- l.Run(ctx) }()
		synctest.Wait()
		write(t, dir, map[string]string{"events-2026-11-30T11-00-00.000.jsonl": "b\n"})
		time.Sleep(compressEvery)
		synctest.Wait()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		want := map[string]string{
			"events.jsonl": "now\n", "events-2026-11-30T10-00-00.000.jsonl.gz": "a\n", "events-2026-11-30T11-00-00.000.jsonl.gz": "b\n", "note.txt": "x",
		}
		if diff := cmp.Diff(want, files(t, dir)); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
	})
}

// One that has no time left leaves the file as it was.
func TestCompressEnds(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"events-1.jsonl": "a\n"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := compressFull(ctx, dir); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if diff := cmp.Diff(map[string]string{"events-1.jsonl": "a\n"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
