package sim

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// usualDelay is how long what is sent takes to arrive, when nothing is wrong.
const usualDelay = time.Millisecond

// link is the network between the machines and the control plane: connections in
// memory that keep the order of what is sent, as TCP does, and that can be slow,
// break, or lose everything that is sent from some moment on.
type link struct {
	mu struct {
		sync.Mutex
		delay    time.Duration // how long each segment takes to arrive
		listener *listener     // the living control plane's; nil while it is dead
		conns    map[*conn]bool
		isolated map[string]bool // machines that reach nobody
	}
}

func newLink() *link {
	l := &link{}
	l.mu.conns, l.mu.isolated = map[*conn]bool{}, map[string]bool{}
	return l
}

// listen makes the listener of a new control plane.
func (l *link) listen() net.Listener {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.listener = &listener{link: l, accepted: make(chan net.Conn), closed: make(chan struct{})}
	return l.mu.listener
}

// dial connects a machine to the control plane that lives now.
func (l *link) dial(ctx context.Context, machine string) (net.Conn, error) {
	l.mu.Lock()
	to, isolated := l.mu.listener, l.mu.isolated[machine]
	l.mu.Unlock()
	if to == nil || isolated {
		return nil, errors.New("connection refused")
	}
	near, far := l.connect(machine)
	select {
	case to.accepted <- far:
		return near, nil
	case <-to.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// connect makes both ends of a connection.
func (l *link) connect(machine string) (near, far *conn) {
	there, back, closed := make(chan segment, 64), make(chan segment, 64), &closeOnce{done: make(chan struct{})}
	near = &conn{link: l, machine: machine, in: back, out: there, closed: closed}
	far = &conn{link: l, machine: machine, in: there, out: back, closed: closed}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.conns[near], l.mu.conns[far] = true, true
	return near, far
}

// cut closes all connections of a machine, "" meaning of all machines.
func (l *link) cut(machine string) {
	for _, c := range l.of(machine) {
		c.Close()
	}
}

// isolate breaks a machine's connections and refuses new ones, or lets it connect
// again.
func (l *link) isolate(machine string, on bool) {
	l.mu.Lock()
	l.mu.isolated[machine] = on
	l.mu.Unlock()
	l.cut(machine)
}

// isolated reports whether a machine reaches nobody.
func (l *link) isolated(machine string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.isolated[machine]
}

// blackhole loses whatever is sent from now on, in both directions, on the
// connections that a machine has now. Neither end is told.
func (l *link) blackhole(machine string) {
	for _, c := range l.of(machine) {
		c.blackholed.Store(true)
	}
}

// setDelay says how long what is sent from now on takes to arrive.
func (l *link) setDelay(delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.delay = delay
}

// arrival is when a segment that is sent now arrives.
func (l *link) arrival() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Add(l.mu.delay)
}

// of gives the ends of a machine's connections, "" meaning of all machines'.
func (l *link) of(machine string) []*conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []*conn
	for c := range l.mu.conns {
		if machine == "" || c.machine == machine {
			all = append(all, c)
		}
	}
	return all
}

// listener implements [net.Listener].
type listener struct {
	link     *link
	accepted chan net.Conn
	end      sync.Once
	closed   chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.accepted:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.end.Do(func() { close(l.closed) })
	l.link.mu.Lock()
	defer l.link.mu.Unlock()
	if l.link.mu.listener == l {
		l.link.mu.listener = nil
	}
	return nil
}

func (l *listener) Addr() net.Addr { return address("control plane") }

// address is the name of a machine, or of the control plane.
type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }

// segment is what one Write sent.
type segment struct {
	data []byte
	at   time.Time // when it arrives
}

// closeOnce is a channel that may be closed more than once.
type closeOnce struct {
	once sync.Once
	done chan struct{}
}

func (o *closeOnce) close() { o.once.Do(func() { close(o.done) }) }

// conn is one end of a connection.
type conn struct {
	link       *link
	machine    string
	in         <-chan segment
	out        chan<- segment
	closed     *closeOnce // shared by both ends
	blackholed atomic.Bool
	unread     []byte // of the segment being read
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.unread) == 0 {
		select {
		case got := <-c.in:
			// What is under way when the connection breaks is lost: a reader learns
			// it when a writer does. (gRPC asks again and again, without a pause, of a
			// connection of which only the writer knows, and time would stand still.)
			select {
			case <-time.After(time.Until(got.at)):
				c.unread = got.data
			case <-c.closed.done:
				return 0, io.EOF
			}
		case <-c.closed.done:
			return 0, io.EOF
		}
	}
	n := copy(p, c.unread)
	c.unread = c.unread[n:]
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	if c.blackholed.Load() {
		return len(p), nil
	}
	select {
	case c.out <- segment{append([]byte(nil), p...), c.link.arrival()}:
		return len(p), nil
	case <-c.closed.done:
		return 0, net.ErrClosed
	}
}

func (c *conn) Close() error {
	c.closed.close()
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	delete(c.link.mu.conns, c)
	return nil
}

func (c *conn) LocalAddr() net.Addr              { return address(c.machine) }
func (c *conn) RemoteAddr() net.Addr             { return address(c.machine) }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
