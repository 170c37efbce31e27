package http1

import (
	"strconv"
	"strings"
)

// MaxResponseHead is the most a target's head may have, in bytes.
const MaxResponseHead = 32 << 10

// Response is the head of an answer. Its strings are parts of the head.
type Response struct {
	HTTP10 bool
	Status int
	Reason string
	Fields []Field
	Length int64 // of the body, Chunked or UntilClose
	// Close says that the connection ends with this answer.
	Close bool
}

var errResponse = &Error{502, "malformed answer"}

// Parse reads the head of an answer to a request of the given method into r. It
// is laxer than Request.Parse only about the ends of lines.
func (r *Response) Parse(head, method string) error {
	*r = Response{Fields: r.Fields[:0]}
	line, rest := cutLaxLine(head)
	if err := r.parseLine(line); err != nil {
		return err
	}
	for {
		line, rest = cutLaxLine(rest)
		if line == "" {
			break
		}
		f, err := parseField(line, &visibleByte)
		if err != nil {
			return errResponse
		}
		r.Fields = append(r.Fields, f)
	}
	return r.frame(method)
}

func cutLaxLine(s string) (line, rest string) {
	line, rest, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

func (r *Response) parseLine(line string) error {
	version, rest, _ := strings.Cut(line, " ")
	switch version {
	case "HTTP/1.1":
	case "HTTP/1.0":
		r.HTTP10 = true
	default:
		return errResponse
	}
	code, reason, _ := strings.Cut(rest, " ")
	status, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || status < 100 || !isValue(reason) {
		return errResponse
	}
	r.Status, r.Reason = status, reason
	return nil
}

func (r *Response) frame(method string) error {
	length, coding := "", false
	for i := range r.Fields {
		switch f := &r.Fields[i]; f.Kind {
		case ContentLength:
			if !isLength(f.Value) || length != "" && length != f.Value {
				return errResponse
			}
			length = f.Value
		case TransferEncoding:
			if coding || !strings.EqualFold(f.Value, "chunked") {
				return errResponse
			}
			coding = true
		}
	}
	r.Close = !keepAlive(r.HTTP10, r.Fields) || coding && length != ""
	switch {
	case method == "HEAD", r.Status < 200, r.Status == 204, r.Status == 304:
	case coding:
		r.Length = Chunked
	case length != "":
		r.Length, _ = strconv.ParseInt(length, 10, 64)
	default:
		r.Length, r.Close = UntilClose, true
	}
	return nil
}
