package balancer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"fargo/balancer/http1"
)

// forward passes the request at hand to a target and its answer back.
func (c *client) forward(ctx context.Context, l *listener, f *forward, body *http1.Body) (more bool) {
	g, remember := f.chooseGroup(c.Fields)
	if g == nil {
		return c.refuse(l, http.StatusServiceUnavailable, body)
	}
	table := l.tableOf(g, c.socket)
	c.group, c.failOpen = g.group, table.failOpen
	if table.version != versionHTTP1 && table.version != "" || isGRPC(c.Fields) {
		return c.refuse(l, statusIncompatible, body)
	}
	t, _ := g.chooseTarget(table, c.Fields)
	if t == nil {
		return c.refuse(l, http.StatusServiceUnavailable, body)
	}
	c.to = t
	t.inflight.Add(1)
	defer t.inflight.Add(-1)

	received, _ := http1.Find(c.Fields, http1.TraceID)
	c.trace = traceID(received, c.exchange.began, randomTrace())
	c.fields = requestFields(c.fields[:0], &c.request, &l.settings, l.port, &c.from, c.trace)

	c.way = passage{client: c, listener: l, table: table, body: body, forward: f, remember: remember}
	return c.way.run(ctx)
}

// passage is one request on its way to a target.
type passage struct {
	*client
	listener *listener
	table    *table
	forward  *forward
	remember string

	up      *upstream
	body    *http1.Body
	sending chan sent // answers once when the rest of the body is on its way
	upgrade bool
}

// sent says how sending the rest of a body ended.
type sent struct {
	fromClient bool // it was the client that failed
	err        error
}

// errStale says that a connection that had been idle ended before any byte of
// an answer.
var errStale = errors.New("target closed an idle connection")

func (p *passage) run(ctx context.Context) (more bool) {
	replay := p.head.Length == 0
	for fresh := false; ; fresh = true {
		up, err := p.reach(ctx, fresh)
		if err != nil {
			return p.fail(err)
		}
		p.up = up
		more, err = p.try()
		if err == nil {
			return more
		}
		if again := errors.Is(err, errUnasked) || errors.Is(err, errStale) && idempotent(p.head.Method); again && replay {
			continue
		}
		return p.fail(err)
	}
}

// idempotent reports whether a request may be sent again without harm.
// Source: RFC 9110 section 9.2.2.
func idempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// reach takes an idle connection to the target, or opens one. A request that
// could not be sent again gets no connection that the target has closed.
func (p *passage) reach(ctx context.Context, fresh bool) (*upstream, error) {
	from, idle := p.socket.interfaceID, p.listener.idle
	careful := p.head.Length != 0 || !idempotent(p.head.Method)
	for !fresh {
		now := clock()
		p.departed = p.at(now)
		u := p.to.idle.take(from, now-idle)
		if u == nil {
			break
		}
		if careful && ended(u.Conn) {
			u.Close()
			continue
		}
		u.idle, u.waiting = idle, p.present
		return u, nil
	}
	u, err := reach(ctx, p.server.network, from, p.to, p.table.tls, idle)
	if err != nil {
		p.group.metrics.unreached(err)
		return nil, err
	}
	u.waiting = p.present
	p.departed = p.at(clock())
	return u, nil
}

// try sends the request on p.up and passes the answer on. After an error
// nothing of an answer was written, and p.up is closed.
func (p *passage) try() (more bool, err error) {
	defer func() {
		if err != nil {
			p.up.Close()
			p.stopSending()
		}
	}()
	if err := p.send(); err != nil {
		return false, p.whose(err)
	}
	if err := p.receive(); err != nil {
		return false, p.whose(err)
	}
	p.answered = p.at(clock())
	p.targetStatus = p.answer.Status
	if p.answer.Status == http.StatusSwitchingProtocols {
		return false, p.switchProtocols()
	}
	return p.pass(), nil
}

// send writes the head and as much of the body as is there; the rest goes on
// its way by itself.
func (p *passage) send() error {
	out := p.up.out
	p.requestHead(out)
	if !p.body.Done() && !p.body.Ready() && http1.Lists(p.Fields, http1.Expect, "100-continue") && !p.head.HTTP10 {
		p.out.StatusLine(http.StatusContinue, "Continue")
		p.out.EndLine()
		if err := p.out.Flush(); err != nil {
			return errClientGone
		}
	}
	chunked := p.head.Length == http1.Chunked
	for p.head.Length != 0 && p.body.Ready() {
		piece, err := p.body.Next()
		if errors.Is(err, io.EOF) {
			if chunked {
				out.LastChunk(p.body.Trailers)
			}
			return out.Flush()
		}
		if err != nil {
			return &clientError{err}
		}
		p.received += int64(len(piece))
		if err := out.Piece(piece, chunked); err != nil {
			return err
		}
	}
	if p.body.Done() {
		return p.up.ask()
	}
	if err := out.Flush(); err != nil {
		return err
	}
	p.sending = make(chan sent, 1)
	go sendRest(p.up, p.body, chunked, p.sending)
	return nil
}

