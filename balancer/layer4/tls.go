package layer4

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"strconv"
	"time"

	"fargo/balancer/accesslog"
	"fargo/balancer/listener"
	"fargo/balancer/netconn"
)

// tlsConn is a client's connection, below TLS, to a network load balancer, with
// what its access log tells of the handshake.
type tlsConn struct {
	net.Conn
	began     time.Time
	handshake time.Duration // from then until it was done

	hasHello   bool // a client hello came, with these:
	serverName string
	offered    []string // protocols of ALPN
}

// NetConn is the connection below.
func (f *tlsConn) NetConn() net.Conn { return f.Conn }

// ClientHello notes what the client hello has. See [tlsconfig.ServerConfig].
func (f *tlsConn) ClientHello(hello *tls.ClientHelloInfo) {
	f.hasHello, f.serverName, f.offered = true, hello.ServerName, hello.SupportedProtos
}

// flowEnd is how a connection of a network load balancer ended.
type flowEnd struct {
	received, sent int64 // from and to the client, in it
	alert          string
}

// logFlow writes a line about a connection to a TLS listener that has ended, if
// there is a log. state is nil when its handshake failed.
func (s *Server) logFlow(l *listener.Listener, f *tlsConn, state *tls.ConnectionState, end flowEnd) {
	if l.Log == nil {
		return
	}
	record := accesslog.Flow{
		Balancer: l.Balancer.Name, Listener: l.ARN, Client: netconn.AddrPort(f.RemoteAddr()), Local: netconn.AddrPort(f.LocalAddr()),
		Began: f.began, Handshake: f.handshake, State: state,
		ServerName: f.serverName, Offered: f.offered, Negotiates: len(l.TLS.TLS.NextProtos) > 0,
		Received: end.received, Sent: end.sent, Alert: end.alert,
	}
	if f.hasHello {
		record.Certificate = l.TLS.CertificateARN(f.serverName)
	}
	now := time.Now()
	if err := l.Log.Write(record.Line(now), now); err != nil {
		s.logger.Warn("access log line lost", "balancer", l.Balancer.Name, "error", err)
	}
}

// alertIn is the number of the TLS alert with which the other side ended a
// connection; empty when an error is another.
func alertIn(err error) string {
	var e *net.OpError
	if !errors.As(err, &e) || e.Op != "remote error" {
		return ""
	}
	// crypto/tls does not export the type
	if v := reflect.ValueOf(e.Err); v.Kind() == reflect.Uint8 {
		return strconv.FormatUint(v.Uint(), 10)
	}
	return ""
}
