package layer7

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"fargo/balancer/accesslog"
	"fargo/balancer/exchange"
	"fargo/balancer/http1"
	"fargo/balancer/listener"
	"fargo/balancer/netconn"
	"fargo/balancer/routing"
)

// What a client's connection is doing.
const (
	idle int32 = iota // between requests: it may be closed at any time
	active
	closed
)

// client is a connection of HTTP/1.x from a client.
type client struct {
	netconn.Timed
	nonBlocking *netconn.NonBlocking // the same, if it is one
	server      *Server
	port        *listener.Port
	in          *http1.Reader
	out         *http1.Writer
	began       time.Time
	phase       atomic.Int32

	from exchange.Origin

	// of the request at hand
	listener *listener.Listener
	begun    bool  // its head was read
	headErr  error // or why it could not be
	sent     int64 // bytes to the client before it
	tunneled int64 // bytes to the client after its head, past out
	broken   bool  // its answer cannot be finished
	head     http1.Request
	body     http1.Body
	trip     roundTrip
	transaction
}

func newClient(server *Server, conn net.Conn, timeout time.Duration) *client {
	c := &client{server: server, port: server.port, began: time.Now()}
	c.Conn, c.Idle = conn, timeout
	c.nonBlocking, _ = conn.(*netconn.NonBlocking)
	c.in, c.out = http1.NewReader(c), http1.NewWriter(c)
	var state *tls.ConnectionState
	if encrypted, ok := conn.(*tls.Conn); ok {
		state = new(encrypted.ConnectionState())
	}
	c.from = exchange.OriginOf(netconn.AddrPort(conn.RemoteAddr()), state)
	c.from.Connection = accesslog.NameOf(conn)
	return c
}

// closeIdle closes the connection if it is between requests.
func (c *client) closeIdle() {
	if c.phase.CompareAndSwap(idle, closed) {
		c.AbortReads()
	}
}

// progress is what comes after a step of serving.
type progress uint8

const (
	nextRequest progress = iota // another request may follow
	wouldBlock                  // there is nothing to be read yet
	mustBlock                   // what comes next has to wait for the client
	lastRequest                 // that was the last request
	noRequest                   // there was no request
)

// serve answers requests until one side has enough.
func (c *client) serve(ctx context.Context) {
	defer c.Close()
	for {
		v := mustBlock
		if c.nonBlocking != nil {
			v = c.serveNonBlocking(ctx)
		}
		if v == mustBlock {
			v = c.next(ctx, false)
		}
		switch v {
		case lastRequest:
			c.end()
			return
		case noRequest:
			return
		}
	}
}

// serveNonBlocking answers requests within steps of OnReadable, for as long as they
// are such that nothing but the next head must be waited for from the client.
func (c *client) serveNonBlocking(ctx context.Context) (v progress) {
	for began := netconn.Clock(); ; {
		if !c.Extend(began) {
			return noRequest
		}
		err := c.nonBlocking.OnReadable(func() (done bool) {
			for v = nextRequest; v == nextRequest; {
				v = c.next(ctx, true)
			}
			return v != wouldBlock
		})
		switch {
		case err == nil:
			return v
		case !netconn.IsTimeout(err) || c.IdleFor(began) >= c.Idle:
			return noRequest
		}
	}
}

// Read reads from the client. Within a step of OnReadable there is no waiting and no
// deadline to set: the one that there is has to be right only when it passes.
func (c *client) Read(b []byte) (int, error) {
	if c.nonBlocking != nil && c.nonBlocking.InStep() {
		return c.nonBlocking.Read(b)
	}
	return c.Timed.Read(b)
}

// next answers the next request. Within a step of OnReadable it waits neither for a
// head nor for a body.
func (c *client) next(ctx context.Context, inStep bool) progress {
	if !c.begun {
		if v := c.await(inStep); v != nextRequest {
			return v
		}
		if inStep && !c.in.RequestReady() {
			return mustBlock
		}
		c.begin()
	}
	if inStep && c.headErr == nil && c.wantsMore() {
		return mustBlock
	}
	c.begun = false
	if c.serveRequest(ctx, c.listener) {
		return nextRequest
	}
	return lastRequest
}

// await waits for the first of a request.
func (c *client) await(inStep bool) progress {
	c.phase.Store(idle)
	l := c.port.Listener.Load()
	if l == nil || !l.IsHTTP() || c.port.Over.Load() {
		return noRequest
	}
	c.Idle = l.Idle
	if c.oversized() {
		c.forget()
	}
	if inStep && c.nonBlocking.Drained() && len(c.in.Buffered()) == 0 {
		return wouldBlock
	}
	err := c.in.Wait()
	if errors.Is(err, netconn.ErrWouldBlock) {
		return wouldBlock
	}
	if err != nil || !c.phase.CompareAndSwap(idle, active) {
		return noRequest
	}
	if l = c.port.Listener.Load(); l == nil || !l.IsHTTP() {
		return noRequest
	}
	c.listener = l
	return nextRequest
}

