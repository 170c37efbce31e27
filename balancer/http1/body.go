package http1

import (
	"bytes"
	"errors"
	"io"
	"math/bits"
)

// Limits of what surrounds the chunks of a body, in bytes.
const (
	maxChunkLine = 4 << 10
	maxTrailers  = 16 << 10
	maxChunkHex  = 15 // digits; they stay within an int64
	// Beside its content a body may bring so much, and as much again as its
	// content, of what has no meaning: extensions, spaces and leading zeros.
	maxChunkPadding = 16 << 10
)

// ErrChunk says that a body is not chunked as RFC 9112 section 7.1 has it.
var ErrChunk = &Error{400, "BadChunk"}

// Body takes the body of a message from a Reader, piece by piece.
type Body struct {
	r        *Reader
	length   int64 // as in Request and Response
	left     int64 // of the body, or of the chunk
	chunkEnd bool  // the end of a chunk is yet to be taken
	done     bool

	taken    int64
	padding  int64 // of the lines before chunks
	trailers []Field
}

// Source is a body that comes piece by piece, as Body does.
type Source interface {
	// Ready reports whether Next has something to return without waiting.
	Ready() bool
	// Next takes the next piece, which is never empty and valid until the next
	// call. After the last one it returns io.EOF.
	Next() ([]byte, error)
	// Done reports whether all of the body was taken.
	Done() bool
	// Trailers are the fields after the body, complete after io.EOF.
	Trailers() []Field
}

// Body begins the body that follows the head just taken. Its length is what the
// head's Length says.
func (r *Reader) Body(length int64) Body {
	b := Body{r: r, length: length, left: length}
	switch length {
	case 0:
		b.done = true
	case Chunked:
		b.left = 0
	}
	return b
}

// Done reports whether all of the body was taken.
func (b *Body) Done() bool { return b.done }

// Trailers are the fields after the last chunk, complete after io.EOF.
func (b *Body) Trailers() []Field { return b.trailers }

// Taken is how many bytes Next has given.
func (b *Body) Taken() int64 { return b.taken }

// Ready reports whether Next has something to return without waiting for the
// source.
func (b *Body) Ready() bool {
	if b.done || b.length != Chunked || b.left > 0 {
		return b.done || b.r.r < b.r.w
	}
	ahead := b.r.Buffered()
	if b.chunkEnd {
		ahead = ahead[min(len(ahead), len("\r\n")):]
	}
	return bytes.IndexByte(ahead, '\n') >= 0
}

// Next takes the next piece, which is never empty and valid until the next call
// on the Reader. After the last one it returns io.EOF; a source that ends before
// gives io.ErrUnexpectedEOF. A body that is not as it should be, to the end of its
// trailers, gives an *Error, and is never Done.
func (b *Body) Next() ([]byte, error) {
	if b.done {
		b.r.shrink()
		return nil, io.EOF
	}
	if b.r.failed != nil {
		return nil, b.r.failed
	}
	if b.length == Chunked && b.left == 0 {
		if err := b.nextChunk(); err != nil {
			return nil, b.r.fail(unexpectedEOF(err))
		}
		if b.done {
			b.r.shrink()
			return nil, io.EOF
		}
	}
	if err := b.wait(); err != nil {
		if b.length == UntilClose && errors.Is(err, io.EOF) {
			b.done = true
			return nil, io.EOF
		}
		return nil, unexpectedEOF(err)
	}
	piece := b.r.Buffered()
	if b.length == UntilClose {
		b.taken += int64(len(piece))
		return b.r.take(len(piece)), nil
	}
	n := min(int64(len(piece)), b.left)
	b.left -= n
	b.taken += n
	if b.left == 0 {
		b.done, b.chunkEnd = b.length != Chunked, true
	}
	return b.r.take(int(n)), nil
}

// wait has something buffered, making room first for what is still to come.
func (b *Body) wait() error {
	if b.r.r < b.r.w {
		return nil
	}
	if b.length == UntilClose || b.left > headBuffer {
		b.r.expand()
	}
	return b.r.Wait()
}

// unexpectedEOF turns an end that came too early into an error.
func unexpectedEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// nextChunk takes all up to the next chunk's content, or to the body's end.
func (b *Body) nextChunk() error {
	if b.chunkEnd {
		if line, err := b.r.line(len("\r\n")); err != nil || len(line) > 0 {
			return chunkError(err)
		}
	}
	line, err := b.r.line(maxChunkLine)
	if err != nil {
		return chunkError(err)
	}
	if b.left, err = chunkSize(line); err != nil {
		return err
	}
	b.padding += int64(len(line) - hexDigits(b.left))
	if b.padding > maxChunkPadding+b.taken {
		return ErrChunk
	}
	if b.left > 0 {
		return nil
	}
	err = b.takeTrailers()
	b.done = err == nil
	return err
}

// hexDigits is how many digits a size needs.
func hexDigits(size int64) int { return max(1, (bits.Len64(uint64(size))+3)/4) }

func (b *Body) takeTrailers() error {
	for room := maxTrailers; ; {
		line, err := b.r.line(room)
		if err != nil {
			return chunkError(err)
		}
		if len(line) == 0 {
			return nil
		}
		room -= len(line) + len("\r\n")
		f, err := parseField(string(line), &tokenByte)
		if err != nil || len(b.trailers) == maxFields {
			return ErrChunk
		}
		b.trailers = append(b.trailers, f)
	}
}

// chunkError is err, or ErrChunk when what was read was wrong.
func chunkError(err error) error {
	if err == nil {
		return ErrChunk
	}
	return err
}

// chunkSize reads the line before a chunk: hexadecimal digits and extensions,
// which are dropped.
func chunkSize(line []byte) (int64, error) {
	digits, extension, _ := bytes.Cut(line, []byte(";"))
	digits = bytes.TrimRight(digits, " \t")
	if len(digits) == 0 || len(digits) > maxChunkHex || !isValue(string(extension)) {
		return 0, ErrChunk
	}
	var size int64
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, ErrChunk
		}
		size = size<<4 | int64(c)
	}
	return size, nil
}
