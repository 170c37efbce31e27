package balancer

import (
	"errors"
	"fmt"
	"net"
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
	port

	tcp   net.Listener // one of the two
	udp   net.PacketConn
	http  *httpServer // with tcp
	flows *flowServer
}

// open binds the socket and begins to serve what comes.
func (s *Server) open(key socketKey, l *listener) (*socket, error) {
	k := &socket{socketKey: key}
	k.port.interfaceID = key.interfaceID
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
	k.flows = &flowServer{port: &k.port, dialer: s.network, logger: s.logger, ctx: s.ctx, tasks: &s.tasks}
	if key.network == "udp" {
		s.tasks.Go(func() {
			k.flows.serveUDP(k.udp)
			if !k.closing.Load() {
				s.lost(k)
			}
		})
	} else {
		k.http = newHTTPServer(s.ctx, &s.tasks, s.network, s.logger, &k.port, k.tcp.Addr())
		s.tasks.Go(func() { s.accept(k) })
		s.tasks.Go(k.http.serveHTTP2)
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
	k.http.close()
}

// rest lets requests under way go on, and closes what is between requests.
func (k *socket) rest() {
	k.over.Store(true)
	if k.http != nil {
		k.http.rest()
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
		k.http.servePlain(conn, l)
	case "HTTPS":
		k.http.serveTLS(conn, l)
	case "TCP", "TCP_UDP":
		k.flows.serveTCP(conn, l)
	case "TLS":
		k.flows.serveTLS(conn, l)
	default:
		conn.Close()
	}
}
