package layer7

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"fargo/balancer/accesslog"
	"fargo/balancer/listener"
	"fargo/balancer/netconn"
	"fargo/balancer/upstream"
)

// Server answers what comes to one port of application load balancers.
type Server struct {
	port   *listener.Port
	source *upstream.Source
	logger *slog.Logger
	ctx    context.Context // ends all
	tasks  *sync.WaitGroup // is told of goroutines

	http2 *connQueue // connections on which HTTP/2 was agreed
	// streams is held for reading by each request of HTTP/2.
	streams sync.RWMutex
}

// NewServer makes a server of what comes to a port that listens at addr.
func NewServer(ctx context.Context, tasks *sync.WaitGroup, dialer upstream.Dialer, logger *slog.Logger, port *listener.Port, addr net.Addr) *Server {
	return &Server{port: port, source: &upstream.Source{Dialer: dialer, Interface: port.InterfaceID, Count: port.Metrics}, logger: logger, ctx: ctx, tasks: tasks, http2: newConnQueue(addr)}
}

// Close has ServeHTTP2 end when its requests have.
func (s *Server) Close() { s.http2.Close() }

// CloseIdle closes the connections of HTTP/1.x that are between requests.
func (s *Server) CloseIdle() {
	for _, c := range s.port.Conns.List() {
		if c, ok := c.(*client); ok {
			c.closeIdle()
		}
	}
}

// ServePlain serves a client's connection that is not encrypted.
func (s *Server) ServePlain(conn net.Conn, l *listener.Listener) {
	conn = name(netconn.NonBlock(conn), l)
	if l.Connections != nil {
		s.logConnection(l, conn, true, time.Now())
	}
	s.serveHTTP1(conn, l)
}

// serveHTTP1 serves requests of HTTP/1.x on conn.
func (s *Server) serveHTTP1(conn net.Conn, l *listener.Listener) {
	c := newClient(s, conn, l.Idle)
	if !s.port.Conns.Add(c) {
		conn.Close()
		return
	}
	defer s.port.Conns.Remove(c)
	c.serve(s.ctx)
}

// name gives a connection a name, if there are logs that would show it.
func name(c net.Conn, l *listener.Listener) net.Conn {
	if l.Log == nil && l.Connections == nil {
		return c
	}
	return accesslog.Name(c)
}

// logConnection writes a line about a client's connection. ok is false for one whose
// TLS handshake failed.
func (s *Server) logConnection(l *listener.Listener, c net.Conn, ok bool, began time.Time) {
	now := time.Now()
	if err := l.Connections.Write(accesslog.ConnectionLine(c, l.Port, ok, now.Sub(began), now), now); err != nil {
		s.logger.Warn("connection log line lost", "balancer", l.Balancer.Name, "error", err)
	}
}
