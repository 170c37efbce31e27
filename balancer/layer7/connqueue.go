package layer7

import (
	"net"
	"sync"
)

// connQueue is a net.Listener of connections that others have accepted.
type connQueue struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newConnQueue(addr net.Addr) *connQueue {
	return &connQueue{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

// put hands a connection over, or closes it when nobody takes any more.
func (h *connQueue) put(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		c.Close()
	}
}

// Accept waits for a connection.
func (h *connQueue) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (h *connQueue) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr is where the connections were accepted.
func (h *connQueue) Addr() net.Addr { return h.addr }
