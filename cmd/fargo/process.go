package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxLog is the size from which a process that is started begins its log anew,
// with the one before kept beside it.
const maxLog = 16 << 20

// startProcess starts `fargo` with arguments, for it to outlive us: with a
// session and a log file of its own, which others may write too. It gets the
// files given as descriptors from 3 on.
func startProcess(args []string, log string, files ...*os.File) (*os.Process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(log); err == nil && info.Size() > maxLog {
		if err := os.Rename(log, log+".1"); err != nil {
			return nil, err
		}
	}
	logFile, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer logFile.Close()
	cmd := exec.Command(exe, args...)
	cmd.Dir = "/"
	cmd.Stdout, cmd.Stderr = logFile, logFile
	cmd.ExtraFiles = files
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return cmd.Process, nil
}

// signalProcess signals a process, which may have ended.
func signalProcess(p *os.Process, s syscall.Signal) error {
	if err := p.Signal(s); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// endProcess asks a process to end by a signal, kills it when it has not after
// a time, and waits until it has ended.
func endProcess(ctx context.Context, p *os.Process, how syscall.Signal, patience time.Duration) error {
	if err := signalProcess(p, how); err != nil {
		return err
	}
	willing, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := waitFor(willing, p); ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err := signalProcess(p, syscall.SIGKILL); err != nil {
		return err
	}
	return waitFor(ctx, p)
}

// waitFor returns nil when the process has ended, be it our child or not, or
// the context's error. A zombie has ended.
func waitFor(ctx context.Context, p *os.Process) error {
	wakeR, wakeW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer wakeR.Close()
	stop := context.AfterFunc(ctx, func() { wakeW.Close() })
	defer func() {
		if stop() {
			wakeW.Close()
		}
	}()

	var pollErr error
	err = p.WithHandle(func(pidfd uintptr) {
		fds := []unix.PollFd{
			{Fd: int32(pidfd), Events: unix.POLLIN},
			{Fd: int32(wakeR.Fd()), Events: unix.POLLIN},
		}
		for {
			_, pollErr = unix.Poll(fds, -1)
			if !errors.Is(pollErr, unix.EINTR) {
				break
			}
		}
		if pollErr == nil && fds[0].Revents == 0 {
			pollErr = ctx.Err()
		}
	})
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return errors.Join(err, pollErr)
}

// findHolder opens the process that holds the lock at path; nil when no process
// does. The handle cannot come to mean another process.
func findHolder(path string) (*os.Process, holder, error) {
	h, held, err := holderOf(path)
	if err != nil || !held {
		return nil, holder{}, err
	}
	p, err := os.FindProcess(h.PID)
	if err != nil {
		return nil, holder{}, fmt.Errorf("process %d: %w", h.PID, err)
	}
	// The process may have ended, and its id been given away, before we opened it.
	if again, held, err := holderOf(path); err != nil || !held || again.PID != h.PID {
		_ = p.Release() // closes the handle, nothing else
		return nil, holder{}, err
	}
	return p, h, nil
}
