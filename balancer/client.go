package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"fargo/balancer/http1"
)

// What a client's connection is doing.
const (
	resting int32 = iota // between requests: it may be closed at any time
	working
	over
)

// client is a connection of HTTP/1.x from a client.
type client struct {
	idleConn
	quick  *quickConn // the same, if it is one
	server *httpServer
	port   *port
	in     *http1.Reader
	out    *http1.Writer
	began  time.Time
	state  atomic.Int32

	from origin

	// of the request at hand
	listener *listener
	begun    bool  // its head was taken
	headErr  error // or why not
	sent     int64 // to the client before it
	broken   bool  // its answer cannot be finished
	head     http1.Request
	body     http1.Body
	way      passage
	transaction
}

func newClient(server *httpServer, conn net.Conn, idle time.Duration) *client {
	c := &client{server: server, port: server.port, began: time.Now()}
	c.Conn, c.idle = conn, idle
	c.quick, _ = conn.(*quickConn)
	c.in, c.out = http1.NewReader(c), http1.NewWriter(c)
	var state *tls.ConnectionState
	if encrypted, ok := conn.(*tls.Conn); ok {
		state = new(encrypted.ConnectionState())
	}
	c.from = originOf(addrPortOf(conn.RemoteAddr()), state)
	c.from.connection = nameOf(conn)
	return c
}

// rest closes the connection once it is between requests.
func (c *client) rest() {
	if c.state.CompareAndSwap(resting, over) {
		c.abort()
	}
}

// Close ends the connection, and what serves it.
func (c *client) Close() error {
	c.aborted.Store(true)
	return c.Conn.Close()
}

// What comes after a step of serving.
type verdict uint8

const (
	another verdict = iota // request may follow
	notYet                 // within each: there is nothing to be read
	slowly                 // within each: the rest must be done outside
	last                   // that was the last request
	gone                   // there was no request
)

// serve answers requests until one side has enough.
func (c *client) serve(ctx context.Context) {
	defer c.Close()
	for {
		v := slowly
		if c.quick != nil {
			v = c.serveQuick(ctx)
		}
		if v == slowly {
			v = c.next(ctx, false)
		}
		switch v {
		case last:
			c.end()
			return
		case gone:
			return
		}
	}
}

// serveQuick answers requests within each, for as long as they are such that
// nothing but the next head must be waited for from the client.
func (c *client) serveQuick(ctx context.Context) (v verdict) {
	for began := clock(); ; {
		if !c.renew(began) {
			return gone
		}
		err := c.quick.each(func() (done bool) {
			for v = another; v == another; {
				v = c.next(ctx, true)
			}
			return v != notYet
		})
		switch {
		case err == nil:
			return v
		case !timeout(err) || c.rested(began) >= c.idle:
			return gone
		}
	}
}

// Read reads from the client. Within each there is no waiting and no deadline to
// set: the one that there is has to be right only when it passes.
func (c *client) Read(b []byte) (int, error) {
	if c.quick != nil && c.quick.held {
		return c.quick.Read(b)
	}
	return c.idleConn.Read(b)
}

// next answers the next request. Within each, it waits neither for a head nor
// for a body.
func (c *client) next(ctx context.Context, within bool) verdict {
	if !c.begun {
		if v := c.await(within); v != another {
			return v
		}
		if within && !c.in.RequestReady() {
			return slowly
		}
		c.begin()
	}
	if within && c.headErr == nil && c.wantsMore() {
		return slowly
	}
	c.begun = false
	if c.one(ctx, c.listener) {
		return another
	}
	return last
}

// await waits for the first of a request.
func (c *client) await(within bool) verdict {
	c.state.Store(resting)
	l := c.port.listener.Load()
	if l == nil || !l.isHTTP() || c.port.over.Load() {
		return gone
	}
	c.idle = l.idle
	if c.oversized() {
		c.forget()
	}
	if within && c.quick.drained && len(c.in.Buffered()) == 0 {
		return notYet
	}
	err := c.in.Wait()
	if errors.Is(err, errNotYet) {
		return notYet
	}
	if err != nil || !c.state.CompareAndSwap(resting, working) {
		return gone
	}
	if l = c.port.listener.Load(); l == nil || !l.isHTTP() {
		return gone
	}
	c.listener = l
	return another
}

// manyFields is how many fields a connection keeps room for while it rests.
const manyFields = 100

// oversized reports whether more memory is kept than a connection at rest should
// have.
func (c *client) oversized() bool {
	return c.in.Oversized() || max(cap(c.head.Fields), cap(c.way.fields), cap(c.way.answer.Fields)) > manyFields
}

// forget gives up what is kept of the request before, and of its answer.
func (c *client) forget() {
	c.transaction, c.head, c.way = transaction{}, http1.Request{}, passage{}
	c.in.Forget()
}

// begin reads the head of a request.
func (c *client) begin() {
	c.transaction = transaction{}
	c.transaction.begin(&c.from)
	c.begun, c.sent = true, c.out.Written
	c.body = http1.Body{}
	c.headErr = c.read()
}

