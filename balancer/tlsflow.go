package balancer

import (
	"crypto/tls"
	"errors"
	"net"
	"reflect"
	"strconv"
	"time"
)

// tlsFlow is a client's connection, below TLS, to a network load balancer, with
// what its access log tells of the handshake.
type tlsFlow struct {
	net.Conn
	began     time.Time
	handshake time.Duration // from then until it was done

	greeted    bool // a client hello came, with these:
	serverName string
	offered    []string // protocols of ALPN
}

// NetConn is the connection below.
func (f *tlsFlow) NetConn() net.Conn { return f.Conn }

// ClientHello notes what the client says first. See [tlsTerms].
func (f *tlsFlow) ClientHello(hello *tls.ClientHelloInfo) {
	f.greeted, f.serverName, f.offered = true, hello.ServerName, hello.SupportedProtos
}

// flowEnd is how a connection of a network load balancer ended.
type flowEnd struct {
	received, sent int64 // from and to the client, in it
	alert          string
}

// logFlow writes a line about a connection to a TLS listener that has ended, if
// there is a log. state is nil when its handshake failed.
func (s *flowServer) logFlow(l *listener, f *tlsFlow, state *tls.ConnectionState, end flowEnd) {
	if l.log == nil {
		return
	}
	record := flowRecord{
		balancer: l.balancer.name, listener: l.arn, client: addrPortOf(f.RemoteAddr()), local: addrPortOf(f.LocalAddr()),
		began: f.began, handshake: f.handshake, state: state,
		serverName: f.serverName, offered: f.offered, negotiates: len(l.tls.config.NextProtos) > 0,
		received: end.received, sent: end.sent, alert: end.alert,
	}
	if f.greeted {
		record.certificate = l.tls.certificate(f.serverName)
	}
	now := time.Now()
	if err := l.log.write(record.line(now), now); err != nil {
		s.logger.Warn("access log line lost", "balancer", l.balancer.name, "error", err)
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
