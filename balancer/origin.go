package balancer

import (
	"crypto/tls"
	"net/netip"
	"strconv"
	"strings"
)

// origin is where requests of one connection come from.
type origin struct {
	peer        netip.AddrPort
	address     string // the peer's, without port
	port        string
	tlsVersion  string // "TLSv1.3"; empty without TLS
	cipherSuite string
	sni         string // the name the client asked for
	connection  string // what logs call the connection; empty without logs
}

// originOf says where a client's requests come from. state is nil without TLS.
func originOf(address netip.AddrPort, state *tls.ConnectionState) origin {
	o := origin{peer: address, address: address.Addr().String(), port: strconv.Itoa(int(address.Port()))}
	if state != nil {
		o.sni = state.ServerName
		o.tlsVersion = strings.Replace(tls.VersionName(state.Version), "TLS ", "TLSv", 1)
		o.cipherSuite = openSSLName(tls.CipherSuiteName(state.CipherSuite))
	}
	return o
}

// client is the client's address as X-Forwarded-For has it.
func (o *origin) client(withPort bool) string {
	switch {
	case !withPort:
		return o.address
	case strings.Contains(o.address, ":"):
		return "[" + o.address + "]:" + o.port
	}
	return o.address + ":" + o.port
}

// noteTLS notes what was agreed on a client's connection.
func (x *exchange) noteTLS(from *origin) {
	x.connection = from.connection
	x.TLS = from.tlsVersion != ""
	x.tlsVersion, x.cipher, x.sni = from.tlsVersion, from.cipherSuite, from.sni
}
