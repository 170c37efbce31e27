package balancer

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"fargo/balancer/layer4"
	"fargo/balancer/layer7"
	"fargo/balancer/listener"
	"fargo/balancer/metrics"
)

// socketKey is a place to listen.
type socketKey struct {
	interfaceID string
	zone        string     // the interface's
	address     netip.Addr // the interface's
	ipv6        netip.Addr // the interface's, if it has one; both have one socket
	network     string     // "tcp" or "udp"
	port        uint16
}

func (k socketKey) String() string {
	return fmt.Sprintf("%s port %d of %s", k.network, k.port, k.interfaceID)
}

// socket is a port that is open. It stays so while configurations change.
type socket struct {
	socketKey
	listener.Port

	tcp   net.Listener // one of the two
	udp   net.PacketConn
	http  *layer7.Server // with tcp
	flows *layer4.Server
}

// open binds the socket and begins to serve what comes.
func (s *Server) open(key socketKey, l *listener.Listener) (*socket, error) {
	k := &socket{socketKey: key}
	k.InterfaceID, k.Address = key.interfaceID, key.address
	k.Zone, k.Metrics = key.zone, s.metrics.Balancer(l.Balancer.ARN, key.zone)
	k.Listener.Store(l)
	var err error
	if key.network == "udp" {
		k.udp, err = s.network.ListenUDP(key.interfaceID, key.port)
	} else {
		k.tcp, err = s.network.ListenTCP(key.interfaceID, key.port)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", key, err)
	}
	k.flows = layer4.NewServer(s.ctx, &s.tasks, s.network, s.logger, &k.Port)
	if key.network == "udp" {
		s.tasks.Go(func() {
			k.flows.ServeUDP(k.udp)
			if !k.Closing.Load() {
				s.drop(k)
			}
		})
	} else {
		k.http = layer7.NewServer(s.ctx, &s.tasks, s.network, s.logger, &k.Port, k.tcp.Addr())
		s.tasks.Go(func() { s.accept(k) })
		s.tasks.Go(k.http.ServeHTTP2)
	}
	return k, nil
}

// close stops listening. Connections go on, each until its next answer.
func (k *socket) close() {
	k.Closing.Store(true)
	if k.udp != nil {
		k.udp.Close()
		return
	}
	k.tcp.Close()
	k.http.Close()
}

// closeIdle lets requests under way go on, and closes connections that are between
// requests.
func (k *socket) closeIdle() {
	k.Over.Store(true)
	if k.http != nil {
		k.http.CloseIdle()
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
			if !k.Closing.Load() {
				s.drop(k)
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
	l := k.Listener.Load()
	if l == nil {
		conn.Close()
		return
	}
	if l.IsHTTP() {
		k.Metrics.Begin(metrics.HTTP)
		defer k.Metrics.End(metrics.HTTP) // those of HTTP/2 are counted again while they last
	}
	switch l.Protocol {
	case "HTTP":
		k.http.ServePlain(conn, l)
	case "HTTPS":
		k.http.ServeTLS(conn, l)
	case "TCP", "TCP_UDP":
		k.flows.ServeTCP(conn, l)
	case "TLS":
		k.flows.ServeTLS(conn, l)
	default:
		conn.Close()
	}
}