// manyFields is how many fields a connection keeps room for while it rests.
const manyFields = 100

// oversized reports whether more memory is kept than a connection at rest should
// have.
func (c *client) oversized() bool {
	return c.in.Oversized() || max(cap(c.head.Fields), cap(c.trip.fields), cap(c.trip.answer.Fields)) > manyFields
}

// forget gives up what is kept of the request before, and of its answer.
func (c *client) forget() {
	c.transaction, c.head, c.trip = transaction{}, http1.Request{}, roundTrip{}
	c.in.Forget()
}

// begin reads the head of a request.
func (c *client) begin() {
	c.transaction = transaction{}
	c.transaction.begin(&c.from)
	c.begun, c.sent, c.tunneled = true, c.out.Written, 0
	c.body = http1.Body{}
	c.headErr = c.read()
}

// wantsMore reports whether more than a head may be read of the client.
func (c *client) wantsMore() bool {
	return c.head.Length != 0 || c.wantsUpgrade()
}

// serveRequest answers one request and reports whether another may follow.
func (c *client) serveRequest(ctx context.Context, l *listener.Listener) (more bool) {
	defer func() {
		c.Received += c.body.Taken()
		c.Written = c.out.Written - c.sent + c.tunneled
		c.finish(l, c.port, c.server.logger)
	}()
	if c.headErr != nil {
		return c.refuseHead(l, c.headErr)
	}
	c.body = c.in.Body(c.head.Length)
	if status := c.admit(l); status != 0 {
		return c.refuse(l, status, &c.body)
	}
	return c.act(ctx, l, &c.body)
}

// read takes the head of a request.
func (c *client) read() error {
	n, err := c.in.Request(&c.head)
	c.Received = int64(n)
	h := &c.head
	c.Finding = h.Finding
	if err != nil {
		return err
	}
	c.Method, c.Authority, c.Path, c.Query, c.Fields = h.Method, h.Authority, h.Path, h.Query, h.Fields
	c.Host = routing.HostOf(h.Authority)
	c.URI, c.Protocol = h.Target, exchange.HTTP11
	if h.HTTP10 {
		c.Protocol = exchange.HTTP10
	}
	return nil
}

// refuseHead answers what could not be read, if there is anybody to answer.
func (c *client) refuseHead(l *listener.Listener, err error) bool {
	status := statusOf(&clientError{err})
	if status == statusClientGone {
		return false
	}
	c.Reason = err.Error()
	c.head = http1.Request{HTTP10: true}
	c.page(l, status, false)
	return false
}

// act does what the rule says.
func (c *client) act(ctx context.Context, l *listener.Listener, body *http1.Body) (more bool) {
	r := c.route(l)
	if r == nil {
		return c.refuse(l, http.StatusServiceUnavailable, body)
	}
	switch a := &r.Action; {
	case a.Forward != nil && !c.transform():
		return c.refuse(l, http.StatusInternalServerError, body)
	case a.Forward != nil:
		return c.forward(ctx, r)
	case a.Redirect != nil:
		c.Location = a.Redirect.Location(&c.Request, l.Port)
		if len(c.Location) > maxLocation {
			c.Location = ""
			return c.refuse(l, statusRedirectTooLong, body)
		}
		return c.refuse(l, a.Redirect.Status, body)
	case a.Fixed != nil:
		keep := c.keep(l) && c.drain(body)
		c.reply(l, a.Fixed.Status, a.Fixed.ContentType, a.Fixed.Body, keep)
		return c.out.Flush() == nil && keep
	default:
		c.Reason = a.Unsupported + " is not supported"
		return c.refuse(l, http.StatusInternalServerError, body)
	}
}

// maxLocation is how long a redirect's target may be, in bytes.
const maxLocation = 8 << 10

// keep reports whether the connection may serve another request after this one.
// What could not be understood of it, to the end of its body, was its last.
func (c *client) keep(l *listener.Listener) bool {
	return c.head.KeepAlive() && c.in.Err() == nil && !c.mitigation(l).close &&
		!c.port.Closing.Load() && c.Began.Sub(c.began) < l.MaxAge
}

// maxDrain is how much of a body nobody wants is read to save a connection.
const maxDrain = 64 << 10

// drain takes what is left of a body that nobody wants, unless it is long.
func (c *client) drain(body *http1.Body) bool {
	if _, asks := http1.Find(c.Fields, http1.Expect); asks && !body.Done() {
		return false
	}
	for room := maxDrain; !body.Done(); {
		piece, err := body.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if room -= len(piece); err != nil || room < 0 {
			return false
		}
	}
	return true
}

// CheckAlive looks whether the client has closed its connection.
func (c *client) CheckAlive() error {
	if netconn.Closed(c.Conn) {
		return errClientGone
	}
	return nil
}
