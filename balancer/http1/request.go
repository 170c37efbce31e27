package http1

import (
	"strconv"
	"strings"
)

// Limits of a request's head, in bytes.
// Source: ALB user guide, "Troubleshoot your Application Load Balancers".
const (
	MaxRequestLine = 16 << 10
	MaxField       = 16 << 10
	MaxHead        = 64 << 10
)

// Lengths of a body that are not a number of bytes.
const (
	Chunked    int64 = -1
	UntilClose int64 = -2 // answers only
)

// Request is the head of a request. Its strings are parts of the head.
type Request struct {
	Method string
	Target string // as it was sent
	// Authority is what an absolute target names, or the Host field.
	Authority string
	Path      string // as it was sent, never empty; "*" for all of the server
	Query     string // without "?"
	HTTP10    bool
	Fields    []Field
	Length    int64 // of the body, or Chunked
	Finding   Finding
}

// Parse reads a head, which ends with an empty line, into r. It keeps r.Fields'
// space. The error is an *Error.
func (r *Request) Parse(head string) error {
	*r = Request{Fields: r.Fields[:0]}
	line, rest, err := cutLine(head)
	if err != nil {
		return err
	}
	if len(line) > MaxRequestLine {
		return &Error{414, "RequestLineTooLong"}
	}
	if err := r.parseLine(line); err != nil {
		return err
	}
	for {
		line, rest, err = cutLine(rest)
		if err != nil {
			return err
		}
		if line == "" {
			break
		}
		if len(line) > MaxField {
			return bad("HeaderTooLong")
		}
		f, err := parseField(line)
		if err != nil {
			return err
		}
		r.Fields = append(r.Fields, f)
	}
	return r.frame()
}

// Vet does for a request that another protocol has framed what Parse does for a
// head: it reads Target, and finds what must not be written to a server of
// HTTP/1.1, or could be misread by it. Method, Target, Authority and Fields are
// given. The error is an *Error.
func (r *Request) Vet() error {
	switch {
	case !isToken(r.Method):
		return bad("BadMethod")
	case len(r.Target) > MaxRequestLine:
		return &Error{414, "RequestLineTooLong"}
	case !isAuthority(r.Authority):
		return bad("BadHeader")
	case !strings.HasPrefix(r.Target, "/") && r.Target != "*":
		return bad("BadUri")
	}
	for i := range r.Fields {
		if r.Fields[i].Kind == Other {
			r.noteName(r.Fields[i].Name)
		}
	}
	return r.parseTarget()
}

// cutLine parts s after its first line, which must end as RFC 9112 has it.
func cutLine(s string) (line, rest string, err error) {
	i := strings.IndexByte(s, '\n')
	if i < 1 || s[i-1] != '\r' {
		return "", "", bad("BadHeader")
	}
	return s[:i-1], s[i+1:], nil
}

func (r *Request) parseLine(line string) error {
	method, rest, _ := strings.Cut(line, " ")
	if !isToken(method) {
		return bad("BadMethod")
	}
	target, version, found := strings.Cut(rest, " ")
	if !found {
		return bad("BadVersion")
	}
	if strings.Contains(version, " ") {
		return bad("SpaceInUri")
	}
	switch {
	case version == "HTTP/1.1":
	case version == "HTTP/1.0":
		r.HTTP10 = true
	case len(version) == len("HTTP/1.1") && strings.HasPrefix(version, "HTTP/"):
		return &Error{505, "BadVersion"}
	default:
		return bad("BadVersion")
	}
	r.Method, r.Target = method, target
	return r.parseTarget()
}

func (r *Request) parseTarget() error {
	for i := range len(r.Target) {
		switch c := r.Target[i]; {
		case c <= ' ' || c == 0x7f:
			return bad("BadUri")
		case c > 0x7f || c == '#':
			r.Finding.note(Ambiguous, "AmbiguousUri")
		}
	}
	path := r.Target
	if lower := len("http://"); !strings.HasPrefix(path, "/") && path != "*" {
		switch {
		case len(path) > lower && strings.EqualFold(path[:lower], "http://"):
		case len(path) > lower+1 && strings.EqualFold(path[:lower+1], "https://"):
			lower++
		default:
			return bad("BadUri")
		}
		end := strings.IndexAny(path[lower:], "/?")
		if end < 0 {
			end = len(path) - lower
		}
		r.Authority, path = path[lower:lower+end], path[lower+end:]
		if !isAuthority(r.Authority) || r.Authority == "" {
			return bad("BadUri")
		}
	}
	r.Path, r.Query, _ = strings.Cut(path, "?")
	if r.Path == "" {
		r.Path = "/"
	}
	return nil
}

// isAuthority reports whether s can be a host with or without port.
func isAuthority(s string) bool {
	for i := range len(s) {
		if !authorityByte[s[i]] {
			return false
		}
	}
	return true
}

