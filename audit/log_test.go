package audit

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func open(t *testing.T, dir string) *Log {
	l, err := Open(dir, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func read(t *testing.T, dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(b)
}

// memory is a file in memory.
type memory struct{ bytes.Buffer }

func (*memory) Close() error { return nil }

// TestAppend: what is written at once, what waits, and what the timer writes.
func TestAppend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file memory
		l := &Log{logger: slog.New(slog.DiscardHandler), files: &file}
		l.Append([]byte("a read"), false)
		if got := file.String(); got != "" {
			t.Errorf("written too early: %q", got)
		}
		l.Append([]byte("a write"), true)
		if got := file.String(); got != "a read\na write\n" {
			t.Errorf("got %q", got)
		}
		l.Append([]byte("another read"), false)
		time.Sleep(maxWaiting)
		synctest.Wait()
		if got := file.String(); !strings.HasSuffix(got, "another read\n") {
			t.Errorf("got %q", got)
		}
		l.Append([]byte("the last"), false)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if got := file.String(); !strings.HasSuffix(got, "the last\n") {
			t.Errorf("got %q", got)
		}
	})
}

// TestMany: reads are written when there are many, without waiting.
func TestMany(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	line := bytes.Repeat([]byte("x"), 1000)
	for range maxBuffered / 1000 {
		l.Append(line, false)
	}
	l.Append(line, false)
	if got := len(read(t, dir)); got < maxBuffered {
		t.Errorf("%d bytes", got)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestTorn: a line that was cut off does not spoil the next one.
func TestTorn(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), []byte("whole\nhal"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := open(t, dir)
	l.Append([]byte("next"), true)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got, want := read(t, dir), "whole\nhal\nnext\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// full is a disk that takes only a part of a line while it is full.
type full struct {
	memory
	part int // -1 when there is room
}

func (f *full) Write(b []byte) (int, error) {
	if f.part < 0 {
		return f.memory.Write(b)
	}
	n, _ := f.memory.Write(b[:min(f.part, len(b))])
	return n, syscall.ENOSPC
}

// TestFullDisk: a log that cannot be written loses lines, says so once, and goes on with
// whole lines.
func TestFullDisk(t *testing.T) {
	for part, want := range map[int]string{0: "kept\n", 3: "los\nlo\nkept\n"} {
		var said bytes.Buffer
		file := &full{part: part}
		l := &Log{logger: slog.New(slog.NewTextHandler(&said, nil)), files: file}
		l.Append([]byte("lost"), true)
		l.Append([]byte("lost too"), true)
		if n := strings.Count(said.String(), "missing"); n != 1 {
			t.Errorf("said %d times: %s", n, &said)
		}
		file.part = -1
		l.Append([]byte("kept"), true)
		if got := file.String(); got != want || !strings.Contains(said.String(), "written again") {
			t.Errorf("got %q, want %q, said %s", got, want, &said)
		}
	}
}
