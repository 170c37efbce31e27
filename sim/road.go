package sim

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// road is the way between the machines and the control plane: connections in
// memory that keep the order of what is sent, as a stream does, and so can be
// slow, break, or swallow all that is sent from some moment on.
type road struct {
	// answers reports whether something answers at an address of a VPC,
	// whatever machine it is on.
	answers func(netip.Addr) bool

	mu struct {
		sync.Mutex
		delay time.Duration // how long each piece is under way
		open  *gate         // where the living control plane listens; nil while it is dead
		conns map[*conn]bool
	}
}

func newRoad() *road {
	r := &road{}
	r.mu.conns = map[*conn]bool{}
	return r
}

// listen opens the road's far end to a control plane.
func (r *road) listen() net.Listener {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.open = &gate{road: r, came: make(chan net.Conn), closed: make(chan struct{})}
	return r.mu.open
}

// dial connects a machine to the control plane that lives now.
func (r *road) dial(ctx context.Context, machine string) (net.Conn, error) {
	r.mu.Lock()
	g := r.mu.open
	r.mu.Unlock()
	if g == nil {
		return nil, errors.New("connection refused")
	}
	near, far := r.join(machine)
	select {
	case g.came <- far:
		return near, nil
	case <-g.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (r *road) join(machine string) (near, far *conn) {
	there, back, over := make(chan piece, 64), make(chan piece, 64), &once{done: make(chan struct{})}
	near = &conn{road: r, machine: machine, in: back, out: there, over: over}
	far = &conn{road: r, machine: machine, in: there, out: back, over: over}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.conns[near], r.mu.conns[far] = true, true
	return near, far
}

// cut breaks all connections of a machine, "" meaning of all.
func (r *road) cut(machine string) {
	for _, c := range r.of(machine) {
		c.Close()
	}
}

// swallow lets nothing through any more on the connections that a machine has
// now, without either side being told.
func (r *road) swallow(machine string) {
	for _, c := range r.of(machine) {
		c.mute.close()
	}
}

// slow says how long each piece is under way from now on.
func (r *road) slow(delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mu.delay = delay
}

// arrival is when a piece sent now is there.
func (r *road) arrival() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.mu.delay)
}

func (r *road) of(machine string) []*conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*conn
	for c := range r.mu.conns {
		if machine == "" || c.machine == machine {
			all = append(all, c)
		}
	}
	return all
}

// gate is a listener.
type gate struct {
	road   *road
	came   chan net.Conn
	end    sync.Once
	closed chan struct{}
}

func (g *gate) Accept() (net.Conn, error) {
	select {
	case c := <-g.came:
		return c, nil
	case <-g.closed:
		return nil, net.ErrClosed
	}
}

func (g *gate) Close() error {
	g.end.Do(func() { close(g.closed) })
	g.road.mu.Lock()
	defer g.road.mu.Unlock()
	if g.road.mu.open == g {
		g.road.mu.open = nil
	}
	return nil
}

func (g *gate) Addr() net.Addr { return address("control plane") }

type address string

func (address) Network() string  { return "memory" }
func (a address) String() string { return string(a) }

// piece is what one Write sent.
type piece struct {
	data []byte
	at   time.Time // when it arrives
}

// once is a channel that may be closed more than once.
type once struct {
	once sync.Once
	done chan struct{}
}

func (o *once) close() { o.once.Do(func() { close(o.done) }) }

// conn is one side of a connection.
type conn struct {
	road    *road
	machine string
	in      <-chan piece
	out     chan<- piece
	over    *once // shared by both sides
	mute    silence
	rest    []byte // of the piece being read
}

// silence is set when a connection swallows what is sent.
type silence struct {
	mu sync.Mutex
	on bool
}

func (s *silence) close() { s.mu.Lock(); s.on = true; s.mu.Unlock() }
func (s *silence) set() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.on
}

func (c *conn) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		select {
		case got := <-c.in:
			// What is under way when the connection breaks is lost: a reader learns
			// it when a writer does. (gRPC asks again and again, without a rest, of a
			// connection of which only the writer knows, and time would stand still.)
			select {
			case <-time.After(time.Until(got.at)):
				c.rest = got.data
			case <-c.over.done:
				return 0, io.EOF
			}
		case <-c.over.done:
			return 0, io.EOF
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *conn) Write(p []byte) (int, error) {
	if c.mute.set() {
		return len(p), nil
	}
	select {
	case c.out <- piece{append([]byte(nil), p...), c.road.arrival()}:
		return len(p), nil
	case <-c.over.done:
		return 0, net.ErrClosed
	}
}

func (c *conn) Close() error {
	c.over.close()
	c.road.mu.Lock()
	defer c.road.mu.Unlock()
	delete(c.road.mu.conns, c)
	return nil
}

func (c *conn) LocalAddr() net.Addr              { return address(c.machine) }
func (c *conn) RemoteAddr() net.Addr             { return address(c.machine) }
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
