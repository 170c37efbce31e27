package http1

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"unsafe"
)

// Sizes of the buffer: while heads are read, and while a body passes.
const (
	headBuffer = 4 << 10
	bodyBuffer = 32 << 10
)

// ErrHeadTooLong says that a head is longer than allowed.
var ErrHeadTooLong = &Error{400, "HeaderTooLong"}

// Reader takes messages from a connection.
type Reader struct {
	src  io.Reader
	buf  []byte
	r, w int // what is read but not yet taken is buf[r:w]
	big  *[bodyBuffer]byte
	head []byte // the head taken last
	// ready is where the next head ends, if that is known.
	ready int
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

// HeadReady reports whether Head has an answer without waiting for the source.
func (r *Reader) HeadReady() bool {
	r.skipEmptyLines()
	r.ready, _ = headEnd(r.Buffered(), 0)
	return r.ready > 0
}

// Head takes a head, with the empty line at its end. Empty lines before it are
// skipped (RFC 9112 section 2.2). It answers io.EOF when the source ended
// before the first byte, and io.ErrUnexpectedEOF when it ended within. The head
// is valid until the next one is taken.
func (r *Reader) Head(limit int) (string, error) {
	scanned := 0
	for {
		if scanned == 0 {
			r.skipEmptyLines()
		}
		end, seen := r.ready, 0
		if r.ready = 0; end == 0 {
			end, seen = headEnd(r.buf[r.r:r.w], scanned)
		}
		if end > limit || end == 0 && r.w-r.r > limit {
			return "", ErrHeadTooLong
		}
		if end > 0 {
			r.head = append(r.head[:0], r.take(end)...)
			r.shrink()
			return unsafe.String(unsafe.SliceData(r.head), len(r.head)), nil
		}
		scanned = seen
		if r.r == 0 && r.w == len(r.buf) {
			r.grow(len(r.buf) * 2)
		}
		if err := r.fill(); err != nil {
			if errors.Is(err, io.EOF) && r.r != r.w {
				err = io.ErrUnexpectedEOF
			}
			return "", err
		}
	}
}

func (r *Reader) skipEmptyLines() {
	for r.r < r.w && (r.buf[r.r] == '\n' || r.buf[r.r] == '\r' && (r.r+1 == r.w || r.buf[r.r+1] == '\n')) {
		if r.buf[r.r] == '\r' && r.r+1 == r.w {
			return
		}
		r.r++
	}
}

// headEnd finds where the head in b ends, 0 while it does not. Lines before
// scanned are known not to be the last; seen is scanned for the next call.
func headEnd(b []byte, scanned int) (end, seen int) {
	for {
		i := bytes.IndexByte(b[scanned:], '\n')
		if i < 0 {
			return 0, scanned
		}
		if i == 0 && scanned > 0 || i == 1 && b[scanned] == '\r' {
			return scanned + i + 1, 0
		}
		scanned += i + 1
	}
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

// line takes a line that ends with CRLF, and answers it without. It is valid
// until the next call. ErrChunk is the answer to one that is too long or ends
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
