package api

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"fargo/aws/protocol"
)

// Limits on the memory for bodies of callers that are not authenticated yet.
const (
	// maxUnknownCallerBody is the largest body of a request that names no access key
	// which may be used. The largest legitimate one brings an identity
	// provider's assertion, of at most 100,000 characters (STS API reference,
	// AssumeRoleWithSAML).
	maxUnknownCallerBody = 256 << 10
	// unknownCallerBodies is the memory, in bytes, for the bodies of all requests
	// that name no usable access key. unverifiedBodies is that for requests that
	// name one, until their signatures have been checked. They are separate, so that
	// callers without a key cannot use up the memory of callers with one.
	unknownCallerBodies = 16 << 20
	unverifiedBodies    = 128 << 20
	// bodyTimeout is how long a client may take to send a body. The HTTP server
	// makes sure that each read ends.
	bodyTimeout = 30 * time.Second
)

// The texts of these errors are ours; AWS has no page on them.
var (
	errTooLarge = protocol.Errorf("RequestEntityTooLargeException", "The request is larger than the service accepts.").
			WithStatus(http.StatusRequestEntityTooLarge)
	errIncomplete = protocol.Errorf("IncompleteBody", "The request's body ended early.")
	errSlow       = protocol.Errorf("RequestTimeout", "The request's body was not received within %v.", bodyTimeout).
			WithStatus(http.StatusRequestTimeout)
	errBusy = &protocol.Error{
		Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Fault: true,
		Message: "Too many requests are being received whose callers are not known yet. Try again.",
	}
)

// budget is a number of bytes that many requests share.
type budget struct{ left atomic.Int64 }

func newBudget(bytes int64) *budget {
	b := new(budget)
	b.left.Store(bytes)
	return b
}

// take reserves n bytes if as many are left, and reports whether it did.
func (b *budget) take(n int64) bool {
	if b.left.Add(-n) >= 0 {
		return true
	}
	b.left.Add(n)
	return false
}

// bodyReader reads bodies into memory that it reserves in a budget, until release
// is called.
type bodyReader struct {
	budget *budget
	limit  int64 // of one body, in bytes
	until  time.Time
	taken  int64
}

func (br *bodyReader) release() {
	if br.taken > 0 {
		br.budget.left.Add(br.taken)
		br.taken = 0
	}
}

// readAll appends all of r to b.
func (br *bodyReader) readAll(b []byte, r io.Reader) ([]byte, error) {
	for {
		if len(b) == cap(b) {
			before := cap(b)
			more := slices.Grow(b, max(512, len(b)))
			grown := int64(cap(more) - before)
			if !br.budget.take(grown) {
				return b, errBusy
			}
			br.taken += grown
			b = more
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > br.limit:
			return b, errTooLarge
		case errors.Is(err, io.EOF):
			return b, nil
		case errors.Is(err, os.ErrDeadlineExceeded), time.Now().After(br.until):
			return b, errSlow
		case err != nil:
			return b, errIncomplete
		}
	}
}

// read reads the body, and decompresses it.
func (x *exchange) read() error {
	x.body = bodyReader{budget: x.unverified, limit: x.routes.maxBody}
	if !x.keyKnown && !x.AcceptAnyCredentials {
		x.body = bodyReader{budget: x.unknownCallers, limit: min(maxUnknownCallerBody, x.routes.maxBody)}
	}
	if x.http.ContentLength > x.body.limit {
		return errTooLarge
	}
	x.body.until = x.started.Add(bodyTimeout)
	var err error
	if x.raw, err = x.body.readAll(x.buffers.in[:0], x.http.Body); err != nil {
		return err
	}
	x.request.Body = x.raw
	if x.http.Header.Get("Content-Encoding") != "gzip" {
		return nil
	}
	z, err := gzip.NewReader(bytes.NewReader(x.raw))
	if err != nil {
		return protocol.Errorf("SerializationException", "The body is not gzip.")
	}
	x.request.Body, err = x.body.readAll(nil, z)
	return err
}
