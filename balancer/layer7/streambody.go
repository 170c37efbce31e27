package layer7

import (
	"errors"
	"io"
	"net/http"

	"fargo/balancer/http1"
	"fargo/balancer/netconn"
)

// streamBody is the body of a stream. It implements [http1.Source].
type streamBody struct {
	r      *http.Request
	buffer *netconn.Buffer
	taken  int64
	err    error // to be told once what came with it has been taken
}

// Ready is never sure of more, for the library does not say.
func (b *streamBody) Ready() bool { return b.err != nil }

// Done reports whether all of the body was taken.
func (b *streamBody) Done() bool { return errors.Is(b.err, io.EOF) }

// Taken is how many bytes were taken.
func (b *streamBody) Taken() int64 { return b.taken }

// Next takes what has come of the body.
func (b *streamBody) Next() ([]byte, error) {
	if b.buffer == nil {
		b.buffer = netconn.GetBuffer()
	}
	for b.err == nil {
		var n int
		n, b.err = b.r.Body.Read(b.buffer[:])
		if n > 0 {
			b.taken += int64(n)
			return b.buffer[:n], nil
		}
	}
	return nil, b.err
}

// Trailers are the fields after the body.
func (b *streamBody) Trailers() []http1.Field { return appendFields(nil, b.r.Trailer) }

// free gives up the buffer, when nobody reads any more.
func (b *streamBody) free() {
	if b.buffer != nil {
		netconn.PutBuffer(b.buffer)
		b.buffer = nil
	}
}
