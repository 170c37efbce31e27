package accesslog

import (
	"crypto/tls"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"fargo/balancer/exchange"
	"fargo/balancer/objectlog"
)

// Flow is what the access log tells of a connection to a TLS listener of a
// network load balancer.
type Flow struct {
	Balancer      string // its name
	Listener      string // its ARN
	Client, Local netip.AddrPort
	Began         time.Time
	Handshake     time.Duration        // from then until it was done
	State         *tls.ConnectionState // nil when the handshake failed

	Certificate string   // the ARN of the one shown; empty when no client hello came
	ServerName  string   // that the client asked for
	Offered     []string // protocols of ALPN, by the client
	Negotiates  bool     // the listener has an ALPN policy

	Received, Sent int64  // from and to the client, within TLS
	Alert          string // with which the client ended it
}

// Line is a connection as the access log has it. now is when it was over.
// Source: NLB user guide, "Access log entries".
func (f *Flow) Line(now time.Time) string {
	const stamp = "2006-01-02T15:04:05"
	took, cipher, version, chosen, offered := "", "", "", "", ""
	if f.State != nil {
		from := exchange.OriginOf(f.Client, f.State)
		took = milliseconds(f.Handshake)
		cipher, version = from.CipherSuite, strings.ToLower(strings.ReplaceAll(from.TLSVersion, ".", ""))
		chosen = f.State.NegotiatedProtocol
	}
	if f.Negotiates {
		offered = preferences(f.Offered)
	}
	fields := []string{
		"tls", "2.0", now.UTC().Format(stamp), f.Balancer, f.Listener[strings.LastIndexByte(f.Listener, '/')+1:],
		f.Client.String(), f.Local.String(), milliseconds(now.Sub(f.Began)), took,
		strconv.FormatInt(f.Received, 10), strconv.FormatInt(f.Sent, 10), f.Alert,
		f.Certificate, "", // a serial number: never
		cipher, version, "", // a named group: never
		url.PathEscape(f.ServerName), chosen, "", // none is agreed on with targets
		offered, f.Began.UTC().Format(stamp),
	}
	for i := range fields {
		fields[i] = objectlog.OrDash(fields[i])
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
