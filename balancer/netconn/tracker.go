package netconn

import (
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
)

// Tracker holds what must be closed when a target's or listener's time is over.
type Tracker struct {
	mu struct {
		sync.Mutex
		open map[io.Closer]struct{}
		over bool
	}
}

// Add reports whether c may go on; after closeAll it may not.
func (t *Tracker) Add(c io.Closer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.over {
		return false
	}
	if t.mu.open == nil {
		t.mu.open = map[io.Closer]struct{}{}
	}
	t.mu.open[c] = struct{}{}
	return true
}

// Track gives a connection that is in t until it is closed. When it may not be it
// is closed at once, and the error is net.ErrClosed.
func (t *Tracker) Track(c net.Conn) (net.Conn, error) {
	held := &trackedConn{Conn: c, tracker: t}
	if !t.Add(held) {
		c.Close()
		return nil, net.ErrClosed
	}
	return held, nil
}

func (t *Tracker) Remove(c io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mu.open, c)
}

// List is what is held now.
func (t *Tracker) List() []io.Closer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.mu.open))
}

// CloseCurrent closes what is held now.
func (t *Tracker) CloseCurrent() {
	for _, c := range t.List() {
		c.Close()
	}
}

// CloseAll closes what is held, and refuses all that comes later.
func (t *Tracker) CloseAll() {
	t.mu.Lock()
	t.mu.over = true
	t.mu.Unlock()
	t.CloseCurrent()
}

// trackedConn is a connection in a tracker.
type trackedConn struct {
	net.Conn
	tracker *Tracker
}

// NetConn is the connection below.
func (h *trackedConn) NetConn() net.Conn { return h.Conn }

// CloseWrite ends what is sent, and leaves open what is received.
func (h *trackedConn) CloseWrite() error {
	half, ok := h.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Close closes the connection.
func (h *trackedConn) Close() error {
	h.tracker.Remove(h)
	return h.Conn.Close()
}
