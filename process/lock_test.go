package process

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestLockIsHeldByOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if _, held, err := holderOf(path); held || err != nil {
		t.Fatalf("a lock nobody made: held=%v err=%v", held, err)
	}
	other, _ := hold(t, path, "other build")

	h, held, err := holderOf(path)
	if want := (Holder{PID: other.Process.Pid, Build: "other build"}); !held || err != nil || h != want {
		t.Errorf("holder is %+v (%v, %v), want %+v", h, held, err, want)
	}
	var inUse HeldError
	if _, err := Acquire(path, "mine"); !errors.As(err, &inUse) || inUse.PID != other.Process.Pid {
		t.Errorf("Acquire: %v, want held by %d", err, other.Process.Pid)
	}
}

// A build has a command line in it, which may be long.
func TestLongBuildIsReadWhole(t *testing.T) {
	path, build := filepath.Join(t.TempDir(), "lock"), strings.Repeat("--allow-registry registry.example ", 1000)
	hold(t, path, build)
	if h, _, err := holderOf(path); err != nil || h.Build != build {
		t.Errorf("%d bytes of the build, want %d: %v", len(h.Build), len(build), err)
	}
}

func TestLockIsFreeAfterItsHolderIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	other, _ := hold(t, path, "other build")
	p, err := Find(path)
	if err != nil || p == nil {
		t.Fatalf("Find: %v, %v", p, err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	l, err := Acquire(path, "mine")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// What the dead process wrote into the file is not believed.
	if h, held, err := holderOf(path); held || err != nil {
		t.Errorf("after release: held by %+v, %v", h, err)
	}
}
