package balancer

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"
)

// namedConn is a client's connection with what logs call it.
type namedConn struct {
	net.Conn
	name string
}

// CloseWrite ends what is sent, and leaves open what is received.
func (c *namedConn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// named gives a connection a name, if there are logs in which it could be told.
func (l *listener) named(c net.Conn) net.Conn {
	if l.log == nil && l.connections == nil {
		return c
	}
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: see crypto/rand
	return &namedConn{c, "TID_" + hex.EncodeToString(id[:])}
}

// nameOf is what logs call a connection; empty when it has no name.
func nameOf(c net.Conn) string {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	if named, ok := c.(*namedConn); ok {
		return named.name
	}
	return ""
}

// logConnection writes a line about a client's connection. shaken is false for
// one whose TLS handshake failed.
func (l *listener) logConnection(c net.Conn, shaken bool, began time.Time) {
	now := time.Now()
	if err := l.connections.write(connectionLine(c, l.port, shaken, now.Sub(began), now), now); err != nil {
		l.logger.Warn("connection log line lost", "balancer", l.balancer.name, "error", err)
	}
}

// connectionLine is a connection as the log has it. No client shows a
// certificate, so the fields about one are empty.
// Source: ALB user guide, "Connection log entries".
func connectionLine(c net.Conn, port uint16, shaken bool, took time.Duration, now time.Time) string {
	client := addrPortOf(c.RemoteAddr())
	protocol, cipher, latency, status := "-", "-", "-", "-"
	encrypted, ok := c.(*tls.Conn)
	switch {
	case ok && shaken:
		state := encrypted.ConnectionState()
		from := originOf(client, &state)
		protocol, cipher, status = from.tlsVersion, from.cipherSuite, "Success"
		latency = strconv.FormatFloat(took.Seconds(), 'f', 3, 64)
	case ok:
		status = "Failed:UnmappedConnectionError"
	}
	return strings.Join([]string{
		now.UTC().Format("2006-01-02T15:04:05.000000Z"), client.Addr().String(), strconv.Itoa(int(client.Port())), strconv.Itoa(int(port)),
		protocol, cipher, latency, quote("-"), "-", "-", status, orDash(nameOf(c)),
	}, " ")
}
