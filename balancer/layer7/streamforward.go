package layer7

import (
	"errors"
	"io"
	"net/http"
	"time"

	"fargo/balancer/http1"
	"fargo/balancer/listener"
	"fargo/balancer/netconn"
	"fargo/balancer/settings"
)

// forward passes a stream to a target and its answer back.
func (x *stream) forward(r *listener.Rule) {
	p := &x.trip
	*p = roundTrip{
		transaction: &x.transaction, downstream: x, server: x.server, listener: x.listener, from: x.from,
		length: x.r.ContentLength, retain: true, // header compression keeps what was sent
		fields: p.fields, answer: p.answer,
	}
	if status := p.choose(r); status != 0 {
		x.page(status)
		return
	}
	x.to.Inflight.Add(1)
	defer x.to.Inflight.Add(-1)
	if p.table.Version == settings.VersionHTTP1 {
		x.forwardHTTP1()
	} else {
		x.forwardHTTP2()
	}
}

// forwardHTTP1 passes the stream to a target that speaks HTTP/1.1.
func (x *stream) forwardHTTP1() {
	p := &x.trip
	if p.length != 0 {
		body := &streamBody{r: x.r}
		defer body.free()
		p.body, x.body = body, body
	}
	if err := p.run(x.r.Context()); err != nil {
		x.fail(err)
		return
	}
	x.Status = p.answer.Status
	length, _ := p.saidLength()
	x.head(p.answerFields(), length)
	err := x.copyFrom(&p.content)
	if err == nil && p.stillSending() { // the client need not wait for that
		err = x.flush()
	}
	p.complete(err == nil)
	if err != nil {
		x.Reason = err.Error()
		panic(http.ErrAbortHandler) // the client must see that something is missing
	}
	x.trail(p.content.Trailers())
}

// head writes the head of the target's answer. It goes with the first of the
// body, or with the answer's end.
func (x *stream) head(fields []http1.Field, length string) {
	h := x.w.Header()
	setFields(h, fields)
	if length != "" {
		h["Content-Length"] = []string{length}
	}
	if _, ok := h["Content-Type"]; !ok {
		h["Content-Type"] = nil // or the library would guess one
	}
	x.headSent = headerSize(h)
	x.w.WriteHeader(x.Status)
}

// setFields puts fields into a header.
func setFields(h http.Header, fields []http1.Field) {
	values := make([]string, len(fields))
	for i := range fields {
		name := http.CanonicalHeaderKey(fields[i].Name)
		values[i] = fields[i].Value
		if before := h[name]; before != nil {
			h[name] = append(before, values[i])
		} else {
			h[name] = values[i : i+1 : i+1]
		}
	}
}

// copyFrom passes the answer's body on as it comes: what is there goes together,
// and the last of it with the end.
func (x *stream) copyFrom(body http1.Source) error {
	for {
		if !body.Ready() {
			if err := x.flush(); err != nil {
				return err
			}
		}
		piece, err := body.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if body.Done() && x.Written == 0 { // all of a small one, which the library can hold
			err = x.write(piece)
		} else {
			err = x.withWriteTimeout(func(*http.ResponseController) error { return x.write(piece) })
		}
		if err != nil {
			return err
		}
	}
}

func (x *stream) flush() error {
	return x.withWriteTimeout(func(c *http.ResponseController) error { return c.Flush() })
}

func (x *stream) write(piece []byte) error {
	n, err := x.w.Write(piece)
	x.Written += int64(n)
	return err
}

// withWriteTimeout resets the stream when the client has let a write wait for the idle
// time.
func (x *stream) withWriteTimeout(write func(*http.ResponseController) error) error {
	control, ended := http.NewResponseController(x.w), make(chan struct{})
	idle := time.AfterFunc(x.listener.Idle, func() {
		defer close(ended)
		_ = control.SetWriteDeadline(netconn.Past) // which the library can do
	})
	err := write(control)
	if !idle.Stop() {
		<-ended // for control must not be used any more
	}
	return err
}

// trail has the answer end with trailers.
func (x *stream) trail(trailers []http1.Field) {
	for i := range trailers {
		if f := &trailers[i]; f.Kind == http1.Other {
			x.w.Header().Add(http.TrailerPrefix+f.Name, f.Value)
		}
	}
}

// fail answers a request that got no answer from its target.
func (x *stream) fail(err error) {
	x.Reason = err.Error()
	status := statusOf(err)
	if x.CheckAlive() != nil {
		status = statusClientGone
	}
	if status == statusClientGone {
		x.Status = status
		panic(http.ErrAbortHandler)
	}
	x.page(status)
}

// SendContinue implements [downstream]. The library does what there is to do.
func (x *stream) SendContinue() error { return nil }

// SendInterim implements [downstream].
func (x *stream) SendInterim(a *http1.Response) error {
	h := x.w.Header()
	var fields []http1.Field
	http1.Forwardable(a.Fields, func(f *http1.Field) { fields = append(fields, *f) })
	setFields(h, fields)
	x.w.WriteHeader(a.Status)
	clear(h)
	return x.CheckAlive()
}

// AbortReads implements [downstream]. What comes soon can still be read: see linger.
func (x *stream) AbortReads() {
	_ = http.NewResponseController(x.w).SetReadDeadline(time.Now().Add(lingerFor)) // which the library can do
}

// ResumeReads implements [downstream]: nothing comes after the body of a stream.
func (x *stream) ResumeReads() {}

// CheckAlive implements [downstream].
func (x *stream) CheckAlive() error {
	if x.r.Context().Err() != nil {
		return errClientGone
	}
	return nil
}
