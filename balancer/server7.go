package balancer

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"
)

// httpServer answers what comes to one port of application load balancers.
type httpServer struct {
	port   *port
	dialer upstreamDialer
	logger *slog.Logger
	ctx    context.Context // ends all
	tasks  *sync.WaitGroup // is told of goroutines

	http2 *handoff // connections on which HTTP/2 was agreed
	// streams is held for reading by each request of HTTP/2.
	streams sync.RWMutex
}

// newHTTPServer makes a server of what comes to a port that listens at addr.
func newHTTPServer(ctx context.Context, tasks *sync.WaitGroup, dialer upstreamDialer, logger *slog.Logger, port *port, addr net.Addr) *httpServer {
	return &httpServer{port: port, dialer: dialer, logger: logger, ctx: ctx, tasks: tasks, http2: newHandoff(addr)}
}

// close has serveHTTP2 end when its requests have.
func (s *httpServer) close() { s.http2.Close() }

// rest closes the connections of HTTP/1.x that are between requests.
func (s *httpServer) rest() {
	for _, c := range s.port.conns.list() {
		if c, ok := c.(*client); ok {
			c.rest()
		}
	}
}

// servePlain serves a client's connection that is not encrypted.
func (s *httpServer) servePlain(conn net.Conn, l *listener) {
	conn = name(quicken(conn), l)
	if l.connections != nil {
		s.logConnection(l, conn, true, time.Now())
	}
	s.serveHTTP1(conn, l)
}

// serveHTTP1 serves requests of HTTP/1.x on conn.
func (s *httpServer) serveHTTP1(conn net.Conn, l *listener) {
	c := newClient(s, conn, l.idle)
	if !s.port.conns.add(c) {
		conn.Close()
		return
	}
	defer s.port.conns.remove(c)
	c.serve(s.ctx)
}

// name gives a connection a name, if there are logs in which it could be told.
func name(c net.Conn, l *listener) net.Conn {
	if l.log == nil && l.connections == nil {
		return c
	}
	return nameConn(c)
}

// logConnection writes a line about a client's connection. shaken is false for
// one whose TLS handshake failed.
func (s *httpServer) logConnection(l *listener, c net.Conn, shaken bool, began time.Time) {
	now := time.Now()
	if err := l.connections.write(connectionLine(c, l.port, shaken, now.Sub(began), now), now); err != nil {
		s.logger.Warn("connection log line lost", "balancer", l.balancer.name, "error", err)
	}
}
