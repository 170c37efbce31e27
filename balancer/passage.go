package balancer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"fargo/balancer/http1"
)

// asker is the client of a passage, whatever protocol it speaks.
type asker interface {
	// proceed is called when the target is there and the body is not: the client
	// may be waiting to be told to send it.
	proceed() error
	// inform passes on an answer after which there will be another.
	inform(*http1.Response) error
	// abort ends the reading of the body. When it turns out that all of it had been
	// read, resume undoes abort for what comes after it.
	abort()
	resume()
	// stillThere gives an error when the client has gone.
	stillThere() error
}

// passage is one request on its way to a target that speaks HTTP/1.1, and the
// answer on its way back.
type passage struct {
	*transaction
	asker    asker
	server   *httpServer
	listener *listener
	from     *origin
	length   int64 // of the request's body, or http1.Chunked
	body     http1.Source
	upgrade  bool // the client would switch to webSocket
	// lasting says that strings of the answer are kept longer than it.
	lasting bool

	table *table
	back  groupCookie // with which the client comes back to the group

	fields  []http1.Field // for the target, and later for the client
	up      *upstream
	answer  http1.Response
	content http1.Body
	sending chan sent // answers once when the rest of the body is on its way
}

// sent says how sending the rest of a body ended.
type sent struct {
	fromClient bool // it was the client that failed
	waited     bool // it was stopped while it waited for the client
	err        error
}

// errStale says that a connection that had been idle ended before any byte of
// an answer.
var errStale = errors.New("target closed an idle connection")

// choose finds the target of a request and what to ask it. The status, if not 0,
// is what the client gets in place of a target's answer.
func (p *passage) choose(r *boundRule) (status int) {
	f := r.action.forward
	i, token := f.choose(p.Fields)
	if i < 0 {
		return http.StatusServiceUnavailable
	}
	g := r.groups[i]
	p.back, p.table = groupCookie{token, f.sticky}, p.listener.tableOf(g, p.server.port.interfaceID)
	p.group, p.groupARN, p.failOpen = g.group, g.arn, p.table.failOpen
	if !p.understood(p.table.version) {
		return statusIncompatible
	}
	t, _ := g.chooseTarget(p.table, p.Fields)
	if t == nil {
		return http.StatusServiceUnavailable
	}
	p.to, p.targetAddress = t, t.conns.address
	received, _ := http1.Find(p.Fields, http1.TraceID)
	p.trace = traceID(received, p.began, randomTrace())
	p.fields = requestFields(p.fields[:0], &p.request, &p.listener.settings, p.listener.port, p.from, p.trace)
	return 0
}

