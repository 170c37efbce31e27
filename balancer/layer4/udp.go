package layer4

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fargo/balancer/listener"
	"fargo/balancer/metrics"
	"fargo/balancer/netconn"
	"fargo/balancer/proxyprotocol"
	"fargo/balancer/targetgroup"
)

// Limits of datagrams. Source: NLB user guide, "Idle timeout".
const (
	udpIdle     = 120 * time.Second
	maxDatagram = 64 << 10
)

// udpFlows are the datagrams between one port's clients and their targets.
type udpFlows struct {
	server *Server
	socket net.PacketConn
	mu     struct {
		sync.Mutex
		byClient map[netip.AddrPort]*udpFlow
	}
}

// udpFlow is the datagrams between one client and its target.
type udpFlow struct {
	client netip.AddrPort
	conn   net.Conn     // to the target
	header []byte       // of the PROXY protocol, before each datagram; nil for none
	last   atomic.Int64 // when something passed, in Unix nanoseconds
}

// ServeUDP passes datagrams until the socket is closed.
func (s *Server) ServeUDP(socket net.PacketConn) {
	f := &udpFlows{server: s, socket: socket}
	f.mu.byClient = map[netip.AddrPort]*udpFlow{}
	defer f.closeAll()
	buffer := make([]byte, maxDatagram)
	for {
		n, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		f.pass(netconn.AddrPort(from), buffer[:n])
	}
}

// pass sends a client's datagram to its target. As with any datagram, one that
// cannot be sent is lost.
func (f *udpFlows) pass(client netip.AddrPort, datagram []byte) {
	l := f.server.port.Listener.Load()
	if l == nil {
		return
	}
	u := f.find(client)
	if u == nil {
		if u = f.begin(l, client); u == nil {
			return
		}
	}
	u.last.Store(time.Now().UnixNano())
	if len(u.header) > 0 {
		datagram = slices.Concat(u.header, datagram)
	}
	if n, err := u.conn.Write(datagram); err == nil {
		f.server.port.Metrics.Passed(metrics.UDP, int64(n))
	}
}

func (f *udpFlows) find(client netip.AddrPort) *udpFlow {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.byClient[client]
}

// begin chooses a target for a new client. It is nil when there is none.
func (f *udpFlows) begin(l *listener.Listener, client netip.AddrPort) *udpFlow {
	s := f.server
	// The socket may be at any address: it does not know where datagrams were sent to.
	from := targetgroup.Flow{Client: client, Local: netip.AddrPortFrom(s.port.Address, l.Port)}
	_, table, t := s.destination(l, from)
	if t == nil {
		return nil
	}
	conn, err := t.Conns.Dial(s.ctx, s.source, "udp")
	if errors.Is(err, net.ErrClosed) {
		return nil // the target's time is over
	}
	if err != nil {
		s.port.Metrics.CountUnreached(err)
		return nil
	}
	if table.FailOpen {
		s.port.Metrics.CountUnhealthyFlow()
	}
	u := &udpFlow{client: client, conn: conn}
	if table.ProxyProtocol() {
		u.header = proxyprotocol.Header(from.Client, from.Local, proxyprotocol.Datagram)
	}
	f.mu.Lock()
	f.mu.byClient[client] = u
	f.mu.Unlock()
	s.tasks.Go(func() { f.back(u) })
	return u
}

// back passes the target's datagrams to the client until the flow rests too
// long or its target is gone.
func (f *udpFlows) back(u *udpFlow) {
	m := f.server.port.Metrics
	m.Begin(metrics.UDP)
	defer m.End(metrics.UDP)
	defer f.end(u)
	to := net.UDPAddrFromAddrPort(u.client)
	buffer := make([]byte, maxDatagram)
	for {
		if err := u.conn.SetReadDeadline(time.Now().Add(udpIdle)); err != nil {
			return
		}
		n, err := u.conn.Read(buffer)
		switch {
		case err == nil:
			u.last.Store(time.Now().UnixNano())
			if n, err := f.socket.WriteTo(buffer[:n], to); err == nil {
				m.Passed(metrics.UDP, int64(n))
			}
		case !netconn.IsTimeout(err), time.Since(time.Unix(0, u.last.Load())) >= udpIdle:
			return
		}
	}
}

func (f *udpFlows) end(u *udpFlow) {
	u.conn.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.byClient[u.client] == u {
		delete(f.mu.byClient, u.client)
	}
}

func (f *udpFlows) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, u := range f.mu.byClient {
		u.conn.Close()
	}
}
