package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// flowServer passes connections and datagrams that come to one port of network
// load balancers to targets.
type flowServer struct {
	port   *port
	dialer upstreamDialer
	logger *slog.Logger
	ctx    context.Context // ends what waits
	tasks  *sync.WaitGroup // is told of goroutines
}

// destination is the group and the target for a flow. The target is nil when
// there is none.
func (s *flowServer) destination(l *listener, f flow) (*group, *table, *target) {
	if len(l.rules) == 0 {
		return nil, nil, nil
	}
	last := l.rules[len(l.rules)-1]
	if last.action.forward == nil {
		return nil, nil, nil
	}
	i := last.action.forward.next()
	if i < 0 {
		return nil, nil, nil
	}
	v := last.groups[i]
	t := l.tableOf(v, s.port.interfaceID)
	return v.group, t, t.chooseForFlow(f)
}

// serveTLS takes TLS off a client's connection and serves what is in
// it.
func (s *flowServer) serveTLS(conn net.Conn, l *listener) {
	f := &tlsFlow{Conn: conn, began: time.Now()}
	encrypted := tls.Server(f, l.tls.config)
	if !s.port.handshake(s.ctx, encrypted, l) {
		s.logFlow(l, f, nil, flowEnd{alert: alertIn(encrypted.Handshake())}) // tells again how it failed
		return
	}
	f.handshake = time.Since(f.began)
	s.logFlow(l, f, new(encrypted.ConnectionState()), s.serveTCP(encrypted, l))
}

// serveTCP joins a client's connection to one of a target's, until it ends.
func (s *flowServer) serveTCP(conn net.Conn, l *listener) (end flowEnd) {
	m := &l.balancer.metrics
	if !s.port.conns.add(conn) {
		conn.Close()
		return flowEnd{}
	}
	defer s.port.conns.remove(conn)
	f := flow{addrPortOf(conn.RemoteAddr()), addrPortOf(conn.LocalAddr())}
	up, err := s.reach(l, f)
	if err != nil {
		s.logger.Debug("connection refused", "listener", l.arn, "client", f.client, "error", err)
		m.elbResets.Add(1)
		reset(conn)
		conn.Close()
		return flowEnd{}
	}
	defer up.Close()
	t := tunnel{idle: l.tcpIdle}
	err = t.run(conn, up)
	end = flowEnd{received: t.there.Load(), sent: t.back.Load()}
	m.bytes.Add(uint64(end.received + end.sent))
	countEnd(m, err, conn)
	var broken *brokenError
	if errors.As(err, &broken) && broken.conn == conn {
		end.alert = alertIn(err)
	}
	return end
}

// countEnd counts how a connection ended.
func countEnd(m *balancerCounters, err error, client net.Conn) {
	var broken *brokenError
	switch {
	case err == nil:
	case errors.Is(err, net.ErrClosed): // the balancer ended it
		m.elbResets.Add(1)
	case errors.As(err, &broken) && broken.conn == client:
		m.clientResets.Add(1)
	case errors.As(err, &broken):
		m.targetResets.Add(1)
	default:
		m.elbResets.Add(1)
	}
}

var errNoTarget = errors.New("no target")

// reach connects to the target for a flow.
func (s *flowServer) reach(l *listener, f flow) (net.Conn, error) {
	g, table, t := s.destination(l, f)
	if t == nil {
		return nil, errNoTarget
	}
	conn, err := t.conns.dial(s.ctx, s.dialer, s.port.interfaceID, "tcp")
	if errors.Is(err, net.ErrClosed) {
		return nil, err // the target's time is over
	}
	if err != nil {
		g.metrics.unreached(err)
		return nil, err
	}
	if table.proxyProtocol() {
		if _, err := conn.Write(proxyHeader(f.client, f.local, proxyStream)); err != nil {
			conn.Close()
			return nil, err
		}
	}
	if !table.tls {
		return conn, nil
	}
	encrypted, err := encrypt(s.ctx, conn)
	if err != nil {
		g.metrics.unreached(err)
		conn.Close()
		return nil, err
	}
	return encrypted, nil
}
