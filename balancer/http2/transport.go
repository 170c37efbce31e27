package http2

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"

	"fargo/balancer/tlsconfig"
)

// Preface is what a client says first. Source: RFC 9113 section 3.4.
const Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// Acceptable reports whether what was agreed on is enough for HTTP/2.
// Source: RFC 9113 section 9.2.
func Acceptable(state *tls.ConnectionState) bool {
	switch state.CipherSuite {
	case tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
		return true // which TLS 1.2 has first
	}
	return state.Version >= tls.VersionTLS13
}

// Configure has a transport speak HTTP/2 only, with TLS where the request's URL
// has it, on connections whose peers cannot flood it. To net/http what is
// encrypted is not: in its own TLS no frames could be seen.
func Configure(tr *http.Transport, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return Guard(conn, 0), nil
	}
	tr.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		encrypted, err := tlsconfig.ClientHandshake(ctx, conn, "h2")
		if err != nil {
			conn.Close()
			return nil, err
		}
		return Guard(encrypted, 0), nil
	}
}