// authorityByte marks the bytes that may be in a host or port.
var authorityByte = func() (t [256]bool) {
	for c := byte(' ') + 1; c < 0x7f; c++ {
		t[c] = strings.IndexByte("/\\?#@,\"<>", c) < 0
	}
	return t
}()

// parseField reads one line of a head. A line that begins with a space would
// continue the one before: RFC 9112 section 5.2 lets a server refuse it.
func parseField(line string) (Field, error) {
	colon := 0
	for ; colon < len(line) && line[colon] != ':'; colon++ {
		if c := line[colon]; c <= ' ' || c >= 0x7f {
			return Field{}, bad("BadHeader")
		}
	}
	if colon == 0 || colon == len(line) {
		return Field{}, bad("BadHeader")
	}
	name, value := line[:colon], trim(line[colon+1:])
	if !isValue(value) {
		return Field{}, bad("BadHeader")
	}
	return Field{Name: name, Value: value, Kind: KindOf(name)}, nil
}

// trim takes the white space around a value away.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// frame finds out how long the body is, and whether another server might think
// otherwise.
func (r *Request) frame() error {
	var length, coding string
	hosts := 0
	for i := range r.Fields {
		f := &r.Fields[i]
		switch f.Kind {
		case Host:
			hosts++
			if !isAuthority(f.Value) {
				return bad("BadHeader")
			}
			if r.Authority == "" {
				r.Authority = f.Value
			}
		case ContentLength:
			if !isLength(f.Value) {
				return bad("BadContentLength")
			}
			if length != "" {
				if length != f.Value {
					return bad("MultipleContentLength")
				}
				r.Finding.note(Ambiguous, "DuplicateContentLength")
			}
			length = f.Value
		case TransferEncoding:
			if coding != "" {
				return bad("MultipleTransferEncodingChunked")
			}
			if coding = f.Value; !strings.EqualFold(coding, "chunked") {
				return unsupportedCoding(coding)
			}
		case Other:
			r.noteName(f.Name)
		}
	}
	if hosts > 1 || hosts == 0 && !r.HTTP10 {
		return bad("BadHost")
	}
	return r.measure(length, coding)
}

func (r *Request) measure(length, coding string) error {
	bare := r.Method == "GET" || r.Method == "HEAD"
	if coding != "" {
		if r.HTTP10 {
			return bad("UndefinedTransferEncodingSemantics")
		}
		if length != "" {
			r.Finding.note(Ambiguous, "BothTeClPresent")
		}
		if bare {
			r.Finding.note(Ambiguous, "UndefinedTransferEncodingSemantics")
		}
		r.Length = Chunked
		return nil
	}
	if length == "" {
		return nil
	}
	r.Length, _ = strconv.ParseInt(length, 10, 64)
	if bare && r.Length > 0 {
		r.Finding.note(Ambiguous, "UndefinedContentLengthSemantics")
	} else if bare {
		r.Finding.note(Acceptable, "GetHeadZeroContentLength")
	}
	return nil
}

// noteName finds names no token, and names that some servers take for those
// that frame a message.
func (r *Request) noteName(name string) {
	if !isToken(name) {
		r.Finding.note(Acceptable, "NonCompliantHeader")
	}
	if len(name) == len("content-length") && strings.EqualFold(name, "content_length") ||
		len(name) == len("transfer-encoding") && strings.EqualFold(name, "transfer_encoding") {
		r.Finding.note(Ambiguous, "SuspiciousHeader")
	}
}

// maxLengthDigits keeps lengths within an int64.
const maxLengthDigits = 18

func isLength(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != "" && len(s) <= maxLengthDigits
}

// unsupportedCoding tells a coding that is not offered from one that is none.
func unsupportedCoding(value string) error {
	for part := range strings.SplitSeq(value, ",") {
		if !isToken(strings.Trim(part, " \t")) {
			return bad("BadTransferEncoding")
		}
	}
	return &Error{501, "BadTransferEncoding"}
}

// KeepAlive reports whether the client wants to go on with the connection.
func (r *Request) KeepAlive() bool { return keepAlive(r.HTTP10, r.Fields) }

func keepAlive(http10 bool, fields []Field) bool {
	for i := range fields {
		if fields[i].Kind == Connection {
			if lists(fields[i].Value, "close") {
				return false
			}
			if http10 && lists(fields[i].Value, "keep-alive") {
				return true
			}
		}
	}
	return !http10
}

// Forwardable calls yield for each field that the next server should see:
// those that concern neither this connection nor the framing of the body.
func Forwardable(fields []Field, yield func(f *Field)) {
	connection := false
	for i := range fields {
		connection = connection || fields[i].Kind == Connection
	}
	for i := range fields {
		f := &fields[i]
		if f.Kind.Hop() || f.Kind == ContentLength {
			continue
		}
		if connection && f.Kind == Other && named(fields, f.Name) {
			continue
		}
		yield(f)
	}
}
