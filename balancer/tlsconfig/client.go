package tlsconfig

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"
)

// HandshakeTimeout is how long a TLS handshake may take.
// Source: ALB user guide, "Troubleshoot your Application Load Balancers".
const HandshakeTimeout = 10 * time.Second

// ClientHandshake makes the TLS handshake with a target, whose certificate is not
// verified, as AWS does not. It does not close conn. The target must agree on one of the protocols, if any are given.
func ClientHandshake(ctx context.Context, conn net.Conn, protocols ...string) (net.Conn, error) {
	encrypted := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols})
	ctx, cancel := context.WithTimeout(ctx, HandshakeTimeout)
	defer cancel()
	if err := encrypted.HandshakeContext(ctx); err != nil {
		return nil, &handshakeError{err}
	}
	if agreed := encrypted.ConnectionState().NegotiatedProtocol; len(protocols) > 0 && !slices.Contains(protocols, agreed) {
		return nil, &handshakeError{fmt.Errorf("target does not speak %v", protocols)}
	}
	return encrypted, nil
}

// handshakeError is a TLS handshake that failed.
type handshakeError struct{ cause error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.cause.Error() }
func (e *handshakeError) Unwrap() error { return e.cause }

// IsHandshakeError reports whether it was the TLS handshake that failed.
func IsHandshakeError(err error) bool {
	var h *handshakeError
	return errors.As(err, &h)
}
