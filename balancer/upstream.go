package balancer

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"fargo/balancer/http1"
)

// Times that AWS does not let one set.
// Source: ALB user guide, "Troubleshoot your Application Load Balancers".
const (
	connectTimeout   = 10 * time.Second
	handshakeTimeout = 10 * time.Second
)

// upstream is a connection to a target, used by one request at a time.
type upstream struct {
	idleConn
	in  *http1.Reader
	out *http1.Writer

	target    *target
	from      string        // the interface
	idleSince time.Duration // by clock
	reused    bool
}

// reach opens a connection to a target.
func reach(ctx context.Context, network Network, from string, t *target, encrypted bool, idle time.Duration) (*upstream, error) {
	conn, err := dialTarget(ctx, network, from, t, encrypted)
	if err != nil {
		return nil, err
	}
	u := &upstream{target: t, from: from}
	u.Conn, u.idle = quicken(conn), idle
	u.in, u.out = http1.NewReader(u), http1.NewWriter(u)
	if !t.conns.add(u) {
		conn.Close()
		return nil, net.ErrClosed
	}
	return u, nil
}

// dialTarget connects, and encrypts when the group's protocol has it.
func dialTarget(ctx context.Context, network Network, from string, t *target, encrypted bool) (net.Conn, error) {
	dialing, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := network.Dial(dialing, from, "tcp", t.address)
	if err != nil || !encrypted {
		return conn, err
	}
	inner, err := encrypt(ctx, quicken(conn))
	if err != nil {
		conn.Close()
		return nil, err
	}
	return inner, nil
}

// handshakeError tells a TLS handshake that failed from a connection that did.
type handshakeError struct{ cause error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.cause.Error() }
func (e *handshakeError) Unwrap() error { return e.cause }

// timeout reports whether err is the end of a wait.
func timeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// ask sends what was gathered of a request, or has that done when the answer is
// waited for.
func (u *upstream) ask() error {
	if quick, ok := u.Conn.(*quickConn); ok && u.reused {
		quick.later(u.out.Take())
		return nil
	}
	return u.out.Flush()
}

// Close closes the connection.
func (u *upstream) Close() error {
	u.target.conns.remove(u)
	return u.Conn.Close()
}

// release keeps the connection for a later request.
func (u *upstream) release() {
	if u.in.Oversized() {
		u.in.Forget()
	}
	u.waiting = nil
	u.reused = true
	u.idleSince = clock()
	u.target.idle.put(u)
}
