package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// waitGone returns nil when the process has ended or ctx has; the process need
// not be our child.
func waitGone(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	defer unix.Close(fd)
	// The pipe interrupts the poll when ctx ends.
	interrupted, interrupt, err := os.Pipe()
	if err != nil {
		return err
	}
	defer interrupted.Close()
	stop := context.AfterFunc(ctx, func() { interrupt.Close() })
	defer func() {
		if stop() {
			interrupt.Close()
		}
	}()
	polled := []unix.PollFd{
		{Fd: int32(fd), Events: unix.POLLIN},
		{Fd: int32(interrupted.Fd()), Events: unix.POLLIN},
	}
	for {
		_, err := unix.Poll(polled, -1)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("poll pidfd: %w", err)
		}
	}
}

// terminate asks the process to end, and makes it end when it does not.
func terminate(ctx context.Context, pid int) error {
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.Kill(pid, signal); errors.Is(err, unix.ESRCH) {
			return nil
		} else if err != nil {
			return err
		}
		patience, cancel := context.WithTimeout(ctx, stopTimeout)
		err := waitGone(patience, pid)
		ended := patience.Err() == nil
		cancel()
		if err != nil || ended {
			return err
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}
