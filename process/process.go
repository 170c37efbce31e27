package process

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

// A Process is a running or ended process, our child or not. It is held by a pidfd,
// so that it never comes to mean another process that got its id. Its methods may
// be called from several goroutines.
type Process struct {
	handle *os.Process
	// Build is what the process said when it took its lock; empty when we started
	// it and have not asked.
	Build string
}

// PID is its process id, for people to read.
func (p *Process) PID() int { return p.handle.Pid }

// maxLog is the size in bytes from which a process that is started begins its log
// anew.
const maxLog = 16 << 20

// OpenLog opens the log of a process that is to be started, to append to it. One that
// has grown large is kept, with the ending ".1", and a new one begun.
func OpenLog(path string) (*os.File, error) {
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
}

// start starts this program with arguments, as a process that outlives us: in a
// session of its own, writing to a log file that others may write too. It inherits
// files as descriptors from 3 on.
func start(args []string, log string, files ...*os.File) (*Process, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	logFile, err := OpenLog(log)
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
	return &Process{handle: cmd.Process}, nil
}

// Open opens the process of an id. One that has ended already is like any other that
// has.
func Open(pid int) (*Process, error) {
	handle, err := os.FindProcess(pid)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return &Process{handle: handle}, nil
}

// Find opens the process that holds the lock at path; nil when no process does.
func Find(path string) (*Process, error) {
	h, held, err := holderOf(path)
	if err != nil || !held {
		return nil, err
	}
	handle, err := os.FindProcess(h.PID)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", h.PID, err)
	}
	// The process may have ended, and its id been given away, before we opened it.
	if again, held, err := holderOf(path); err != nil || !held || again.PID != h.PID {
		_ = handle.Release() // closes the pidfd, nothing else
		return nil, err
	}
	return &Process{handle: handle, Build: h.Build}, nil
}

// Signal signals the process. One that has ended already is no error.
func (p *Process) Signal(s syscall.Signal) error {
	if err := p.handle.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("process %d: %w", p.PID(), err)
	}
	return nil
}

// Stop signals the process, kills it when it has not ended within the grace period,
// and returns when it has ended, or the context's error.
func (p *Process) Stop(ctx context.Context, s syscall.Signal, grace time.Duration) error {
	if err := p.Signal(s); err != nil {
		return err
	}
	graceful, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	if err := p.Wait(graceful); ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	return p.Wait(ctx)
}

// Wait returns nil when the process has ended, or the context's error. A zombie has
// ended. It costs a goroutine, no thread.
func (p *Process) Wait(ctx context.Context) error {
	pidfd, err := p.pollable()
	if errors.Is(err, os.ErrProcessDone) || errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wait for process %d: %w", p.PID(), err)
	}
	defer pidfd.Close()
	raw, err := pidfd.SyscallConn()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = pidfd.SetReadDeadline(time.Unix(0, 0)) // wakes Read; it fails only when that is over
	})
	defer stop()
	err = raw.Read(ended)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ctx.Err()
	}
	return err
}

// pollable opens a second pidfd of the process, which Go's poller can wait for. The
// first one must block, or [os.Process.Wait] fails.
func (p *Process) pollable() (file *os.File, err error) {
	withErr := p.handle.WithHandle(func(pidfd uintptr) {
		var fd int
		if fd, err = unix.PidfdOpen(p.handle.Pid, unix.PIDFD_NONBLOCK); err != nil {
			return
		}
		file = os.NewFile(uintptr(fd), "pidfd")
		if ended(pidfd) { // and so the id may be another's by now
			file.Close()
			err = os.ErrProcessDone
		}
	})
	return file, errors.Join(withErr, err)
}

// ended reports whether the process of a pidfd has ended.
func ended(pidfd uintptr) bool {
	// A pidfd can be read when its process has ended. Source: pidfd_open(2).
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, 0)
	return n > 0 && err == nil
}

// reap collects a child that has ended, so that no zombie stays, and says how it
// ended. Of a process that is not our child nothing is known.
func (p *Process) reap() string {
	state, err := p.handle.Wait()
	if err != nil {
		return "unknown, for it is no child"
	}
	return state.String()
}
