package balancer

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// socketKey is a place to listen.
type socketKey struct {
	interfaceID string
	network     string // "tcp" or "udp"
	port        uint16
}

func (k socketKey) String() string {
	return fmt.Sprintf("%s port %d of %s", k.network, k.port, k.interfaceID)
}

// socket is a port that is open. It stays so while configurations change.
type socket struct {
	socketKey
	listener atomic.Pointer[listener]
	closing  atomic.Bool // no new connections, and answers are the last of theirs
	over     atomic.Bool // no new requests
	conns    tracker     // of clients, and the socket itself

	tcp   net.Listener // one of the two
	udp   net.PacketConn
	http2 *handoff // with tcp: connections on which HTTP/2 was agreed
	// streams is held for reading by each request of HTTP/2.
	streams sync.RWMutex
}

// open binds the socket and begins to serve what comes.
func (s *Server) open(key socketKey, l *listener) (*socket, error) {
	k := &socket{socketKey: key}
	k.listener.Store(l)
	var err error
	if key.network == "udp" {
		k.udp, err = s.network.ListenUDP(key.interfaceID, key.port)
	} else {
		k.tcp, err = s.network.ListenTCP(key.interfaceID, key.port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", key, err)
	}
	if key.network == "udp" {
		s.tasks.Go(func() { s.serveUDP(k) })
	} else {
		k.http2 = newHandoff(k.tcp.Addr())
		s.tasks.Go(func() { s.accept(k) })
		s.tasks.Go(func() { s.serveHTTP2(k) })
	}
	return k, nil
}

// close stops listening. Connections go on, each until its next answer.
func (k *socket) close() {
	k.closing.Store(true)
	if k.udp != nil {
		k.udp.Close()
		return
	}
	k.tcp.Close()
	k.http2.Close()
}

// rest lets requests under way go on, and closes what is between requests.
func (k *socket) rest() {
	k.over.Store(true)
	for _, c := range k.conns.list() {
		if c, ok := c.(*client); ok {
			c.rest()
		}
	}
}

// acceptRetry is how long to wait when no connection can be accepted, as when
// there are too many open files.
const acceptRetry = 50 * time.Millisecond

func (s *Server) accept(k *socket) {
	for {
		conn, err := k.tcp.Accept()
		switch {
		case err == nil:
			s.tasks.Go(func() { s.serve(k, conn) })
		case errors.Is(err, net.ErrClosed):
			if !k.closing.Load() {
				s.lost(k)
			}
			return
		default:
			s.logger.Warn("accept failed", "socket", k.socketKey, "error", err)
			select {
			case <-time.After(acceptRetry):
			case <-s.ctx.Done():
				return
			}
		}
	}
}

// serve does with a client's connection what the listener's protocol says.
func (s *Server) serve(k *socket, conn net.Conn) {
	l := k.listener.Load()
	if l == nil {
		conn.Close()
		return
	}
	m := &l.balancer.metrics
	m.connections.Add(1)
	m.active.Add(1)
	defer m.active.Add(-1) // those of HTTP/2 are counted again while they last
	switch l.protocol {
	case "HTTP":
		conn = l.named(quicken(conn))
		if l.connections != nil {
			l.logConnection(conn, true, time.Now())
		}
		s.serveHTTP1(k, conn, l)
	case "HTTPS":
		s.serveTLS(k, l.named(quicken(conn)), l)
	case "TCP", "TCP_UDP":
		s.serveTCP(k, conn, l)
	case "TLS":
		s.serveEncryptedTCP(k, conn, l)
	default:
		conn.Close()
	}
}

// serveHTTP1 serves requests of HTTP/1.x on conn.
func (s *Server) serveHTTP1(k *socket, conn net.Conn, l *listener) {
	c := newClient(s, k, conn, l.idle)
	if !k.conns.add(c) {
		conn.Close()
		return
	}
	defer k.conns.remove(c)
	c.serve(s.ctx)
}
