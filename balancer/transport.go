package balancer

import (
	"context"
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
func (t *target) transport(s *Server, g *group, from string) *http.Transport {
	t.streams.mu.Lock()
	defer t.streams.mu.Unlock()
	if tr := t.streams.byFrom[from]; tr != nil {
		return tr
	}
	tr := &http.Transport{
		DisableCompression:     true,
		MaxIdleConnsPerHost:    256,
		IdleConnTimeout:        maxIdle,
		MaxResponseHeaderBytes: http1.MaxResponseHead,
	}
	speakHTTP2(tr, func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn, err := t.dialHTTP2(ctx, s.network, from)
		if err != nil {
			g.metrics.unreached(err)
		}
		return conn, err
	})
	if t.streams.byFrom == nil {
		t.streams.byFrom = map[string]*http.Transport{}
	}
	t.streams.byFrom[from] = tr
	return tr
}

// dialHTTP2 opens a connection to the target, which lasts no longer than that.
func (t *target) dialHTTP2(ctx context.Context, network Network, from string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := network.Dial(ctx, from, "tcp", t.address)
	if err != nil {
		return nil, err
	}
	held := &heldConn{Conn: conn, tracker: &t.conns}
	if !t.conns.add(held) {
		conn.Close()
		return nil, net.ErrClosed
	}
	return held, nil
}

// speakHTTP2 has a transport speak HTTP/2 only, with TLS where the request's URL
// has it, on connections whose peers cannot flood it. To net/http what is
// encrypted is not: in its own TLS no frames could be seen.
func speakHTTP2(tr *http.Transport, dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	tr.Protocols = new(http.Protocols)
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return newFloodConn(conn, 0), nil
	}
	tr.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		encrypted, err := encrypt(ctx, conn, "h2")
		if err != nil {
			conn.Close()
			return nil, err
		}
		return newFloodConn(encrypted, 0), nil
	}
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
