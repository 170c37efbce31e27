package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"

	"fargo/balancer/http1"
)

// transports are what streams reach a target of HTTP/2 through, by interface.
type transports struct {
	mu     sync.Mutex
	byFrom map[string]*http.Transport
}

// transport gives the target's transport from an interface. What it dials ends
// with the target's time.
func (t *target) transport(s *Server, g *group, table *table, from string) *http.Transport {
	t.streams.mu.Lock()
	defer t.streams.mu.Unlock()
	if tr := t.streams.byFrom[from]; tr != nil {
		return tr
	}
	protocols := new(http.Protocols)
	if table.tls {
		protocols.SetHTTP2(true)
	} else {
		protocols.SetUnencryptedHTTP2(true)
	}
	tr := &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectTimeout)
			defer cancel()
			conn, err := s.network.Dial(ctx, from, "tcp", t.address)
			if err != nil {
				g.metrics.unreached(err)
				return nil, err
			}
			held := &heldConn{Conn: conn, tracker: &t.conns}
			if !t.conns.add(held) {
				conn.Close()
				return nil, net.ErrClosed
			}
			return held, nil
		},
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true}, // as ALB: targets' certificates are not verified
		TLSHandshakeTimeout:    handshakeTimeout,
		Protocols:              protocols,
		DisableCompression:     true,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        maxIdle,
		MaxResponseHeaderBytes: http1.MaxResponseHead,
	}
	if t.streams.byFrom == nil {
		t.streams.byFrom = map[string]*http.Transport{}
	}
	t.streams.byFrom[from] = tr
	return tr
}

// closeIdle closes the connections on which there is no request.
func (s *transports) closeIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tr := range s.byFrom {
		tr.CloseIdleConnections()
	}
}

// heldConn is a connection in a tracker.
type heldConn struct {
	net.Conn
	tracker *tracker
}

// CloseWrite ends what is sent, and leaves open what is received.
func (h *heldConn) CloseWrite() error {
	half, ok := h.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Close closes the connection.
func (h *heldConn) Close() error {
	h.tracker.remove(h)
	return h.Conn.Close()
}
