package http1

import (
	"errors"
	"io"
	"strconv"
)

// What a Writer does with its buffer, in bytes.
const (
	flushAt  = 8 << 10  // buffers so much before it writes
	direct   = 4 << 10  // a piece as large as this is not copied
	keepRoom = 16 << 10 // gives back a buffer larger than this
)

// Writer buffers a message and writes it in as few pieces as it can.
type Writer struct {
	dst io.Writer
	buf []byte
	// Written counts the bytes that dst took.
	Written int64
}

// NewWriter makes a writer to dst.
func NewWriter(dst io.Writer) *Writer {
	return &Writer{dst: dst, buf: make([]byte, 0, 1<<10)}
}

// BeginRequest begins a request; the parts of its target follow with Add, and
// EndRequestLine.
func (w *Writer) BeginRequest(method string) {
	w.buf = append(w.buf, method...)
	w.buf = append(w.buf, ' ')
}

// EndRequestLine ends the first line of a request.
func (w *Writer) EndRequestLine() { w.buf = append(w.buf, " HTTP/1.1\r\n"...) }

// StatusLine begins an answer.
func (w *Writer) StatusLine(status int, reason string) {
	w.buf = append(w.buf, "HTTP/1.1 "...)
	w.buf = strconv.AppendInt(w.buf, int64(status), 10)
	w.buf = append(w.buf, ' ')
	w.buf = append(w.buf, reason...)
	w.buf = append(w.buf, "\r\n"...)
}

// Field adds a header or trailer line.
func (w *Writer) Field(name, value string) {
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, ": "...)
	w.buf = append(w.buf, value...)
	w.buf = append(w.buf, "\r\n"...)
}

// Begin adds a field's name; parts of its value follow with Add, and EndLine.
func (w *Writer) Begin(name string) {
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, ": "...)
}

// Add adds to a value.
func (w *Writer) Add(s string) { w.buf = append(w.buf, s...) }

// EndLine ends a line, or with no line begun, the head.
func (w *Writer) EndLine() { w.buf = append(w.buf, "\r\n"...) }

// Length adds the field that frames a body of this length.
func (w *Writer) Length(length int64) {
	switch {
	case length >= 0:
		w.buf = append(w.buf, "Content-Length: "...)
		w.buf = strconv.AppendInt(w.buf, length, 10)
		w.buf = append(w.buf, "\r\n"...)
	case length == Chunked:
		w.buf = append(w.buf, "Transfer-Encoding: chunked\r\n"...)
	}
}

// Piece adds a piece of the body, as a chunk if it is chunked, and writes when
// much is buffered. An empty piece adds nothing.
func (w *Writer) Piece(piece []byte, chunked bool) error {
	if len(piece) == 0 {
		return nil
	}
	if chunked {
		w.buf = strconv.AppendInt(w.buf, int64(len(piece)), 16)
		w.buf = append(w.buf, "\r\n"...)
	}
	if len(piece) >= direct {
		if err := w.Flush(); err != nil {
			return err
		}
		if err := w.write(piece); err != nil {
			return err
		}
	} else {
		w.buf = append(w.buf, piece...)
	}
	if chunked {
		w.buf = append(w.buf, "\r\n"...)
	}
	if len(w.buf) >= flushAt {
		return w.Flush()
	}
	return nil
}

// LastChunk ends a chunked body.
func (w *Writer) LastChunk(trailers []Field) {
	w.buf = append(w.buf, "0\r\n"...)
	for i := range trailers {
		if f := &trailers[i]; f.Kind == Other {
			w.Field(f.Name, f.Value)
		}
	}
	w.EndLine()
}

// Discard forgets what was not yet written.
func (w *Writer) Discard() { w.buf = w.buf[:0] }

// Take gives what is buffered to the caller, who writes it. It is valid until
// the next call.
func (w *Writer) Take() []byte {
	buffered := w.buf
	w.buf = w.buf[:0]
	w.Written += int64(len(buffered))
	return buffered
}

// Flush writes what is buffered.
func (w *Writer) Flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	err := w.write(w.buf)
	w.buf = w.buf[:0]
	if cap(w.buf) > keepRoom {
		w.buf = make([]byte, 0, 1<<10)
	}
	return err
}

func (w *Writer) write(b []byte) error {
	n, err := w.dst.Write(b)
	w.Written += int64(n)
	return err
}

// Copy moves the rest of body into w, and writes whenever the source has no
// more to give at once. The end is not written: what follows may go with it.
// from says on which side it failed.
func (w *Writer) Copy(body Source, chunked bool) (from bool, err error) {
	for {
		if !body.Ready() {
			if err := w.Flush(); err != nil {
				return false, err
			}
		}
		piece, err := body.Next()
		if errors.Is(err, io.EOF) {
			if chunked {
				w.LastChunk(body.Trailers())
			}
			return false, nil
		}
		if err != nil {
			return true, err
		}
		if err := w.Piece(piece, chunked); err != nil {
			return false, err
		}
	}
}
