package layer7

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"fargo/balancer/accesslog"
	"fargo/balancer/exchange"
	"fargo/balancer/http1"
	"fargo/balancer/http2"
	"fargo/balancer/listener"
	"fargo/balancer/metrics"
	"fargo/balancer/netconn"
	"fargo/balancer/tlsconfig"
)

// maxStreams is how many requests a client may have open on one connection.
// Source: ALB user guide, "Listener configuration".
const maxStreams = 128

// ServeTLS encrypts a client's connection and serves the protocol agreed on.
func (s *Server) ServeTLS(conn net.Conn, l *listener.Listener) {
	conn = name(netconn.NonBlock(conn), l)
	began := time.Now()
	encrypted := tls.Server(conn, l.TLS.TLS)
	ok := s.port.Handshake(s.ctx, encrypted)
	if l.Connections != nil {
		s.logConnection(l, encrypted, ok, began)
	}
	if !ok {
		return
	}
	state := encrypted.ConnectionState()
	switch {
	case state.NegotiatedProtocol != "h2":
		s.serveHTTP1(encrypted, l)
	case !http2.Acceptable(&state):
		encrypted.Close()
	default:
		coalesced := netconn.Coalesce(encrypted, l.Idle, s.tasks)
		c := &streamConn{Guarded: http2.Guard(coalesced, len(http2.Preface)), from: exchange.OriginOf(netconn.AddrPort(conn.RemoteAddr()), &state)}
		c.from.Connection = accesslog.NameOf(conn)
		s.http2.put(c)
	}
}

// streamConn is a client's connection of HTTP/2. To net/http, which serves it, it is
// one without TLS: within net/http's TLS writes could not be coalesced.
type streamConn struct {
	*http2.Guarded
	from exchange.Origin
}

// ServeHTTP2 serves the connections on which HTTP/2 was agreed until s is closed,
// and the requests on them until they are done.
func (s *Server) ServeHTTP2() {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	idle := time.Minute
	if l := s.port.Listener.Load(); l != nil {
		idle = l.Idle
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveStream(w, r) }),
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		IdleTimeout:       idle,
		ReadHeaderTimeout: tlsconfig.HandshakeTimeout, // of a connection's preface
		MaxHeaderBytes:    http1.MaxHead,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, originKey{}, &c.(*streamConn).from)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				s.port.Conns.Add(c)
				s.port.Metrics.Resume(metrics.HTTP)
			case http.StateClosed:
				s.port.Conns.Remove(c)
				s.port.Metrics.End(metrics.HTTP)
			}
		},
	}
	if err := server.Serve(s.http2); !errors.Is(err, net.ErrClosed) {
		s.logger.Error("HTTP/2 ended", "interface", s.port.InterfaceID, "error", err)
	}
	// the sooner of: all requests done, all cut
	if err := server.Shutdown(s.ctx); err != nil {
		server.Close()
	}
	s.streams.Lock() // for good: none comes, and those under way have ended
}