// run asks the target. Without an error, the head of its answer is there, and
// settle must be called. With one, nothing of an answer was passed on but what
// came before it.
func (p *passage) run(ctx context.Context) error {
	for fresh := false; ; fresh = true {
		up, err := p.reach(ctx, fresh)
		if err != nil {
			return err
		}
		p.up = up
		if err = p.try(); err == nil {
			return nil
		}
		again := errors.Is(err, errUnasked) || errors.Is(err, errStale) && idempotent(p.Method)
		if !again || p.length != 0 {
			return err
		}
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
	from, idle := p.server.port.interfaceID, p.listener.idle
	careful := p.length != 0 || !idempotent(p.Method)
	for !fresh {
		now := clock()
		p.departed = p.at(now)
		u := p.to.conns.take(from, now-idle)
		if u == nil {
			break
		}
		if careful && ended(u.Conn) {
			u.Close()
			continue
		}
		u.idle, u.waiting = idle, p.asker
		return u, nil
	}
	u, err := p.to.conns.connect(ctx, p.server.dialer, from, p.table.tls, idle)
	if err != nil {
		p.group.metrics.unreached(err)
		return nil, err
	}
	u.waiting = p.asker
	p.departed = p.at(clock())
	return u, nil
}

// try sends the request on p.up and reads the head of the answer. After an error
// p.up is closed.
func (p *passage) try() (err error) {
	defer func() {
		if err != nil {
			p.up.Close()
			p.stopSending()
		}
	}()
	if err := p.send(); err != nil {
		return p.whose(err)
	}
	if err := p.receive(); err != nil {
		return p.whose(err)
	}
	p.answered = p.at(clock())
	p.targetStatus = p.answer.Status
	if p.answer.Status != http.StatusSwitchingProtocols {
		p.content = p.up.in.Body(p.answer.Length)
	}
	return nil
}

// send writes the head and as much of the body as is there; the rest goes on
// its way by itself.
func (p *passage) send() error {
	out := p.up.out
	p.requestHead(out)
	if p.length == 0 {
		return p.up.ask()
	}
	if !p.body.Ready() {
		if err := p.asker.proceed(); err != nil {
			return err
		}
	}
	chunked := p.length == http1.Chunked
	for p.body.Ready() {
		piece, err := p.body.Next()
		if errors.Is(err, io.EOF) {
			if chunked {
				out.LastChunk(p.body.Trailers())
			}
			return out.Flush()
		}
		if err != nil {
			return &clientError{err}
		}
		if err := out.Piece(piece, chunked); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	p.sending = make(chan sent, 1)
	go sendRest(p.up, p.body, chunked, p.sending)
	return nil
}

// sendRest sends the rest of a body and says how it went.
func sendRest(up *upstream, body http1.Source, chunked bool, done chan<- sent) {
	fromClient, err := up.out.Copy(body, chunked)
	if err == nil {
		err = up.out.Flush()
	}
	done <- sent{fromClient: fromClient, err: err}
	if fromClient {
		up.abort() // no answer will come
	}
}

func (p *passage) requestHead(out *http1.Writer) {
	out.BeginRequest(p.Method)
	switch { // as target has it, without a string made for it
	case p.rewritten != nil:
		out.Add(p.rewritten.target)
	case p.Query != "" || strings.HasSuffix(p.URI, "?"):
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
	if p.upgrade {
		out.Field("Upgrade", webSocket)
		out.Field("Connection", "Upgrade")
	}
	if p.length != 0 || p.saysEmpty() {
		out.Length(p.length)
	}
	out.EndLine()
}

// saysEmpty reports whether a request without body says so: because the client
// did, or because HTTP/2 needs no words for what HTTP/1.1 should say of some
// methods. Source: RFC 9110 section 8.6.
func (p *passage) saysEmpty() bool {
	if _, says := http1.Find(p.Fields, http1.ContentLength); says || p.protocol != protocolHTTP2 {
		return says
	}
	return p.Method == http.MethodPost || p.Method == http.MethodPut || p.Method == http.MethodPatch
}

// receive reads the head of the answer, passing on those that come before.
func (p *passage) receive() error {
	for range maxInterim {
		if err := p.up.in.Response(&p.answer, p.Method); err != nil {
			return p.stale(err)
		}
		if p.lasting {
			p.up.in.Forget() // or the next head would be written over this one
		}
		switch status := p.answer.Status; {
		case status >= 200:
			return nil
		case status == http.StatusSwitchingProtocols:
			if !p.upgrade || !http1.Lists(p.answer.Fields, http1.Upgrade, webSocket) {
				return errors.New("target switched protocols unasked")
			}
			return nil
		case status == http.StatusContinue:
		default:
			if err := p.asker.inform(&p.answer); err != nil {
				return err
			}
		}
		p.up.reused = false // it has answered
	}
	return errInterim
}

// maxInterim is how many heads a target may send for one answer, all but the last
// of them of status 1xx.
const maxInterim = 32

var errInterim = errors.New("target sent too many answers of status 1xx")

// stale tells the end of a connection that had been idle, before any byte of an
// answer, from what else may keep an answer from being read.
func (p *passage) stale(err error) error {
	var malformed *http1.Error
	switch {
	case !p.up.reused || len(p.up.in.Buffered()) > 0 || errors.As(err, &malformed):
	case timeout(err) || errors.Is(err, errUnasked) || errors.Is(err, errClientGone):
	default:
		return errStale
	}
	return err
}

// answerFields are the fields that the client gets of the answer, save those
// that frame the body.
func (p *passage) answerFields() []http1.Field {
	p.fields = answerFields(p.fields[:0], p.answer.Fields, &p.listener.settings, p.answered)
	if p.back.Token != "" || p.table.sticky.kind != "" {
		p.fields = stickyCookies(p.fields, p.back, p.table.sticky, p.to.token, p.answered)
	}
	return p.fields
}

// saidLength is the length that the answer names, if it may. An answer to HEAD,
// and 304, may name one without having a body.
func (p *passage) saidLength() (length string, ok bool) {
	if p.answer.Length < 0 || p.answer.Status < 200 || p.answer.Status == http.StatusNoContent {
		return "", false
	}
	return http1.Find(p.answer.Fields, http1.ContentLength)
}

// settle keeps the target's connection when it can be used again. whole says
// that the answer has been passed on in full; settle says whether the request
// was.
func (p *passage) settle(whole bool) (done bool) {
	done = p.stopSending().err == nil && (p.length == 0 || p.body.Done())
	if whole && done && p.content.Done() && !p.answer.Close && len(p.up.in.Buffered()) == 0 && !p.conduct(p.listener).close {
		p.up.release()
	} else {
		p.up.Close()
	}
	return done
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
	p.asker.abort()
	p.up.stop()
	s := <-sending
	if s.err == nil { // it had sent all, and was about to say so
		p.asker.resume()
		p.up.restart()
		return s
	}
	return sent{err: errUnwanted, waited: s.fromClient && timeout(s.err)}
}

// whose tells who is to blame for an error: the client when it failed to send, or
// when a target has nothing to say because it waits for what the client sends.
func (p *passage) whose(err error) error {
	if p.sending == nil {
		return err
	}
	p.up.Close()
	s := p.stopSending()
	switch {
	case s.fromClient:
		return &clientError{s.err}
	case s.waited && timeout(err):
		return &clientError{err}
	}
	return err
}

// clientError is an error of the client's sending.
type clientError struct{ cause error }

func (e *clientError) Error() string { return "client: " + e.cause.Error() }
func (e *clientError) Unwrap() error { return e.cause }

// statusOf is what a client gets in place of an answer that did not come, whoever
// is to blame, and whatever part of the request or answer it was in.
// statusClientGone says that there is nobody to get it.
func statusOf(err error) int {
	var fault *clientError
	var malformed *http1.Error
	switch {
	case errors.Is(err, errClientGone):
		return statusClientGone
	case errors.As(err, &fault) && errors.As(err, &malformed):
		return malformed.Status
	case errors.As(err, &fault) && timeout(err):
		return http.StatusRequestTimeout
	case errors.As(err, &fault):
		return statusClientGone
	case timeout(err) && !isHandshake(err):
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}
