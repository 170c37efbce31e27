package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"fargo/balancer/http1"
)

// maxStreams is how many requests a client may have open on one connection.
// Source: ALB user guide, "Listener configuration".
const maxStreams = 128

// serveTLS encrypts a client's connection and serves the protocol agreed on.
func (s *httpServer) serveTLS(conn net.Conn, l *listener) {
	conn = name(quicken(conn), l)
	began := time.Now()
	encrypted := tls.Server(conn, l.tls.config)
	shaken := s.port.handshake(s.ctx, encrypted, l)
	if l.connections != nil {
		s.logConnection(l, encrypted, shaken, began)
	}
	if !shaken {
		return
	}
	state := encrypted.ConnectionState()
	switch {
	case state.NegotiatedProtocol != "h2":
		s.serveHTTP1(encrypted, l)
	case !fitForHTTP2(&state):
		encrypted.Close()
	default:
		gathered := gather(encrypted, l.idle, s.tasks)
		c := &streamConn{floodConn: newFloodConn(gathered, len(http2Preface)), from: originOf(addrPortOf(conn.RemoteAddr()), &state)}
		c.from.connection = nameOf(conn)
		s.http2.give(c)
	}
}

// streamConn is a client's connection of HTTP/2. To net/http, which serves it, it
// is one without TLS: in net/http's own there would be nothing to gather.
type streamConn struct {
	*floodConn
	from origin
}

// serveHTTP2 serves the connections on which HTTP/2 was agreed until s is closed,
// and the requests on them until they are done.
func (s *httpServer) serveHTTP2() {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	idle := time.Minute
	if l := s.port.listener.Load(); l != nil {
		idle = l.idle
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveStream(w, r) }),
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		IdleTimeout:       idle,
		ReadHeaderTimeout: handshakeTimeout, // of a connection's first words
		MaxHeaderBytes:    http1.MaxHead,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, originKey{}, &c.(*streamConn).from)
		},
		ConnState: func(c net.Conn, state http.ConnState) {
			l := s.port.listener.Load()
			switch {
			case l == nil:
			case state == http.StateNew:
				s.port.conns.add(c)
				l.balancer.metrics.active.Add(1)
			case state == http.StateClosed:
				s.port.conns.remove(c)
				l.balancer.metrics.active.Add(-1)
			}
		},
	}
	if err := server.Serve(s.http2); !errors.Is(err, net.ErrClosed) {
		s.logger.Error("HTTP/2 ended", "interface", s.port.interfaceID, "error", err)
	}
	// the sooner of: all requests done, all cut
	if err := server.Shutdown(s.ctx); err != nil {
		server.Close()
	}
	s.streams.Lock() // for good: none comes, and those under way have ended
}
