package netconn

import (
	"errors"
	"io"
	"maps"
	"net"
	"slices"
	"sync"
)

// Tracker is a set of connections that are closed together.
type Tracker struct {
	mu struct {
		sync.Mutex
		open map[io.Closer]struct{}
		over bool // nothing more may be added
	}
}

// Add adds c, and reports whether it may go on; after CloseAll it may not.
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

// Track gives a connection that is in t until it is closed; closed, if not nil, is called
// then, once. When it may not be in t it is closed at once, and the error is
// net.ErrClosed.
func (t *Tracker) Track(c net.Conn, closed func()) (net.Conn, error) {
	tracked := &trackedConn{Conn: c, tracker: t, closed: closed}
	if !t.Add(tracked) {
		c.Close()
		return nil, net.ErrClosed
	}
	return tracked, nil
}

// Remove takes c out of t, and reports whether it was there.
func (t *Tracker) Remove(c io.Closer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, was := t.mu.open[c]
	delete(t.mu.open, c)
	return was
}

// List is what is in t now.
func (t *Tracker) List() []io.Closer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.mu.open))
}

// CloseCurrent closes what is in t now.
func (t *Tracker) CloseCurrent() {
	for _, c := range t.List() {
		c.Close()
	}
}

// CloseAll closes what is in t, and refuses all that comes later.
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
	closed  func()
}

// NetConn is the connection below.
func (c *trackedConn) NetConn() net.Conn { return c.Conn }

// CloseWrite ends what is sent, and leaves open what is received.
func (c *trackedConn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	return half.CloseWrite()
}

// Close closes the connection.
func (c *trackedConn) Close() error {
	if c.tracker.Remove(c) && c.closed != nil {
		c.closed()
	}
	return c.Conn.Close()
}
