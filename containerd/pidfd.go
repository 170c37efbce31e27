package containerd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// waitGone returns nil when the process has ended or ctx has; the process need
// not be our child. It costs a goroutine, no thread.
func waitGone(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("pidfd_open %d: %w", pid, err)
	}
	file := os.NewFile(uintptr(fd), "pidfd")
	defer file.Close()
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() {
		_ = file.SetReadDeadline(time.Unix(0, 0)) // wakes Read; it fails only when that is over
	})
	defer stop()
	err = raw.Read(func(fd uintptr) bool {
		// A pidfd can be read when its process has ended (pidfd_open(2)).
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
		return n > 0 && err == nil
	})
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("wait for process %d: %w", pid, err)
	}
	return nil
}

// terminate asks the process to end, and makes it end when it does not.
func terminate(ctx context.Context, pid int) error {
	for _, signal := range []unix.Signal{unix.SIGTERM, unix.SIGKILL} {
		if err := unix.Kill(pid, signal); errors.Is(err, unix.ESRCH) {
			return nil
		} else if err != nil {
			return err
		}
		bounded, cancel := context.WithTimeout(ctx, stopTimeout)
		err := waitGone(bounded, pid)
		ended := bounded.Err() == nil
		cancel()
		if err != nil || ended {
			return err
		}
	}
	return fmt.Errorf("process %d does not end", pid)
}

// listener returns the process that listens on a socket. An error means that
// none does.
func listener(ctx context.Context, socket string) (pid int, err error) {
	connection, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	raw, err := connection.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var peer *unix.Ucred
	var peerErr error
	err = raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err := errors.Join(err, peerErr); err != nil {
		return 0, err
	}
	return int(peer.Pid), nil
}
