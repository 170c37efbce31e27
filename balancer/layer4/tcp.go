package layer4

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"fargo/balancer/listener"
	"fargo/balancer/metrics"
	"fargo/balancer/netconn"
	"fargo/balancer/proxyprotocol"
	"fargo/balancer/targetgroup"
	"fargo/balancer/tlsconfig"
	"fargo/balancer/upstream"
)

// Server passes connections and datagrams that come to one port of network
// load balancers to targets.
type Server struct {
	port   *listener.Port
	source *upstream.Source
	logger *slog.Logger
	ctx    context.Context // ends what waits for targets
	tasks  *sync.WaitGroup // is told of goroutines
}

// NewServer makes a server of what comes to a port.
func NewServer(ctx context.Context, tasks *sync.WaitGroup, dialer upstream.Dialer, logger *slog.Logger, port *listener.Port) *Server {
	return &Server{port: port, source: &upstream.Source{Dialer: dialer, Interface: port.InterfaceID}, logger: logger, ctx: ctx, tasks: tasks}
}

// destination is the group and the target for a flow. The target is nil when
// there is none.
func (s *Server) destination(l *listener.Listener, f targetgroup.Flow) (*targetgroup.Group, *targetgroup.Table, *targetgroup.Target) {
	if len(l.Rules) == 0 {
		return nil, nil, nil
	}
	last := l.Rules[len(l.Rules)-1]
	if last.Action.Forward == nil {
		return nil, nil, nil
	}
	i := last.Action.Forward.Next()
	if i < 0 {
		return nil, nil, nil
	}
	v := last.Groups[i]
	t := s.port.TableOf(v)
	return v.Group, t, t.ChooseFor(f)
}

// ServeTLS takes TLS off a client's connection and serves what is in it.
func (s *Server) ServeTLS(conn net.Conn, l *listener.Listener) {
	f := &tlsConn{Conn: conn, began: time.Now()}
	encrypted := tls.Server(f, l.TLS.TLS)
	if !s.port.Handshake(s.ctx, encrypted) {
		s.logFlow(l, f, nil, flowEnd{alert: alertIn(encrypted.Handshake())}) // tells again how it failed
		return
	}
	f.handshake = time.Since(f.began)
	s.logFlow(l, f, new(encrypted.ConnectionState()), s.tunnel(encrypted, l))
}

// ServeTCP joins a client's connection to one of a target's, until it ends.
func (s *Server) ServeTCP(conn net.Conn, l *listener.Listener) { s.tunnel(conn, l) }

// tunnel joins a client's connection to one of a target's, and says how it ended.
func (s *Server) tunnel(conn net.Conn, l *listener.Listener) (end flowEnd) {
	m := s.port.Metrics
	if !s.port.Conns.Add(conn) {
		conn.Close()
		return flowEnd{}
	}
	defer s.port.Conns.Remove(conn)
	f := targetgroup.Flow{Client: netconn.AddrPort(conn.RemoteAddr()), Local: netconn.AddrPort(conn.LocalAddr())}
	up, err := s.reach(l, f)
	if err != nil {
		s.logger.Debug("connection refused", "listener", l.ARN, "client", f.Client, "error", err)
		m.CountReset()
		netconn.Reset(conn)
		conn.Close()
		return flowEnd{}
	}
	defer up.Close()
	kind := flowOf(l)
	m.Begin(kind)
	defer m.End(kind)
	t := netconn.Tunnel{Idle: l.TCPIdle, Passed: func(n int64) { m.Passed(kind, n) }}
	err = t.Run(conn, up)
	end = flowEnd{received: t.Sent.Load(), sent: t.Received.Load()}
	countEnd(m, err, conn)
	var broken *netconn.BrokenError
	if errors.As(err, &broken) && broken.Conn == conn {
		end.alert = alertIn(err)
	}
	return end
}

// flowOf is what a connection to a listener is counted as.
func flowOf(l *listener.Listener) metrics.Flow {
	if l.Protocol == "TLS" {
		return metrics.TLS
	}
	return metrics.TCP
}

// countEnd counts how a connection ended.
func countEnd(m *metrics.Balancer, err error, client net.Conn) {
	var broken *netconn.BrokenError
	switch {
	case err == nil:
	case errors.Is(err, net.ErrClosed): // the balancer ended it
		m.CountReset()
	case errors.As(err, &broken) && broken.Conn == client:
		m.CountClientReset()
	case errors.As(err, &broken):
		m.CountTargetReset()
	default:
		m.CountReset()
	}
}

var errNoTarget = errors.New("no target")

// reach connects to the target for a flow.
func (s *Server) reach(l *listener.Listener, f targetgroup.Flow) (net.Conn, error) {
	g, table, t := s.destination(l, f)
	if t == nil {
		return nil, errNoTarget
	}
	conn, err := t.Conns.Dial(s.ctx, s.source, "tcp")
	if errors.Is(err, net.ErrClosed) {
		return nil, err // the target's time is over
	}
	if err != nil {
		s.port.Metrics.CountUnreached(err)
		return nil, err
	}
	if table.FailOpen && flowOf(l) != metrics.TLS {
		s.port.Metrics.CountUnhealthyFlow()
	}
	if table.ProxyProtocol() {
		if _, err := conn.Write(proxyprotocol.Header(f.Client, f.Local, proxyprotocol.Stream)); err != nil {
			conn.Close()
			return nil, err
		}
	}
	if !table.TLS {
		return conn, nil
	}
	encrypted, err := tlsconfig.ClientHandshake(s.ctx, conn)
	if err != nil {
		g.Counters(s.port.Zone).CountUnreached(err)
		conn.Close()
		return nil, err
	}
	return encrypted, nil
}
