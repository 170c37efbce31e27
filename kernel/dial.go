package kernel

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// DialInterfaceTCP connects from inside an interface, under its security
// groups. The caller closes the connection.
func (n *Network) DialInterfaceTCP(ctx context.Context, interfaceID string, to netip.AddrPort) (net.Conn, error) {
	return n.dial(ctx, interfaceID, unix.SOCK_STREAM, to)
}

// DialInterfaceUDP is like DialInterfaceTCP for datagrams.
func (n *Network) DialInterfaceUDP(ctx context.Context, interfaceID string, to netip.AddrPort) (net.Conn, error) {
	return n.dial(ctx, interfaceID, unix.SOCK_DGRAM, to)
}

// dial makes the socket in the namespace, where it stays, and connects it on any
// thread, so that no thread is held in the namespace meanwhile.
func (n *Network) dial(ctx context.Context, interfaceID string, kind int, to netip.AddrPort) (net.Conn, error) {
	domain := unix.AF_INET
	if to.Addr().Is6() {
		domain = unix.AF_INET6
	}
	var fd int
	err := n.inside(interfaceID, func() (err error) {
		fd, err = unix.Socket(domain, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		return os.NewSyscallError("socket", err)
	})
	if err != nil {
		return nil, err
	}
	socket := os.NewFile(uintptr(fd), "socket to "+to.String())
	defer socket.Close()
	if err := connect(ctx, socket, to); err != nil {
		return nil, fmt.Errorf("dial %s: %w", to, err)
	}
	return net.FileConn(socket)
}

// connect connects a socket that does not block.
func connect(ctx context.Context, socket *os.File, to netip.AddrPort) error {
	stop := context.AfterFunc(ctx, func() { _ = socket.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	begun := false
	var failed error
	err = raw.Write(func(fd uintptr) (done bool) {
		if !begun {
			begun = true
			if failed = unix.Connect(int(fd), sockaddr(to)); !errors.Is(failed, unix.EINPROGRESS) {
				return true
			}
		}
		// A router here rejects a packet before connect(2) lets go of the socket. The kernel
		// then keeps the error, and of IPv6 wakes nobody until it has sent the packet again.
		failed = outcome(int(fd))
		return !errors.Is(failed, unix.ENOTCONN)
	})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ctx.Err()
	case err != nil:
		return err
	}
	return os.NewSyscallError("connect", failed)
}

// outcome is how a connection attempt ended; ENOTCONN says that it has not yet:
// the poller may wake us for nothing.
func outcome(fd int) error {
	code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil {
		return err
	}
	if code != 0 {
		return unix.Errno(code)
	}
	_, err = unix.Getpeername(fd)
	return err
}

func sockaddr(to netip.AddrPort) unix.Sockaddr {
	if to.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(to.Port()), Addr: to.Addr().As16()}
}
