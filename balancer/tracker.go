package balancer

import (
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
)

// tracker holds what must be closed when a target's or listener's time is over.
type tracker struct {
	mu struct {
		sync.Mutex
		held map[io.Closer]struct{}
		over bool
	}
}

// add reports whether c may go on; after closeAll it may not.
func (t *tracker) add(c io.Closer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.over {
		return false
	}
	if t.mu.held == nil {
		t.mu.held = map[io.Closer]struct{}{}
	}
	t.mu.held[c] = struct{}{}
	return true
}

// hold gives a connection that is in t until it is closed. When it may not be it
// is closed at once, and the error is net.ErrClosed.
func (t *tracker) hold(c net.Conn) (net.Conn, error) {
	held := &heldConn{Conn: c, tracker: t}
	if !t.add(held) {
		c.Close()
		return nil, net.ErrClosed
	}
	return held, nil
}

func (t *tracker) remove(c io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mu.held, c)
}

// list is what is held now.
func (t *tracker) list() []io.Closer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.mu.held))
}

// closeHeld closes what is held now.
func (t *tracker) closeHeld() {
	for _, c := range t.list() {
		c.Close()
	}
}

// closeAll closes what is held, and refuses all that comes later.
func (t *tracker) closeAll() {
	t.mu.Lock()
	t.mu.over = true
	t.mu.Unlock()
	t.closeHeld()
}

// heldConn is a connection in a tracker.
type heldConn struct {
	net.Conn
	tracker *tracker
}

// NetConn is the connection below.
func (h *heldConn) NetConn() net.Conn { return h.Conn }

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
