package exchange

import (
	"crypto/tls"
	"net/netip"
	"strconv"
	"strings"

	"fargo/balancer/tlsconfig"
)

// Origin is where requests of one connection come from.
type Origin struct {
	peer        netip.AddrPort
	Address     string // the peer's, without port
	Port        string
	TLSVersion  string // "TLSv1.3"; empty without TLS
	CipherSuite string
	SNI         string // the name the client asked for
	Connection  string // what logs call the connection; empty without logs
}

// OriginOf says where a client's requests come from. state is nil without TLS.
func OriginOf(address netip.AddrPort, state *tls.ConnectionState) Origin {
	o := Origin{peer: address, Address: address.Addr().String(), Port: strconv.Itoa(int(address.Port()))}
	if state != nil {
		o.SNI = state.ServerName
		o.TLSVersion = strings.Replace(tls.VersionName(state.Version), "TLS ", "TLSv", 1)
		o.CipherSuite = tlsconfig.OpenSSLName(tls.CipherSuiteName(state.CipherSuite))
	}
	return o
}

// Client is the client's address as X-Forwarded-For has it.
func (o *Origin) Client(withPort bool) string {
	switch {
	case !withPort:
		return o.Address
	case strings.Contains(o.Address, ":"):
		return "[" + o.Address + "]:" + o.Port
	}
	return o.Address + ":" + o.Port
}

// SetOrigin notes where the request came from.
func (x *Exchange) SetOrigin(from *Origin) {
	x.Client = from.peer
	x.Connection = from.Connection
	x.TLS = from.TLSVersion != ""
	x.TLSVersion, x.Cipher, x.SNI = from.TLSVersion, from.CipherSuite, from.SNI
}
