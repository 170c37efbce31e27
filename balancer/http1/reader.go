package http1

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// Sizes of the buffer: while heads are read, and while a body passes.
const (
	headBuffer = 4 << 10
	bodyBuffer = 32 << 10
)

// Reader takes messages from a connection.
type Reader struct {
	src  io.Reader
	buf  []byte
	r, w int // what is read but not yet taken is buf[r:w]
	big  *[bodyBuffer]byte
	head []byte // the head taken last
	scan scan   // of the next
	// failed is what could not be understood. Nothing is taken after it: what
	// follows has no meaning.
	failed *Error
	// last says that no request may follow: see Finding.Doubtful.
	last bool
}

// NewReader makes a reader of src.
func NewReader(src io.Reader) *Reader {
	return &Reader{src: src, buf: make([]byte, headBuffer)}
}

// Buffered is what is there already. It is valid until the next call.
func (r *Reader) Buffered() []byte { return r.buf[r.r:r.w] }

func (r *Reader) take(n int) []byte {
	b := r.buf[r.r : r.r+n]
	r.r += n
	return b
}

// fill waits for more. There must be room, or something taken.
func (r *Reader) fill() error {
	if r.r == r.w {
		r.r, r.w = 0, 0
	} else if r.w == len(r.buf) {
		copy(r.buf, r.buf[r.r:r.w])
		r.w -= r.r
		r.r = 0
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// Wait blocks until there is something to take.
func (r *Reader) Wait() error {
	for r.r == r.w {
		if err := r.fill(); err != nil {
			return err
		}
	}
	return nil
}

// Err is what could not be understood, or nil. It stays: a connection on which a
// message was wrong, in whatever part, is of no further use.
func (r *Reader) Err() error {
	if r.failed == nil {
		return nil
	}
	return r.failed
}

// fail remembers what could not be understood.
func (r *Reader) fail(err error) error {
	if err != nil && r.failed == nil {
		errors.As(err, &r.failed)
	}
	return err
}

// grow makes the buffer larger, for one long head.
func (r *Reader) grow(size int) {
	bigger := make([]byte, size)
	r.w = copy(bigger, r.buf[r.r:r.w])
	r.r = 0
	r.buf = bigger
	r.big = nil
}

var bigBuffers = sync.Pool{New: func() any { return new([bodyBuffer]byte) }}

// expand takes a larger buffer for a body that will not fit.
func (r *Reader) expand() {
	if len(r.buf) >= bodyBuffer {
		return
	}
	r.big = bigBuffers.Get().(*[bodyBuffer]byte)
	r.w = copy(r.big[:], r.buf[r.r:r.w])
	r.r = 0
	r.buf = r.big[:]
}

// shrink gives a larger buffer back when what is left fits in a small one.
func (r *Reader) shrink() {
	if len(r.buf) == headBuffer || r.w-r.r > headBuffer {
		return
	}
	small := make([]byte, headBuffer)
	r.w = copy(small, r.buf[r.r:r.w])
	r.r = 0
	r.buf = small
	if r.big != nil {
		bigBuffers.Put(r.big)
		r.big = nil
	}
}

// line takes a line that ends with CRLF, and returns it without. It is valid
// until the next call. ErrChunk is the error for one that is too long or ends
// otherwise.
func (r *Reader) line(limit int) ([]byte, error) {
	scanned := 0
	for {
		ahead := r.Buffered()
		if i := bytes.IndexByte(ahead[scanned:], '\n'); i >= 0 {
			i += scanned
			if i < 1 || ahead[i-1] != '\r' || i+1 > limit {
				return nil, ErrChunk
			}
			return r.take(i + 1)[:i-1], nil
		}
		if scanned = len(ahead); scanned >= limit {
			return nil, ErrChunk
		}
		if r.r == 0 && r.w == len(r.buf) {
			r.grow(len(r.buf) * 2)
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}
