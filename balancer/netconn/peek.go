package netconn

import (
	"errors"
	"net"
	"syscall"
)

// interrupt ends all that waits on a connection.
func interrupt(c net.Conn) {
	if err := c.SetDeadline(Past); err != nil {
		c.Close()
	}
}

// rawConn is the connection below all that wrap one, as TLS does.
func rawConn(c net.Conn) net.Conn {
	for {
		wrapper, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = wrapper.NetConn()
	}
}

// Ended reports whether the other side has closed a connection from which
// nothing is expected, or has sent something all the same. It does not wait and
// takes nothing. What cannot be looked at has not ended.
func Ended(c net.Conn) bool {
	state := peek(c)
	return state == peerClosed || state == peerSent
}

// Closed reports whether the other side has closed a connection, of which it may
// have sent more.
func Closed(c net.Conn) bool { return peek(c) == peerClosed }

// peerState is what the other side of a connection has done.
type peerState uint8

const (
	peerSilent peerState = iota // nothing to read
	peerSent                    // something to read
	peerClosed                  // the end, or an error
)

// peek looks what the other side has done, without taking anything.
func peek(c net.Conn) peerState {
	sc, ok := rawConn(c).(syscall.Conn)
	if !ok {
		return peerSilent
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return peerClosed
	}
	state := peerSilent
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR):
		case err != nil || n == 0:
			state = peerClosed
		default:
			state = peerSent
		}
	})
	if err != nil {
		return peerClosed
	}
	return state
}

// Reset makes Close send RST in place of FIN.
func Reset(c net.Conn) {
	if tcp, ok := rawConn(c).(interface{ SetLinger(int) error }); ok {
		_ = tcp.SetLinger(0) // a connection that is closed already needs none
	}
}
