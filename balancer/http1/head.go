package http1

import (
	"bytes"
	"errors"
	"io"
	"unsafe"
)

// Limits of what may be repeated before a head, and kept of one that was long.
const (
	maxEmptyLines = 8    // RFC 9112 section 2.2 asks for one
	maxFields     = 1000 // of a head, or after a body; each takes ten times its least size
	keepHead      = 8 << 10
)

// limits of a head, in bytes. What is too long is told as soon as it is.
type limits struct {
	first  int // the first line
	line   int // each other
	fields int // all of these, with their ends
}

var (
	requestLimits  = limits{MaxRequestLine, MaxField, MaxHead}
	responseLimits = limits{MaxResponseHead, MaxResponseHead, MaxResponseHead}
)

var (
	errLineTooLong  = &Error{414, "RequestLineTooLong"}
	errFieldTooLong = &Error{400, "HeaderTooLong"}
	errEmptyLines   = &Error{400, "TooManyEmptyLines"}
	errManyFields   = &Error{400, "TooManyHeaders"}
	errAfterDoubt   = &Error{400, "AfterDoubtfulRequest"}
)

// scan is how far the next head is known, from r on.
type scan struct {
	empty int // lines before it
	lines int // complete
	first int // where the second begins
	seen  int // where the one begins whose end has not been found
}

// RequestReady reports whether Request can return without waiting for the
// source.
func (r *Reader) RequestReady() bool {
	end, err := r.findHead(&requestLimits)
	return end > 0 || err != nil
}

// Request takes the head of a request, and reads it into q; n is its length. It
// returns io.EOF when the source ended before the first byte,
// io.ErrUnexpectedEOF when it ended within, and an *Error when the request must
// not be passed on. The head is valid until the next one is taken.
func (r *Reader) Request(q *Request) (n int, err error) {
	if r.last {
		return 0, r.fail(errAfterDoubt)
	}
	head, err := r.takeHead(&requestLimits)
	if err != nil {
		return 0, err
	}
	err = q.Parse(head)
	r.last = q.Finding.Doubtful
	return len(head), r.fail(err)
}

// Response takes the head of an answer to a request of the given method, and
// reads it into a. It returns io.EOF when the source ended before the first byte,
// and is otherwise as Request.
func (r *Reader) Response(a *Response, method string) error {
	head, err := r.takeHead(&responseLimits)
	if err != nil {
		return err
	}
	return r.fail(a.Parse(head, method))
}

// takeHead takes a head, with the empty line at its end. Empty lines before it
// are skipped (RFC 9112 section 2.2).
func (r *Reader) takeHead(l *limits) (string, error) {
	for {
		end, err := r.findHead(l)
		if err != nil {
			return "", err
		}
		if end > 0 {
			if cap(r.head) > keepHead {
				r.head = nil
			}
			r.head = append(r.head[:0], r.take(end)...)
			r.scan = scan{}
			r.shrink()
			return unsafe.String(unsafe.SliceData(r.head), len(r.head)), nil
		}
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

// findHead finds where the next head ends, 0 while it does not.
func (r *Reader) findHead(l *limits) (end int, err error) {
	if r.failed != nil {
		return 0, r.failed
	}
	s := &r.scan
	if s.lines == 0 && s.seen == 0 {
		r.skipEmptyLines()
		if s.empty > maxEmptyLines {
			return 0, r.fail(errEmptyLines)
		}
	}
	b := r.Buffered()
	for {
		i := bytes.IndexByte(b[s.seen:], '\n')
		if i < 0 {
			return 0, r.fail(s.tooLong(l, len(b)-s.seen, 0))
		}
		if s.lines > 0 && (i == 0 || i == 1 && b[s.seen] == '\r') {
			return s.seen + i + 1, nil
		}
		if s.seen+i > MaxField { // or nothing is
			if err := s.tooLong(l, i, i+1); err != nil {
				return 0, r.fail(err)
			}
		}
		if s.seen += i + 1; s.lines == 0 {
			s.first = s.seen
		}
		if s.lines++; s.lines > 1+maxFields {
			return 0, r.fail(errManyFields)
		}
	}
}

// tooLong tells a line of at least so many bytes, and the fields that end with
// it, from what is allowed. All but a line's end counts.
func (s *scan) tooLong(l *limits, line, whole int) error {
	switch {
	case s.lines == 0 && line > l.first+len("\r"):
		return errLineTooLong
	case s.lines > 0 && (line > l.line+len("\r") || s.seen+max(line, whole)-s.first > l.fields):
		return errFieldTooLong
	}
	return nil
}

func (r *Reader) skipEmptyLines() {
	for r.r < r.w && (r.buf[r.r] == '\n' || r.buf[r.r] == '\r' && (r.r+1 == r.w || r.buf[r.r+1] == '\n')) {
		if r.buf[r.r] == '\r' && r.r+1 == r.w {
			return
		}
		if r.buf[r.r] == '\n' {
			if r.scan.empty++; r.scan.empty > maxEmptyLines {
				return
			}
		}
		r.r++
	}
}

// Oversized reports whether r keeps more memory than it needs for what comes.
func (r *Reader) Oversized() bool { return cap(r.head) > keepHead }

// Forget gives up what is kept of the head taken last, which is not valid any
// more.
func (r *Reader) Forget() { r.head = nil }
