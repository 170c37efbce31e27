package balancer

import (
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// tlsFlow is a client's connection, below TLS, to a network load balancer, with
// what its access log tells of the handshake.
type tlsFlow struct {
	net.Conn
	began time.Time
	shook time.Duration // from then until hands were shaken

	greeted    bool // a client hello came, with these:
	serverName string
	offered    []string // protocols of ALPN
}

// noteHello notes what the client of a tlsFlow says first, and leaves the
// configuration as it is. It is a GetConfigForClient.
func noteHello(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if f, ok := hello.Conn.(*tlsFlow); ok {
		f.greeted, f.serverName, f.offered = true, hello.ServerName, hello.SupportedProtos
	}
	return nil, nil
}

// flowEnd is how a connection of a network load balancer ended.
type flowEnd struct {
	received, sent int64 // from and to the client, in it
	alert          string
}

// logFlow writes a line about a connection to a TLS listener that has ended, if
// there is a log.
func (l *listener) logFlow(f *tlsFlow, state *tls.ConnectionState, end flowEnd) {
	if l.log == nil {
		return
	}
	now := time.Now()
	if err := l.log.write(f.line(l, state, end, now), now); err != nil {
		l.logger.Warn("access log line lost", "balancer", l.balancer.name, "error", err)
	}
}

// line is a connection as the access log has it. state is nil when its handshake
// failed. now is when it was over.
// Source: NLB user guide, "Access log entries".
func (f *tlsFlow) line(l *listener, state *tls.ConnectionState, end flowEnd, now time.Time) string {
	const stamp = "2006-01-02T15:04:05"
	client, certificate := addrPortOf(f.RemoteAddr()), ""
	if f.greeted {
		certificate = l.certificate(f.serverName)
	}
	took, cipher, version, chosen, offered := "", "", "", "", ""
	if state != nil {
		from := originOf(client, state)
		took = milliseconds(f.shook)
		cipher, version = from.cipherSuite, strings.ToLower(strings.ReplaceAll(from.tlsVersion, ".", ""))
		chosen = state.NegotiatedProtocol
	}
	if len(l.tls.NextProtos) > 0 {
		offered = preferences(f.offered)
	}
	fields := []string{
		"tls", "2.0", now.UTC().Format(stamp), l.balancer.name, l.arn[strings.LastIndexByte(l.arn, '/')+1:],
		client.String(), addrPortOf(f.LocalAddr()).String(), milliseconds(now.Sub(f.began)), took,
		strconv.FormatInt(end.received, 10), strconv.FormatInt(end.sent, 10), end.alert,
		certificate, "", // a serial number: never
		cipher, version, "", // a named group: never
		url.PathEscape(f.serverName), chosen, "", // none is agreed on with targets
		offered, f.began.UTC().Format(stamp),
	}
	for i := range fields {
		fields[i] = orDash(fields[i])
	}
	return strings.Join(fields, " ")
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// maxPreferences is how long a client's list of protocols may be in a line, in
// bytes.
const maxPreferences = 256

// preferences are the protocols that a client offers, as a line has them.
func preferences(offered []string) string {
	quoted := make([]string, len(offered))
	for i, protocol := range offered {
		quoted[i] = `"` + strings.ReplaceAll(url.PathEscape(protocol), "%2F", "/") + `"`
	}
	list := strings.Join(quoted, ",")
	return list[:min(len(list), maxPreferences)]
}

// alertIn is the number of the TLS alert with which the other side ended a
// connection; empty when an error is another.
func alertIn(err error) string {
	var e *net.OpError
	if !errors.As(err, &e) || e.Op != "remote error" {
		return ""
	}
	// crypto/tls does not export the type
	if v := reflect.ValueOf(e.Err); v.Kind() == reflect.Uint8 {
		return strconv.FormatUint(v.Uint(), 10)
	}
	return ""
}
