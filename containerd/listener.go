package containerd

import (
	"context"
	"errors"
	"net"

	"golang.org/x/sys/unix"

	"fargo/process"
)

// terminate asks the process to end, and makes it end when it does not.
func terminate(ctx context.Context, pid int) error {
	p, err := process.Open(pid)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*stopTimeout)
	defer cancel()
	return p.Stop(ctx, unix.SIGTERM, stopTimeout)
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
