package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMain lets this test binary be the other process that holds a lock.
func TestMain(m *testing.M) {
	if path := os.Getenv("TEST_HOLD_LOCK"); path != "" {
		if _, err := acquire(path, "other build"); err != nil {
			panic(err)
		}
		os.Stdout.WriteString("held\n")
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// hold starts a process that holds the lock until its stdin is closed.
func hold(t *testing.T, path string) (*exec.Cmd, io.Closer) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_HOLD_LOCK="+path)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	return cmd, stdin
}

func TestLockIsHeldByOneProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	if _, held, err := holderOf(path); held || err != nil {
		t.Fatalf("a lock nobody made: held=%v err=%v", held, err)
	}
	other, _ := hold(t, path)

	h, held, err := holderOf(path)
	if want := (holder{PID: other.Process.Pid, Build: "other build"}); !held || err != nil || h != want {
		t.Errorf("holder is %+v (%v, %v), want %+v", h, held, err, want)
	}
	var inUse errHeld
	if _, err := acquire(path, "mine"); !errors.As(err, &inUse) || inUse.PID != other.Process.Pid {
		t.Errorf("acquire: %v, want held by %d", err, other.Process.Pid)
	}
}

func TestLockIsFreeAfterItsHolderIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	other, _ := hold(t, path)
	p, _, err := findHolder(path)
	if err != nil || p == nil {
		t.Fatalf("findHolder: %v, %v", p, err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := waitFor(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	l, err := acquire(path, "mine")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// What the dead wrote into the file is not taken for the truth.
	if h, held, err := holderOf(path); held || err != nil {
		t.Errorf("after release: held by %+v, %v", h, err)
	}
}

func TestWaitForEndsWithItsContext(t *testing.T) {
	other, _ := hold(t, filepath.Join(t.TempDir(), "lock"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- waitFor(ctx, other.Process) }()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("waitFor: %v, want canceled", err)
	}
}
