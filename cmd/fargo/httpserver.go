package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// Limits for clients of the APIs and of the registry before they are authenticated.
// The handlers limit the sizes of bodies.
const (
	// maxConnections are served at once; further ones wait to be accepted.
	maxConnections = 2048
	// maxRequestHead is in bytes. The longest legitimate ones have session tokens
	// or presigned URLs of a few KiB.
	maxRequestHead = 64 << 10
	headTimeout    = 10 * time.Second
	// bodyStall is the longest pause within a body. A layer of an image may take
	// any time, as long as bytes arrive.
	bodyStall   = 30 * time.Second
	idleTimeout = 2 * time.Minute
)

func newHTTPServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           endStalledBodies(h),
		ReadHeaderTimeout: headTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxRequestHead,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// endStalledBodies lets each read of a request's body take bodyStall at most,
// also those that the server makes of a body that h did not want.
func endStalledBodies(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			body := &stallingBody{ReadCloser: r.Body, connection: http.NewResponseController(w)}
			if err := body.connection.SetReadDeadline(time.Now().Add(bodyStall)); err != nil {
				panic(http.ErrAbortHandler) // the connection is gone
			}
			r.Body = body
		}
		h.ServeHTTP(w, r)
	})
}

// stallingBody is a body whose reads have deadlines.
type stallingBody struct {
	io.ReadCloser
	connection *http.ResponseController
}

// Read extends the connection's deadline with each read of the body. After the body
// there is no deadline: the server goes on reading to notice that the client has
// disconnected, however long the answer takes.
func (b *stallingBody) Read(p []byte) (int, error) {
	deadline := time.Now().Add(bodyStall)
	if err := b.connection.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) {
		if gone := b.connection.SetReadDeadline(time.Time{}); gone != nil {
			return n, gone
		}
	}
	return n, err
}
