// Package balancertest offers a network on the loopback interface, where
// balancers can be tried without privileges. It knows where each interface and
// port really listens, and nothing of balancing.
package balancertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// Loopback is a balancer.Network in which every port of every interface is some
// free port of 127.0.0.1.
type Loopback struct {
	// At are the ports of 127.0.0.1 that ports of interfaces are instead of free
	// ones. Several networks may have the same.
	At map[uint16]uint16
	// IPv6 says that ports are of ::1 and not of 127.0.0.1.
	IPv6 bool

	mu    sync.Mutex
	bound map[place]net.Addr
}

type place struct {
	network, interfaceID string
	port                 uint16
}

// Addr is where a port listens, or "" while it does not.
func (l *Loopback) Addr(network, interfaceID string, port uint16) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a := l.bound[place{network, interfaceID, port}]; a != nil {
		return a.String()
	}
	return ""
}

func (l *Loopback) bind(p place, addr net.Addr) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bound[p] != nil {
		return fmt.Errorf("%s port %d of %s is taken", p.network, p.port, p.interfaceID)
	}
	if l.bound == nil {
		l.bound = map[place]net.Addr{}
	}
	l.bound[p] = addr
	return nil
}

func (l *Loopback) release(p place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.bound, p)
}

// shared listens where others do.
var shared = net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, failed)
}}

func (l *Loopback) address(port uint16) string {
	host := netip.MustParseAddr("127.0.0.1")
	if l.IPv6 {
		host = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(host, l.At[port]).String()
}

// ListenTCP listens on a free port, or the one that is given.
func (l *Loopback) ListenTCP(interfaceID string, port uint16) (net.Listener, error) {
	listener, err := shared.Listen(context.Background(), "tcp", l.address(port))
	if err != nil {
		return nil, err
	}
	p := place{"tcp", interfaceID, port}
	if err := l.bind(p, listener.Addr()); err != nil {
		listener.Close()
		return nil, err
	}
	return &boundListener{Listener: listener, release: sync.OnceFunc(func() { l.release(p) })}, nil
}

// ListenUDP listens on a free port, or the one that is given.
func (l *Loopback) ListenUDP(interfaceID string, port uint16) (net.PacketConn, error) {
	conn, err := shared.ListenPacket(context.Background(), "udp", l.address(port))
	if err != nil {
		return nil, err
	}
	p := place{"udp", interfaceID, port}
	if err := l.bind(p, conn.LocalAddr()); err != nil {
		conn.Close()
		return nil, err
	}
	return &boundPacketConn{PacketConn: conn, release: sync.OnceFunc(func() { l.release(p) })}, nil
}

// Dial dials, whatever the interface.
func (l *Loopback) Dial(ctx context.Context, _, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

type boundListener struct {
	net.Listener
	release func()
}

func (b *boundListener) Close() error {
	b.release()
	return b.Listener.Close()
}

type boundPacketConn struct {
	net.PacketConn
	release func()
}

func (b *boundPacketConn) Close() error {
	b.release()
	return b.PacketConn.Close()
}
