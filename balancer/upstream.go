package balancer

import (
	"context"
	"net"
	"time"

	"fargo/balancer/http1"
)

// upstreamDialer is from where targets are reached.
type upstreamDialer interface {
	// Dial opens a connection from the interface, its address being the source.
	// network and address are those of net.Dialer. The connection outlives ctx.
	Dial(ctx context.Context, interfaceID, network, address string) (net.Conn, error)
}

// connectTimeout is how long a connection to a target may take to be made.
// Source: ALB user guide, "Troubleshoot your Application Load Balancers".
const connectTimeout = 10 * time.Second

// upstream is a connection of HTTP/1.x to a target, used by one request at a
// time.
type upstream struct {
	idleConn
	in  *http1.Reader
	out *http1.Writer
	// reused says that an earlier request was answered on it.
	reused bool

	pool      *upstreamPool
	from      string        // the interface
	idleSince time.Duration // by clock
}

// upstreamPool is the connections to one target: those in use and those that are
// idle. Its zero value is ready once it has an address.
type upstreamPool struct {
	address string

	idle    idlePool   // connections of HTTP/1.x
	streams transports // for requests of HTTP/2
	conns   tracker    // all
}

// connect opens a connection of HTTP/1.x, encrypted if so wanted, on which
// nothing may pass for the idle time at most.
func (p *upstreamPool) connect(ctx context.Context, dialer upstreamDialer, from string, encrypted bool, idle time.Duration) (*upstream, error) {
	conn, err := p.dialPlain(ctx, dialer, from, "tcp")
	if err != nil {
		return nil, err
	}
	conn = quicken(conn)
	if encrypted {
		inner, err := encrypt(ctx, conn)
		if err != nil {
			conn.Close()
			return nil, err
		}
		conn = inner
	}
	u := &upstream{pool: p, from: from}
	u.Conn, u.idle = conn, idle
	u.in, u.out = http1.NewReader(u), http1.NewWriter(u)
	if !p.conns.add(u) {
		conn.Close()
		return nil, net.ErrClosed
	}
	return u, nil
}

// dial opens a connection that ends with the pool's.
func (p *upstreamPool) dial(ctx context.Context, dialer upstreamDialer, from, network string) (net.Conn, error) {
	conn, err := p.dialPlain(ctx, dialer, from, network)
	if err != nil {
		return nil, err
	}
	return p.conns.hold(conn)
}

func (p *upstreamPool) dialPlain(ctx context.Context, dialer upstreamDialer, from, network string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	return dialer.Dial(ctx, from, network, p.address)
}

// take gives an idle connection from an interface that was not idle since before
// oldest, by clock, or nil.
func (p *upstreamPool) take(from string, oldest time.Duration) *upstream {
	return p.idle.take(from, oldest)
}

// maxIdle is how long a connection is kept that nobody uses, at most; a shorter
// idle timeout of the load balancer comes first.
const maxIdle = time.Minute

// prune closes the connections that nobody has used for too long.
func (p *upstreamPool) prune() { p.idle.prune(clock() - maxIdle) }

// drain closes connections when no request is on them, until there is a resume.
func (p *upstreamPool) drain() {
	p.idle.close()
	p.streams.closeIdle()
}

// resume undoes drain.
func (p *upstreamPool) resume() { p.idle.open() }

// closeHeld closes all connections. New ones may be opened.
func (p *upstreamPool) closeHeld() { p.conns.closeHeld() }

// closeAll closes all connections, and those that come later.
func (p *upstreamPool) closeAll() {
	p.idle.close()
	p.conns.closeAll()
}

// ask sends what was gathered of a request, or has that done when the answer is
// waited for.
func (u *upstream) ask() error {
	if quick, ok := u.Conn.(*quickConn); ok && u.reused {
		quick.later(u.out.Take())
		return nil
	}
	return u.out.Flush()
}

// Close closes the connection.
func (u *upstream) Close() error {
	u.pool.conns.remove(u)
	return u.Conn.Close()
}

// release keeps the connection for a later request.
func (u *upstream) release() {
	if u.in.Oversized() {
		u.in.Forget()
	}
	u.waiting = nil
	u.reused = true
	u.idleSince = clock()
	u.pool.idle.put(u)
}
