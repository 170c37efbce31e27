package upstream

import (
	"context"
	"net"
	"time"

	"fargo/balancer/http1"
	"fargo/balancer/netconn"
	"fargo/balancer/tlsconfig"
)

// Dialer is from where targets are reached.
type Dialer interface {
	// Dial opens a connection from the interface, its address being the source.
	// network and address are those of net.Dialer. The connection outlives ctx.
	Dial(ctx context.Context, interfaceID, network, address string) (net.Conn, error)
}

// Source is where connections to targets come from.
type Source struct {
	Dialer    Dialer
	Interface string  // id
	Count     Counter // nil for none
}

// Counter is told of connections. It may be called from several goroutines.
type Counter interface {
	Opened()
	Closed() // once for each that was opened
}

func (s *Source) opened() {
	if s.Count != nil {
		s.Count.Opened()
	}
}

func (s *Source) closed() {
	if s.Count != nil {
		s.Count.Closed()
	}
}

// connectTimeout is how long a connection to a target may take to be made.
// Source: ALB user guide, "Troubleshoot your Application Load Balancers".
const connectTimeout = 10 * time.Second

// Conn is a connection of HTTP/1.x to a target, used by one request at a
// time.
type Conn struct {
	netconn.Timed
	In  *http1.Reader
	Out *http1.Writer
	// Reused says that an earlier request was answered on it.
	Reused bool

	pool      *Pool
	from      *Source
	idleSince time.Duration // by netconn.Clock
}

// Pool is the connections to one target: those in use and those that are
// idle. Its zero value is ready once it has an address.
type Pool struct {
	Address string

	idle    idlePool        // connections of HTTP/1.x
	streams transports      // for requests of HTTP/2
	conns   netconn.Tracker // all
}

// Connect opens a connection of HTTP/1.x, encrypted if so wanted, on which
// nothing may pass for the idle time at most.
func (p *Pool) Connect(ctx context.Context, from *Source, encrypted bool, idle time.Duration) (*Conn, error) {
	conn, err := p.dialPlain(ctx, from, "tcp")
	if err != nil {
		return nil, err
	}
	conn = netconn.NonBlock(conn)
	if encrypted {
		inner, err := tlsconfig.ClientHandshake(ctx, conn)
		if err != nil {
			conn.Close()
			return nil, err
		}
		conn = inner
	}
	u := &Conn{pool: p, from: from}
	u.Conn, u.Idle = conn, idle
	u.In, u.Out = http1.NewReader(u), http1.NewWriter(u)
	if !p.conns.Add(u) {
		conn.Close()
		return nil, net.ErrClosed
	}
	from.opened()
	return u, nil
}

// Dial opens a connection that ends with the pool's.
func (p *Pool) Dial(ctx context.Context, from *Source, network string) (net.Conn, error) {
	conn, err := p.dialPlain(ctx, from, network)
	if err != nil {
		return nil, err
	}
	if conn, err = p.conns.Track(conn, from.closed); err == nil {
		from.opened()
	}
	return conn, err
}

func (p *Pool) dialPlain(ctx context.Context, from *Source, network string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return from.Dialer.Dial(ctx, from.Interface, network, p.Address)
}

// Take gives an idle connection from an interface that was not idle since before
// oldest, by [netconn.Clock], or nil.
func (p *Pool) Take(from *Source, oldest time.Duration) *Conn {
	return p.idle.take(from.Interface, oldest)
}

// maxIdle is how long a connection is kept that nobody uses, at most; a shorter
// idle timeout of the load balancer comes first.
const maxIdle = time.Minute

// Prune closes the connections that nobody has used for too long.
func (p *Pool) Prune() { p.idle.prune(netconn.Clock() - maxIdle) }

// Drain closes connections when no request is on them, until Resume.
func (p *Pool) Drain() {
	p.idle.close()
	p.streams.closeIdle()
}

// Resume undoes Drain.
func (p *Pool) Resume() { p.idle.open() }

// CloseCurrent closes all connections. New ones may be opened.
func (p *Pool) CloseCurrent() { p.conns.CloseCurrent() }

// CloseAll closes all connections, and those that come later.
func (p *Pool) CloseAll() {
	p.idle.close()
	p.conns.CloseAll()
}

// Send sends what Out has of a request, or has that done when the answer is waited
// for.
func (u *Conn) Send() error {
	if conn, ok := u.Conn.(*netconn.NonBlocking); ok && u.Reused {
		conn.WriteBeforeRead(u.Out.Take())
		return nil
	}
	return u.Out.Flush()
}

// Close closes the connection.
func (u *Conn) Close() error {
	if u.pool.conns.Remove(u) {
		u.from.closed()
	}
	return u.Conn.Close()
}

// Release keeps the connection for a later request.
func (u *Conn) Release() {
	if u.In.Oversized() {
		u.In.Forget()
	}
	u.Watch = nil
	u.Reused = true
	u.idleSince = netconn.Clock()
	u.pool.idle.put(u)
}
