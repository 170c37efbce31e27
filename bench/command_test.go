package main

import (
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCommand(t *testing.T) {
	out, err := command(t.Context(), "sh", "-c", "echo '  said  '; echo of no interest >&2")
	if err != nil || out != "said" {
		t.Errorf("%q, %v", out, err)
	}
	_, err = command(t.Context(), "sh", "-c", "echo the reason >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "exit status 3: the reason") {
		t.Errorf("%v", err)
	}
}

// TestCommandEndsWithItsContext ends a command with all that it has started and that
// holds its output open.
func TestCommandEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := command(ctx, "sh", "-c", "sleep 1000 & wait"); err == nil {
		t.Error("no error")
	}
}

// TestEndKillsWhatDoesNotEnd sends a signal that the process ignores.
func TestEndKillsWhatDoesNotEnd(t *testing.T) {
	cmd := exec.Command("sh", "-c", "trap '' TERM; echo ready; while :; do read line; done")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := end(ctx, cmd, syscall.SIGTERM); err == nil {
		t.Error("a process that was killed ended well")
	}
	if s := cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", cmd.ProcessState)
	}
}
