package layer7

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"fargo/balancer/http1"
	"fargo/balancer/netconn"
	"fargo/balancer/tlsconfig"
)

// forwardHTTP2 passes the stream to a target that speaks HTTP/2, as those of gRPC
// do.
func (x *stream) forwardHTTP2() {
	ctx, watch := watchIdle(x.r.Context(), x.listener.Idle)
	defer watch.stop()
	x.SentAt = time.Now()
	answer, err := x.to.Conns.Transport(x.server.source, x.counts.CountUnreached).RoundTrip(x.outgoing(ctx, watch))
	if err != nil {
		if tlsconfig.IsHandshakeError(err) {
			x.counts.CountUnreached(err)
		}
		if watch.expired() {
			err = context.Cause(ctx)
		}
		x.fail(err)
		return
	}
	defer answer.Body.Close()
	x.ResponseAt, x.TargetStatus = time.Now(), answer.StatusCode
	x.pass(answer, watch)
}

// outgoing is the request for the target.
func (x *stream) outgoing(ctx context.Context, watch *idleWatch) *http.Request {
	p := &x.trip
	out := &http.Request{
		Method: x.Method, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL:           &url.URL{Scheme: "http", Host: x.TargetAddress, Path: x.Path, RawQuery: x.Query},
		Header:        make(http.Header, len(p.fields)),
		ContentLength: x.r.ContentLength,
	}
	if u, err := url.ParseRequestURI(x.TargetURI()); err == nil {
		out.URL.Path, out.URL.RawPath, out.URL.RawQuery, out.URL.ForceQuery = u.Path, u.RawPath, u.RawQuery, u.ForceQuery
	}
	if p.table.TLS {
		out.URL.Scheme = "https"
	}
	out.Host = p.fields[0].Value // see header.AppendForTarget
	setFields(out.Header, p.fields[1:])
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // or the library would add its own
	}
	if http1.Lists(x.Fields, http1.TE, "trailers") {
		out.Header.Set("Te", "trailers")
	}
	if x.r.ContentLength != 0 {
		body := &watchedBody{ReadCloser: x.r.Body, watch: watch}
		out.Body, x.body = body, body
	}
	return out.WithContext(ctx)
}

// pass writes a target's answer to the client.
func (x *stream) pass(answer *http.Response, watch *idleWatch) {
	p := &x.trip
	x.Status = answer.StatusCode
	p.answer.Fields = appendFields(p.answer.Fields[:0], answer.Header)
	x.head(p.answerFields(), answer.Header.Get("Content-Length"))
	if answer.ContentLength == 0 || x.Method == http.MethodHead {
		return // the head ends the answer, as gRPC wants it of errors
	}
	if err := x.copy(answer.Body, answer.ContentLength, watch); err != nil {
		x.Reason = err.Error()
		panic(http.ErrAbortHandler) // the client must see that something is missing
	}
	for name, values := range answer.Trailer {
		for _, v := range values {
			x.w.Header().Add(http.TrailerPrefix+name, v)
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
	buffer := netconn.GetBuffer()
	defer netconn.PutBuffer(buffer)
	for {
		n, err := body.Read(buffer[:])
		if n > 0 {
			watch.touch()
			written, err := x.w.Write(buffer[:n])
			x.Written += int64(written)
			if err != nil {
				return err
			}
			if x.Written != length { // the rest goes with the stream's end
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

// idleWatch ends a context when nothing passed for a time.
type idleWatch struct {
	idle   time.Duration
	timer  *time.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
	client atomic.Bool // it is the client's body that is waited for
}

func watchIdle(ctx context.Context, idle time.Duration) (context.Context, *idleWatch) {
	w := &idleWatch{idle: idle}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.timer = time.AfterFunc(idle, func() {
		if w.client.Load() {
			w.cancel(&clientError{context.DeadlineExceeded})
		} else {
			w.cancel(context.DeadlineExceeded)
		}
	})
	return w.ctx, w
}

func (w *idleWatch) touch() { w.timer.Reset(w.idle) }

func (w *idleWatch) stop() {
	w.timer.Stop()
	w.cancel(nil)
}

func (w *idleWatch) expired() bool { return errors.Is(context.Cause(w.ctx), context.DeadlineExceeded) }

// watchedBody is a body that tells when some of it passes. The transport may go
// on reading it for a while after the answer.
type watchedBody struct {
	io.ReadCloser
	watch *idleWatch
	taken atomic.Int64
}

// Taken is how many bytes were taken.
func (b *watchedBody) Taken() int64 { return b.taken.Load() }

func (b *watchedBody) Read(p []byte) (int, error) {
	b.watch.client.Store(true)
	n, err := b.ReadCloser.Read(p)
	b.watch.client.Store(false)
	if n > 0 {
		b.watch.touch()
		b.taken.Add(int64(n))
	}
	return n, err
}
