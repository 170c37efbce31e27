package layer7

import (
	"context"
	"errors"
	"net/http"

	"fargo/balancer/exchange"
	"fargo/balancer/header"
	"fargo/balancer/http1"
	"fargo/balancer/listener"
	"fargo/balancer/netconn"
	"fargo/balancer/sticky"
	"fargo/balancer/targetgroup"
	"fargo/balancer/upstream"
)

// roundTrip is one request on its way to a target that speaks HTTP/1.1, and the
// answer on its way back.
type roundTrip struct {
	*transaction
	downstream downstream
	server     *Server
	listener   *listener.Listener
	from       *exchange.Origin
	length     int64 // of the request's body, or http1.Chunked
	body       http1.Source
	upgrade    bool // the client would switch to webSocket
	// retain says that strings of the answer are kept longer than it.
	retain bool

	table *targetgroup.Table
	back  sticky.Group // with which the client comes back to the group

	fields   []http1.Field // for the target, and later for the client
	up       *upstream.Conn
	answer   http1.Response
	content  http1.Body
	bodySent chan sendResult // gets one when the rest of the body was sent
}

// errStale says that a connection that had been idle ended before any byte of
// an answer.
var errStale = errors.New("target closed an idle connection")

// choose finds the target of a request and makes the fields that it gets. The status, if not 0,
// is what the client gets in place of a target's answer.
func (p *roundTrip) choose(r *listener.Rule) (status int) {
	f := r.Action.Forward
	i, token := f.Choose(p.Fields)
	if i < 0 {
		return http.StatusServiceUnavailable
	}
	g := r.Groups[i]
	p.back, p.table = sticky.Group{Token: token, Duration: f.Sticky}, p.server.port.TableOf(g)
	p.counts, p.GroupARN, p.FailOpen = g.Counters(p.server.port.Zone), g.ARN, p.table.FailOpen
	if !p.understood(p.table.Version) {
		return statusIncompatible
	}
	t, sticks := g.Choose(p.table, p.Fields)
	if t == nil {
		return http.StatusServiceUnavailable
	}
	p.to, p.TargetAddress, p.NonSticky = t, t.Conns.Address, !sticks && p.table.Sticky.Kind != ""
	received, _ := http1.Find(p.Fields, http1.TraceID)
	p.Trace = header.TraceID(received, p.Began, header.RandomTrace())
	p.DropsInvalid = p.listener.DropInvalid
	p.fields, p.InvalidFields = header.AppendForTarget(p.fields[:0], &p.Request, &p.listener.Listener, p.listener.Port, p.from, p.Trace)
	return 0
}

