package process

import (
	"context"
	"log/slog"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// supervisorOf supervises a child in dir, and ends it with the test.
func supervisorOf(t *testing.T, dir, build string) *Supervisor {
	t.Helper()
	lock := filepath.Join(dir, "lock")
	s := &Supervisor{
		Name: "test", Lock: lock, Log: filepath.Join(dir, "log"),
		Args: []string{child, lock, build, bySignal}, Build: build,
		Grace: time.Minute, Logger: slog.New(slog.DiscardHandler),
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// What is killed is started again, and what runs outlives its supervisor.
func TestSupervisorKeepsItsProcessRunning(t *testing.T) {
	s := supervisorOf(t, t.TempDir(), "one")
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error)
	go func() { ran <- s.Run(ctx) }()
	pid := 0
	for range 3 {
		p := await(t, s.Lock, pid)
		pid = p.PID()
		if err := p.Signal(syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	last := await(t, s.Lock, pid)
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	if p, err := Find(s.Lock); err != nil || p == nil || p.PID() != last.PID() {
		t.Errorf("after its supervisor: %v, %v", p, err)
	}
}

func TestSupervisorAdoptsItsBuildAndReplacesOthers(t *testing.T) {
	dir := t.TempDir()
	started, err := supervisorOf(t, dir, "one").ensure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	await(t, filepath.Join(dir, "lock"), 0)
	adopted, err := supervisorOf(t, dir, "one").ensure(t.Context())
	if err != nil || adopted.PID() != started.PID() {
		t.Fatalf("adopted %v, started %v: %v", adopted, started, err)
	}
	replaced, err := supervisorOf(t, dir, "two").ensure(t.Context())
	if err != nil || replaced.PID() == started.PID() {
		t.Fatalf("%v was not replaced: %v", replaced, err)
	}
	if how := started.reap(); how != "signal: terminated" {
		t.Errorf("the one of another build ended by %q", how)
	}
	if p := await(t, filepath.Join(dir, "lock"), 0); p.PID() != replaced.PID() || p.Build != "two" {
		t.Errorf("%+v runs", p)
	}
}

// Replace leaves no room for a process that is about to start.
func TestReplaceTakesTheLock(t *testing.T) {
	s := supervisorOf(t, t.TempDir(), "one")
	if _, err := s.ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, s.Lock, 0)
	lock, err := s.Replace(t.Context(), "down")
	if err != nil {
		t.Fatal(err)
	}
	late, err := start(s.Args, s.Log)
	if err != nil {
		t.Fatal(err)
	}
	if err := late.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if how := late.reap(); how != "exit status 1" {
		t.Errorf("a process that started meanwhile ended by %q", how)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
}
