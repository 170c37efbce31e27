package accesslog

import (
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"net"
)

// namedConn is a client's connection with what logs call it.
type namedConn struct {
	net.Conn
	name string
}

// NetConn is the connection below.
func (c *namedConn) NetConn() net.Conn { return c.Conn }

// CloseWrite ends what is sent, and leaves open what is received.
func (c *namedConn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Name gives a connection a name.
func Name(c net.Conn) net.Conn {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: see crypto/rand
	return &namedConn{c, "TID_" + hex.EncodeToString(id[:])}
}

// NameOf is what logs call a connection; empty when it has no name.
func NameOf(c net.Conn) string {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	if named, ok := c.(*namedConn); ok {
		return named.name
	}
	return ""
}
