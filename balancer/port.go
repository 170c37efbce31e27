package balancer

import (
	"context"
	"crypto/tls"
	"sync/atomic"
)

// port is an open port of an interface, as those who serve it see it. It stays
// while configurations change.
type port struct {
	interfaceID string
	listener    atomic.Pointer[listener] // nil only before the first configuration
	closing     atomic.Bool              // no new connections, and answers are the last of theirs
	over        atomic.Bool              // no new requests
	conns       tracker                  // of clients
}

// handshake shakes hands with a client. After false, conn is closed.
func (p *port) handshake(ctx context.Context, conn *tls.Conn, l *listener) bool {
	if !p.conns.add(conn) {
		conn.Close()
		return false
	}
	defer p.conns.remove(conn)
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		l.balancer.metrics.tlsErrors.Add(1)
		conn.Close()
		return false
	}
	return true
}
