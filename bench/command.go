package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// command runs a command until it ends or ctx does, and gives its trimmed output.
func command(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	// A group of its own: an interrupt of ours goes to us, and we end what we began.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for what has left the group and holds its output open
	out, err := cmd.Output()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		err = fmt.Errorf("%s %s: %w: %s", name, strings.Join(args[:min(1, len(args))], " "), err, strings.TrimSpace(string(exit.Stderr)))
	case err != nil:
		err = fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), err
}

// end sends a process a signal that ends it, and waits; it is killed when it is
// still there when ctx ends.
func end(ctx context.Context, cmd *exec.Cmd, signal syscall.Signal) error {
	if err := cmd.Process.Signal(signal); err != nil {
		return err
	}
	return wait(ctx, cmd)
}

// wait waits for the end of a process, which is killed when ctx ends first.
func wait(ctx context.Context, cmd *exec.Cmd) error {
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	return cmd.Wait()
}
