package balancer

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"
	"time"
)

// defaultTCPIdle is how long a connection may rest unless the listener's
// attributes say otherwise, in seconds. Source: NLB user guide, "Idle timeout".
const defaultTCPIdle = 350

// flow is what the balancer knows of a connection, or of datagrams that belong
// together, when it chooses a target.
type flow struct {
	client, local netip.AddrPort
}

// hash tells flows apart; with bySource, only their clients' addresses.
func (f flow) hash(bySource bool) uint64 {
	h := fnv.New64a()
	address := f.client.Addr().As16()
	h.Write(address[:])
	if !bySource {
		address = f.local.Addr().As16()
		h.Write(address[:])
		h.Write(binary.BigEndian.AppendUint16(nil, f.client.Port()))
		h.Write(binary.BigEndian.AppendUint16(nil, f.local.Port()))
	}
	return h.Sum64()
}

// chooseForFlow is the target for a flow: the same as long as it is there,
// whoever else comes and goes (highest random weight). It is nil when there is
// none.
func (t *table) chooseForFlow(f flow) *target {
	seed := f.hash(t.sticky.kind == "source_ip")
	var best *target
	var highest uint64
	for _, e := range t.eligible {
		if weight := mix(seed ^ e.seed); best == nil || weight > highest {
			best, highest = e, weight
		}
	}
	return best
}

// mix spreads a number over all bits (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// destination is the group and the target for a flow. The target is nil when
// there is none.
func (l *listener) destination(k *socket, f flow) (*group, *table, *target) {
	if len(l.rules) == 0 || l.rules[len(l.rules)-1].action.forward == nil {
		return nil, nil, nil
	}
	v := l.rules[len(l.rules)-1].action.forward.next()
	if v == nil {
		return nil, nil, nil
	}
	t := l.tableOf(v, k)
	return v.group, t, t.chooseForFlow(f)
}

// serveEncryptedTCP takes TLS off a client's connection and serves what is in
// it.
func (s *Server) serveEncryptedTCP(k *socket, conn net.Conn, l *listener) {
	f := &tlsFlow{Conn: conn, began: time.Now()}
	encrypted := tls.Server(f, l.tls)
	if !s.handshake(k, encrypted, l) {
		l.logFlow(f, nil, flowEnd{alert: alertIn(encrypted.Handshake())}) // tells again how it failed
		return
	}
	f.shook = time.Since(f.began)
	l.logFlow(f, new(encrypted.ConnectionState()), s.serveTCP(k, encrypted, l))
}

// serveTCP joins a client's connection to one of a target's, until it ends.
func (s *Server) serveTCP(k *socket, conn net.Conn, l *listener) (end flowEnd) {
	m := &l.balancer.metrics
	if !k.conns.add(conn) {
		conn.Close()
		return flowEnd{}
	}
	defer k.conns.remove(conn)
	f := flow{addrPortOf(conn.RemoteAddr()), addrPortOf(conn.LocalAddr())}
	up, err := s.reachFor(k, l, f)
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
	m.countEnd(err, conn)
	var broken *brokenError
	if errors.As(err, &broken) && broken.conn == conn {
		end.alert = alertIn(err)
	}
	return end
}

// countEnd counts how a connection ended.
func (m *balancerCounters) countEnd(err error, client net.Conn) {
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

// reachFor connects to the target for a flow.
func (s *Server) reachFor(k *socket, l *listener, f flow) (net.Conn, error) {
	g, table, t := l.destination(k, f)
	if t == nil {
		return nil, errNoTarget
	}
	conn, err := dialTarget(s.ctx, s.network, k.interfaceID, t, false)
	if err != nil {
		g.metrics.unreached(err)
		return nil, err
	}
	held := &heldConn{Conn: conn, tracker: &t.conns}
	if !t.conns.add(held) {
		conn.Close()
		return nil, net.ErrClosed
	}
	if table.proxyProtocol() {
		if _, err := conn.Write(proxyHeader(f, proxyStream)); err != nil {
			held.Close()
			return nil, err
		}
	}
	if !table.tls {
		return held, nil
	}
	encrypted, err := encrypt(s.ctx, held)
	if err != nil {
		g.metrics.unreached(err)
		held.Close()
		return nil, err
	}
	return encrypted, nil
}

// proxyProtocol reports whether connections to a group's targets begin with a
// header of the PROXY protocol, and datagrams too.
func (s *groupSettings) proxyProtocol() bool {
	return s.attributes.on("proxy_protocol_v2.enabled", false)
}

// proxySignature begins every header of version 2.
const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// proxyLocal is the header of a connection that is the balancer's own.
const proxyLocal = proxySignature + "\x20\x00\x00\x00"

// What a header speaks of.
const (
	proxyStream   = 1
	proxyDatagram = 2
)

// proxyHeader tells a target where a connection or a datagram really comes from.
// Source: "The PROXY protocol", version 2, section 2.2.
func proxyHeader(f flow, kind byte) []byte {
	const proxied, ip4, ip6 = 0x21, 0x10, 0x20
	client, local := f.client.Addr().Unmap(), f.local.Addr().Unmap()
	family, addresses := byte(ip4), append(client.AsSlice(), local.AsSlice()...)
	if client.Is6() || local.Is6() {
		a, b := client.As16(), local.As16()
		family, addresses = ip6, append(a[:], b[:]...)
	}
	h := append([]byte(proxySignature), proxied, family|kind)
	h = binary.BigEndian.AppendUint16(h, uint16(len(addresses)+4))
	h = append(h, addresses...)
	h = binary.BigEndian.AppendUint16(h, f.client.Port())
	return binary.BigEndian.AppendUint16(h, f.local.Port())
}

// encrypt shakes hands with a target, whose certificate is not verified, as AWS
// does not. The target must agree on one of the protocols, if any are given.
func encrypt(ctx context.Context, conn net.Conn, protocols ...string) (net.Conn, error) {
	encrypted := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, &handshakeError{err}
	}
	if agreed := encrypted.ConnectionState().NegotiatedProtocol; len(protocols) > 0 && !slices.Contains(protocols, agreed) {
		return nil, &handshakeError{fmt.Errorf("target does not speak %v", protocols)}
	}
	return encrypted, nil
}

// readTCPIdle is how long a listener's connections may rest.
func readTCPIdle(a attributes) time.Duration {
	return a.seconds("tcp.idle_timeout.seconds", defaultTCPIdle)
}
