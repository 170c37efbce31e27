package balancer

import (
	"crypto/tls"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// flowRecord is what the access log tells of a connection to a TLS listener of a
// network load balancer.
type flowRecord struct {
	balancer      string // its name
	listener      string // its ARN
	client, local netip.AddrPort
	began         time.Time
	handshake     time.Duration        // from then until it was done
	state         *tls.ConnectionState // nil when the handshake failed

	certificate string   // the ARN of the one shown; empty when the client said nothing
	serverName  string   // that the client asked for
	offered     []string // protocols of ALPN, by the client
	negotiates  bool     // the listener has an ALPN policy

	received, sent int64  // from and to the client, within TLS
	alert          string // with which the client ended it
}

// line is a connection as the access log has it. now is when it was over.
// Source: NLB user guide, "Access log entries".
func (f *flowRecord) line(now time.Time) string {
	const stamp = "2006-01-02T15:04:05"
	took, cipher, version, chosen, offered := "", "", "", "", ""
	if f.state != nil {
		from := originOf(f.client, f.state)
		took = milliseconds(f.handshake)
		cipher, version = from.cipherSuite, strings.ToLower(strings.ReplaceAll(from.tlsVersion, ".", ""))
		chosen = f.state.NegotiatedProtocol
	}
	if f.negotiates {
		offered = preferences(f.offered)
	}
	fields := []string{
		"tls", "2.0", now.UTC().Format(stamp), f.balancer, f.listener[strings.LastIndexByte(f.listener, '/')+1:],
		f.client.String(), f.local.String(), milliseconds(now.Sub(f.began)), took,
		strconv.FormatInt(f.received, 10), strconv.FormatInt(f.sent, 10), f.alert,
		f.certificate, "", // a serial number: never
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