// sendRest sends the rest of a body and says how it went.
func sendRest(up *upstream, body *http1.Body, chunked bool, done chan<- sent) {
	fromClient, err := up.out.Copy(body, chunked)
	if err == nil {
		err = up.out.Flush()
	}
	done <- sent{fromClient, err}
	if fromClient {
		up.abort() // no answer will come
	}
}

func (p *passage) requestHead(out *http1.Writer) {
	out.BeginRequest(p.head.Method)
	switch { // as target has it, without a string made for it
	case p.rewritten != nil:
		out.Add(p.rewritten.target)
	case p.Query != "" || strings.HasSuffix(p.uri, "?"):
		out.Add(p.Path)
		out.Add("?")
		out.Add(p.Query)
	default:
		out.Add(p.Path)
	}
	out.EndRequestLine()
	for i := range p.fields {
		out.Field(p.fields[i].Name, p.fields[i].Value)
	}
	if protocol, ok := p.wantsUpgrade(); ok {
		p.upgrade = true
		out.Field("Upgrade", protocol)
		out.Field("Connection", "Upgrade")
	}
	if p.head.Length != 0 || p.saysLength() {
		out.Length(p.head.Length)
	}
	out.EndLine()
}

// saysLength reports whether a request without body said so itself.
func (p *passage) saysLength() bool {
	_, says := http1.Find(p.Fields, http1.ContentLength)
	return says
}

func (p *passage) wantsUpgrade() (protocol string, ok bool) {
	protocol, ok = http1.Find(p.Fields, http1.Upgrade)
	return protocol, ok && p.head.Length == 0 && !p.head.HTTP10 && http1.Lists(p.Fields, http1.Connection, "upgrade")
}

// receive reads the head of the answer, passing on those that come before.
func (p *passage) receive() error {
	for {
		head, err := p.up.in.Head(http1.MaxResponseHead)
		if err != nil {
			if errors.Is(err, errUnasked) {
				return err
			}
			if p.up.reused && !timeout(err) && !errors.Is(err, errClientGone) && !errors.Is(err, io.ErrUnexpectedEOF) {
				return errStale
			}
			return err
		}
		if err := p.answer.Parse(head, p.head.Method); err != nil {
			return err
		}
		switch status := p.answer.Status; {
		case status >= 200:
			return nil
		case status == http.StatusSwitchingProtocols:
			if !p.upgrade {
				return errors.New("target switched protocols unasked")
			}
			return nil
		case status == http.StatusContinue || p.head.HTTP10:
		default:
			p.out.StatusLine(status, p.answer.Reason)
			http1.Forwardable(p.answer.Fields, func(f *http1.Field) { p.out.Field(f.Name, f.Value) })
			p.out.EndLine()
			if err := p.out.Flush(); err != nil {
				return errClientGone
			}
		}
		p.up.reused = false // it has answered
	}
}

// stillSending reports whether some of the body has yet to be sent.
func (p *passage) stillSending() bool { return p.sending != nil && len(p.sending) == 0 }

// errUnwanted says that a body was not sent in full because nobody wants it.
var errUnwanted = errors.New("the rest of the body is not wanted")

// stopSending ends the sending of a body, and says how it went.
func (p *passage) stopSending() sent {
	if p.sending == nil {
		return sent{}
	}
	sending := p.sending
	p.sending = nil
	select {
	case s := <-sending:
		return s
	default:
	}
	p.abort()
	if s := <-sending; s.err == nil { // it had sent all, and was about to say so
		p.resume()
		return s
	}
	return sent{err: errUnwanted}
}

// whose tells who is to blame for an error: the client when it failed to send.
func (p *passage) whose(err error) error {
	if p.sending == nil {
		return err
	}
	p.up.Close()
	if s := p.stopSending(); s.fromClient {
		return &clientError{s.err}
	}
	return err
}

// clientError is an error of the client's sending.
type clientError struct{ cause error }

func (e *clientError) Error() string { return "client: " + e.cause.Error() }
func (e *clientError) Unwrap() error { return e.cause }

// fail answers a request that got no answer from its target.
func (p *passage) fail(err error) bool {
	var fault *clientError
	var malformed *http1.Error
	status := http.StatusBadGateway
	switch {
	case errors.Is(err, errClientGone):
		p.status = statusClientGone
		return false
	case errors.As(err, &fault) && errors.As(err, &malformed):
		status = malformed.Status
	case errors.As(err, &fault) && timeout(err):
		status = http.StatusRequestTimeout
	case errors.As(err, &fault):
		p.status = statusClientGone
		return false
	case timeout(err) && !isHandshake(err):
		status = http.StatusGatewayTimeout
	}
	p.reason = err.Error()
	return p.page(p.listener, status, p.body.Done() && p.keep(p.listener))
}

func isHandshake(err error) bool {
	var h *handshakeError
	return errors.As(err, &h)
}
