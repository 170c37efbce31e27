package balancer

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"fargo/balancer/http1"
)

// forward passes a stream to a target and its answer back.
func (x *stream) forward(f *forward) {
	g, remember := f.chooseGroup(x.Fields)
	if g == nil {
		x.page(http.StatusServiceUnavailable)
		return
	}
	table := x.listener.tableOf(g, x.socket)
	x.group, x.failOpen = g.group, table.failOpen
	if !x.compatible(table.version) {
		x.page(statusIncompatible)
		return
	}
	t, _ := g.chooseTarget(table, x.Fields)
	if t == nil {
		x.page(http.StatusServiceUnavailable)
		return
	}
	x.to = t
	t.inflight.Add(1)
	defer t.inflight.Add(-1)

	ctx, watch := watchIdle(x.r.Context(), x.listener.idle)
	defer watch.stop()
	x.departed = time.Now()
	answer, err := t.transport(x.server, g.group, table, x.socket.interfaceID).RoundTrip(x.outgoing(ctx, watch, table))
	if err != nil {
		x.fail(err, watch)
		return
	}
	defer answer.Body.Close()
	x.answered, x.targetStatus = time.Now(), answer.StatusCode
	x.pass(answer, f, remember, table, watch)
}

// outgoing is the request for the target.
func (x *stream) outgoing(ctx context.Context, watch *idleWatch, t *table) *http.Request {
	received, _ := http1.Find(x.Fields, http1.TraceID)
	x.trace = traceID(received, x.began, randomTrace())
	fields := requestFields(nil, &x.request, &x.listener.settings, x.listener.port, &x.from, x.trace)
	out := &http.Request{
		Method: x.Method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL:           &url.URL{Scheme: "http", Host: x.to.address, Path: x.Path, RawQuery: x.Query},
		Header:        make(http.Header, len(fields)),
		ContentLength: x.r.ContentLength,
	}
	if u, err := url.ParseRequestURI(x.target()); err == nil {
		out.URL.Path, out.URL.RawPath, out.URL.RawQuery, out.URL.ForceQuery = u.Path, u.RawPath, u.RawQuery, u.ForceQuery
	}
	if t.tls {
		out.URL.Scheme = "https"
	}
	for _, f := range fields {
		if f.Kind == http1.Host {
			out.Host = f.Value
			continue
		}
		out.Header[http.CanonicalHeaderKey(f.Name)] = append(out.Header[http.CanonicalHeaderKey(f.Name)], f.Value)
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // or the library would add its own
	}
	if t.version != versionHTTP1 && http1.Lists(x.Fields, http1.TE, "trailers") {
		out.Header.Set("Te", "trailers")
	}
	if x.r.ContentLength != 0 {
		out.Body = &watchedBody{ReadCloser: x.r.Body, watch: watch, count: &x.bodyReceived}
	}
	return out.WithContext(ctx)
}

// pass writes a target's answer to the client.
func (x *stream) pass(answer *http.Response, f *forward, remember string, t *table, watch *idleWatch) {
	x.status = answer.StatusCode
	var fields []http1.Field
	for _, name := range sortedNames(answer.Header) {
		for _, v := range answer.Header[name] {
			fields = append(fields, http1.Field{Name: name, Value: v, Kind: http1.KindOf(name)})
		}
	}
	fields = answerFields(nil, fields, &x.listener.settings, x.answered)
	if remember != "" || t.sticky.kind != "" {
		fields = stickyCookies(fields, f, remember, t.sticky, x.to, x.answered)
	}
	h := x.w.Header()
	for _, f := range fields {
		h.Add(f.Name, f.Value)
	}
	if length := answer.Header.Get("Content-Length"); length != "" {
		h.Set("Content-Length", length)
	}
	if h.Get("Content-Type") == "" {
		h["Content-Type"] = nil // or the library would guess one
	}
	x.w.WriteHeader(answer.StatusCode)
	if answer.ContentLength == 0 || x.Method == http.MethodHead {
		return // the head ends the answer, as gRPC wants it of errors
	}
	if err := x.copy(answer.Body, answer.ContentLength, watch); err != nil {
		x.reason = err.Error()
		panic(http.ErrAbortHandler) // the client must see that something is missing
	}
	for name, values := range answer.Trailer {
		for _, v := range values {
			h.Add(http.TrailerPrefix+name, v)
		}
	}
}

// copy passes a body on as it comes. Of one whose length is known, and not -1, the
// head comes with the first bytes and the end with the last, in one record of TLS
// if that is all.
func (x *stream) copy(body io.Reader, length int64, watch *idleWatch) error {
	flush := http.NewResponseController(x.w)
	if length < 0 {
		if err := flush.Flush(); err != nil {
			return err
		}
	}
	buffer := tunnelBuffers.Get().(*[tunnelBuffer]byte)
	defer tunnelBuffers.Put(buffer)
	for {
		n, err := body.Read(buffer[:])
		if n > 0 {
			watch.touch()
			written, err := x.w.Write(buffer[:n])
			x.written += int64(written)
			if err != nil {
				return err
			}
			if x.written != length { // the rest goes with the stream's end
				if err := flush.Flush(); err != nil {
					return err
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fail answers a request that got no answer from its target.
func (x *stream) fail(err error, watch *idleWatch) {
	x.reason = err.Error()
	switch {
	case watch.expired():
		x.page(http.StatusGatewayTimeout)
	case x.r.Context().Err() != nil:
		x.status = statusClientGone
	case timeout(err) && !isHandshake(err):
		x.page(http.StatusGatewayTimeout)
	default:
		x.page(http.StatusBadGateway)
	}
}

// idleWatch ends a context when nothing passed for a time.
type idleWatch struct {
	idle   time.Duration
	timer  *time.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func watchIdle(ctx context.Context, idle time.Duration) (context.Context, *idleWatch) {
	w := &idleWatch{idle: idle}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(idle, func() { w.cancel(errIdle) })
	return w.ctx, w
}

func (w *idleWatch) touch() { w.timer.Reset(w.idle) }

func (w *idleWatch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

func (w *idleWatch) expired() bool { return errors.Is(context.Cause(w.ctx), errIdle) }

// watchedBody is a body that tells when some of it passes.
type watchedBody struct {
	io.ReadCloser
	watch *idleWatch
	count *atomic.Int64
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.watch.touch()
		b.count.Add(int64(n))
	}
	return n, err
}
