// Package balancertest offers a network on the loopback interface, where
// balancers can be tried without privileges. It knows where each interface and
// port really listens, and nothing of balancing.
package balancertest

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Loopback is a balancer.Network in which every port of every interface is some
// free port of 127.0.0.1.
type Loopback struct {
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

// ListenTCP listens on a free port.
func (l *Loopback) ListenTCP(interfaceID string, port uint16) (net.Listener, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
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

// ListenUDP listens on a free port.
func (l *Loopback) ListenUDP(interfaceID string, port uint16) (net.PacketConn, error) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
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