// run sends the request and reads the head of the answer. Without an error complete
// must be called. With one, nothing of an answer was passed on but those of status
// 1xx.
func (p *roundTrip) run(ctx context.Context) error {
	for fresh := false; ; fresh = true {
		up, err := p.reach(ctx, fresh)
		if err != nil {
			return err
		}
		p.up = up
		if err = p.try(); err == nil {
			return nil
		}
		again := errors.Is(err, netconn.ErrUnsolicited) || errors.Is(err, errStale) && idempotent(p.Method)
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
func (p *roundTrip) reach(ctx context.Context, fresh bool) (*upstream.Conn, error) {
	from, idle := p.server.source, p.listener.Idle
	careful := p.length != 0 || !idempotent(p.Method)
	for !fresh {
		now := netconn.Clock()
		p.SentAt = p.at(now)
		u := p.to.Conns.Take(from, now-idle)
		if u == nil {
			break
		}
		if careful && netconn.Ended(u.Conn) {
			u.Close()
			continue
		}
		u.Idle, u.Watch = idle, p.downstream
		return u, nil
	}
	u, err := p.to.Conns.Connect(ctx, from, p.table.TLS, idle)
	if err != nil {
		p.counts.CountUnreached(err)
		return nil, err
	}
	u.Watch = p.downstream
	p.SentAt = p.at(netconn.Clock())
	return u, nil
}

// try sends the request on p.up and reads the head of the answer. After an error
// p.up is closed.
func (p *roundTrip) try() (err error) {
	defer func() {
		if err != nil {
			p.up.Close()
			p.stopSending()
		}
	}()
	if err := p.send(); err != nil {
		return p.blame(err)
	}
	if err := p.receive(); err != nil {
		return p.blame(err)
	}
	p.ResponseAt = p.at(netconn.Clock())
	p.TargetStatus = p.answer.Status
	if p.answer.Status != http.StatusSwitchingProtocols {
		p.content = p.up.In.Body(p.answer.Length)
	}
	return nil
}

// receive reads the head of the answer, and passes on those of status 1xx.
func (p *roundTrip) receive() error {
	for range maxInterim {
		if err := p.up.In.Response(&p.answer, p.Method); err != nil {
			return p.stale(err)
		}
		if p.retain {
			p.up.In.Forget() // or the next head would be written over this one
		}
		switch status := p.answer.Status; {
		case status >= 200:
			return nil
		case status == http.StatusSwitchingProtocols:
			if !p.upgrade || !http1.Lists(p.answer.Fields, http1.Upgrade, webSocket) {
				return errors.New("target switched protocols though nobody asked for it")
			}
			return nil
		case status == http.StatusContinue:
		default:
			if err := p.downstream.SendInterim(&p.answer); err != nil {
				return err
			}
		}
		p.up.Reused = false // it has answered
	}
	return errInterim
}

// maxInterim is how many heads a target may send for one answer, all but the last
// of them of status 1xx.
const maxInterim = 32

var errInterim = errors.New("target sent too many answers of status 1xx")

// stale tells the end of a connection that had been idle, before any byte of an
// answer, from what else may keep an answer from being read.
func (p *roundTrip) stale(err error) error {
	var malformed *http1.Error
	switch {
	case !p.up.Reused || len(p.up.In.Buffered()) > 0 || errors.As(err, &malformed):
	case netconn.IsTimeout(err) || errors.Is(err, netconn.ErrUnsolicited) || errors.Is(err, errClientGone):
	default:
		return errStale
	}
	return err
}

// answerFields are the fields that the client gets of the answer, save those
// that frame the body.
func (p *roundTrip) answerFields() []http1.Field {
	p.fields = header.AppendForClient(p.fields[:0], p.answer.Fields, &p.listener.Listener, p.ResponseAt)
	if p.back.Token != "" || p.table.Sticky.Kind != "" {
		p.fields = sticky.AppendCookies(p.fields, p.back, p.table.Sticky, p.to.Token, p.ResponseAt)
	}
	return p.fields
}

// saidLength is the length that the answer names, if it may. An answer to HEAD,
// and 304, may name one without having a body.
func (p *roundTrip) saidLength() (length string, ok bool) {
	if p.answer.Length < 0 || p.answer.Status < 200 || p.answer.Status == http.StatusNoContent {
		return "", false
	}
	return http1.Find(p.answer.Fields, http1.ContentLength)
}

// complete keeps the target's connection when it can be used again. whole says that
// the answer has been passed on in full; complete reports whether the request was.
func (p *roundTrip) complete(whole bool) (done bool) {
	done = p.stopSending().err == nil && (p.length == 0 || p.body.Done())
	if whole && done && p.content.Done() && !p.answer.Close && len(p.up.In.Buffered()) == 0 && !p.mitigation(p.listener).close {
		p.up.Release()
	} else {
		p.up.Close()
	}
	return done
}

// blame tells who is to blame for an error: the client when it failed to send, or
// when a target has nothing to say because it waits for what the client sends.
func (p *roundTrip) blame(err error) error {
	if p.bodySent == nil {
		return err
	}
	p.up.Close()
	s := p.stopSending()
	switch {
	case s.fromClient:
		return &clientError{s.err}
	case s.waited && netconn.IsTimeout(err):
		return &clientError{err}
	}
	return err
}
