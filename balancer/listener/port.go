package listener

import (
	"context"
	"crypto/tls"
	"net/netip"
	"sync/atomic"

	"fargo/balancer/metrics"
	"fargo/balancer/netconn"
	"fargo/balancer/targetgroup"
	"fargo/balancer/tlsconfig"
)

// Port is an open port of an interface, as those who serve it see it. It stays while
// configurations change. The server of all ports writes it.
type Port struct {
	InterfaceID string
	Address     netip.Addr               // the interface's, to which clients send
	Zone        string                   // the interface's
	Metrics     *metrics.Balancer        // of the load balancer, in the zone
	Listener    atomic.Pointer[Listener] // its configuration
	Closing     atomic.Bool              // no new connections, and answers are the last of theirs
	Over        atomic.Bool              // no new requests
	Conns       netconn.Tracker          // of clients
}

// TableOf is the table of a group for requests and connections that come to the port.
func (p *Port) TableOf(g *targetgroup.View) *targetgroup.Table { return g.Table.Load().Near(p.Zone) }

// Handshake shakes hands with a client. After false, conn is closed.
func (p *Port) Handshake(ctx context.Context, conn *tls.Conn) bool {
	if !p.Conns.Add(conn) {
		conn.Close()
		return false
	}
	defer p.Conns.Remove(conn)
	ctx, cancel := context.WithTimeout(ctx, tlsconfig.HandshakeTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		p.Metrics.CountTLSError()
		conn.Close()
		return false
	}
	return true
}