// wantsMore reports whether more than a head may be read of the client.
func (c *client) wantsMore() bool {
	return c.head.Length != 0 || c.wantsUpgrade()
}

// one answers one request and reports whether another may follow.
func (c *client) one(ctx context.Context, l *listener) (more bool) {
	defer func() {
		c.received += c.body.Taken()
		c.written = c.out.Written - c.sent
		c.finish(l, c.server.logger)
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
	c.received = int64(n)
	h := &c.head
	c.finding = h.Finding
	if err != nil {
		return err
	}
	c.Method, c.Authority, c.Path, c.Query, c.Fields = h.Method, h.Authority, h.Path, h.Query, h.Fields
	c.Host = hostOf(h.Authority)
	c.URI, c.protocol = h.Target, protocolHTTP11
	if h.HTTP10 {
		c.protocol = protocolHTTP10
	}
	return nil
}

// refuseHead answers what could not be read, if there is anybody to answer.
func (c *client) refuseHead(l *listener, err error) bool {
	status := statusOf(&clientError{err})
	if status == statusClientGone {
		return false
	}
	c.reason = err.Error()
	c.head = http1.Request{HTTP10: true}
	c.page(l, status, false)
	return false
}

// act does what the rule says.
func (c *client) act(ctx context.Context, l *listener, body *http1.Body) (more bool) {
	r := c.route(l)
	if r == nil {
		return c.refuse(l, http.StatusServiceUnavailable, body)
	}
	switch a := &r.action; {
	case a.forward != nil && !c.transform():
		return c.refuse(l, http.StatusInternalServerError, body)
	case a.forward != nil:
		return c.forward(ctx, r)
	case a.redirect != nil:
		c.location = a.redirect.location(&c.request, l.port)
		if len(c.location) > maxLocation {
			c.location = ""
			return c.refuse(l, statusRedirectTooLong, body)
		}
		return c.refuse(l, a.redirect.status, body)
	case a.fixed != nil:
		keep := c.keep(l) && c.drain(body)
		c.reply(l, a.fixed.status, a.fixed.contentType, a.fixed.body, keep)
		return c.out.Flush() == nil && keep
	default:
		c.reason = a.refused + " is not supported"
		return c.refuse(l, http.StatusInternalServerError, body)
	}
}

// maxLocation is how long a redirect's target may be, in bytes.
const maxLocation = 8 << 10

// keep reports whether the connection may serve another request after this one.
// What could not be understood of it, to the end of its body, was its last.
func (c *client) keep(l *listener) bool {
	return c.head.KeepAlive() && c.in.Err() == nil && !c.conduct(l).close &&
		!c.port.closing.Load() && c.transaction.began.Sub(c.began) < l.keepAlive
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

// refuse answers with a page of the balancer's own.
func (c *client) refuse(l *listener, status int, body *http1.Body) (more bool) {
	keep := c.keep(l) && c.drain(body)
	return c.page(l, status, keep)
}

// page answers with the balancer's own page for a status.
func (c *client) page(l *listener, status int, keep bool) (more bool) {
	c.reply(l, status, "text/html", page(status), keep)
	return c.out.Flush() == nil && keep
}

// reply writes an answer of the balancer's own.
func (c *client) reply(l *listener, status int, contentType, body string, keep bool) {
	c.status = status
	c.out.Discard()
	c.out.StatusLine(status, reasonOf(status))
	if l.serverField {
		c.out.Field("Server", serverName)
	}
	c.out.Field("Date", httpDate(time.Now()))
	c.out.Field("Content-Type", contentType)
	c.out.Length(int64(len(body)))
	if c.location != "" {
		c.out.Field("Location", c.location)
	}
	for i := range l.answerFields {
		c.out.Field(l.answerFields[i].Name, l.answerFields[i].Value)
	}
	c.connection(keep)
	c.out.EndLine()
	if c.head.Method != http.MethodHead {
		c.out.Add(body)
	}
}

func (c *client) connection(keep bool) {
	if keep {
		c.out.Add("Connection: keep-alive\r\n")
	} else {
		c.out.Add("Connection: close\r\n")
	}
}

// lingerFor is how long a client may go on sending what nobody reads, so that
// it sees the answer before the connection is reset.
const lingerFor = time.Second

// maxLinger is how much of that is read, in bytes.
const maxLinger = 1 << 20

// end ends a connection after an answer, so that it arrives, or is seen not to
// have been finished.
func (c *client) end() {
	if c.broken {
		reset(c.Conn)
		return
	}
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok || c.status == 0 || half.CloseWrite() != nil {
		return
	}
	if c.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, maxLinger) // however it ends
	}
}

// errClientGone says that the client closed its connection.
var errClientGone = errors.New("client is gone")

// stillThere looks whether the client has closed its connection.
func (c *client) stillThere() error {
	if peek(c.Conn) == peerClosed {
		return errClientGone
	}
	return nil
}
