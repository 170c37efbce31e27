package accesslog

import (
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"time"

	"fargo/balancer/exchange"
	"fargo/balancer/netconn"
	"fargo/balancer/objectlog"
)

// ConnectionLine is a connection as the log has it. No client shows a
// certificate, so the fields about one are empty. succeeded is whether the TLS
// handshake did, which took so long.
// Source: ALB user guide, "Connection log entries".
func ConnectionLine(c net.Conn, port uint16, succeeded bool, took time.Duration, now time.Time) string {
	client := netconn.AddrPort(c.RemoteAddr())
	protocol, cipher, latency, status := "-", "-", "-", "-"
	encrypted, ok := c.(*tls.Conn)
	switch {
	case ok && succeeded:
		state := encrypted.ConnectionState()
		from := exchange.OriginOf(client, &state)
		protocol, cipher, status = from.TLSVersion, from.CipherSuite, "Success"
		latency = strconv.FormatFloat(took.Seconds(), 'f', 3, 64)
	case ok:
		status = "Failed:UnmappedConnectionError"
	}
	return strings.Join([]string{
		now.UTC().Format("2006-01-02T15:04:05.000000Z"), client.Addr().String(), strconv.Itoa(int(client.Port())), strconv.Itoa(int(port)),
		protocol, cipher, latency, objectlog.Quote("-"), "-", "-", status, objectlog.OrDash(NameOf(c)),
	}, " ")
}
