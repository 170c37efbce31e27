package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

func TestWaitEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	hold(t, path, "build")
	p, err := Find(path)
	if err != nil || p == nil {
		t.Fatal(p, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Wait(ctx) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v, want canceled", err)
	}
}

// A process that does not end by a signal is killed when its grace period is over.
func TestStopKillsWhatDoesNotEnd(t *testing.T) {
	dir := t.TempDir()
	lock := filepath.Join(dir, "lock")
	started, err := start([]string{child, lock, "build", onlyKilled}, filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	p := await(t, lock, 0)
	if err := p.Stop(t.Context(), syscall.SIGTERM, 10*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if how := started.reap(); how != "signal: killed" {
		t.Errorf("it ended by %q", how)
	}
	if err := p.Stop(t.Context(), syscall.SIGTERM, time.Minute); err != nil {
		t.Errorf("stopping what has ended: %v", err)
	}
}

// A log that has grown large is kept, and a new one is begun.
func TestLargeLogIsRotated(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if err := errors.Join(os.WriteFile(log, nil, 0o600), os.Truncate(log, maxLog+1)); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(dir, "lock")
	p, err := start([]string{child, lock, "build", bySignal}, log)
	if err != nil {
		t.Fatal(err)
	}
	await(t, lock, 0)
	if err := p.Stop(t.Context(), syscall.SIGTERM, time.Minute); err != nil {
		t.Fatal(err)
	}
	p.reap()
	if content, err := os.ReadFile(log); err != nil || string(content) != "held\n" {
		t.Errorf("the log has %.40q, %v", content, err)
	}
	if info, err := os.Stat(log + ".1"); err != nil || info.Size() != maxLog+1 {
		t.Errorf("the log before: %v, %v", info, err)
	}
}
