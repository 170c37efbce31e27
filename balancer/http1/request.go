package http1

import "strings"

// Limits of a request's head, in bytes, each by itself.
// Source: ALB user guide, "Troubleshoot your Application Load Balancers".
const (
	MaxRequestLine = 16 << 10
	MaxField       = 16 << 10 // one line, without its end
	MaxHead        = 64 << 10 // all fields together
)

// Lengths of a body that are not a number of bytes.
const (
	Chunked    int64 = -1
	UntilClose int64 = -2 // answers only
)

// Request is the head of a request. Its strings are parts of the head, or were
// made of them: what is here can be written anew without any doubt left.
type Request struct {
	Method string
	Target string // as it was sent, save that what may not be in it is percent-encoded
	// Authority is what an absolute target names, or the Host field.
	Authority string
	Path      string // as in Target, never empty; "*" for all of the server
	Query     string // without "?"
	HTTP10    bool   // or older
	Fields    []Field
	Length    int64 // of the body, or Chunked
	Finding   Finding

	version version
	framing framing
	err     error // why it is not to be passed on
}

// Parse reads a head, which ends with an empty line, into r. It keeps r.Fields'
// space. The error, an *Error, says that the request must not be passed on
// whatever else is thought of it: it has no single framing, or cannot be written
// anew. Finding is complete also then.
func (r *Request) Parse(head string) error {
	*r = Request{Fields: r.Fields[:0]}
	line, rest := cutLine(head)
	method, target, version := splitLine(line)
	r.Method, r.version = method, versionOf(version)
	for rest != "" {
		if line, rest = cutLine(rest); line == "" {
			break
		}
		r.parseField(line)
	}
	r.measure()
	r.checkVersion()
	r.checkTarget(target)
	r.checkMethod()
	return r.err
}

// Check does for a request that another protocol has framed what Parse does for a
// head: it reads Target, and finds what must not be written to a server of
// HTTP/1.1, or could be misread by it. Method, Target, Authority and Fields are
// given. The error is an *Error.
func (r *Request) Check() error {
	if len(r.Target) > MaxRequestLine {
		return errLineTooLong
	}
	if !isAuthority(r.Authority) {
		r.refuse(Compliant, 400, "BadHost")
	}
	for i := range r.Fields {
		f := &r.Fields[i]
		if len(f.Name)+len(": ")+len(f.Value) > MaxField {
			return errFieldTooLong
		}
		r.checkName(f.Kind)
	}
	if r.Target != "*" && !strings.HasPrefix(r.Target, "/") || !isTarget(r.Target) {
		r.refuse(Severe, 400, "BadUri") // RFC 9113 section 8.3.1
	} else if r.parseTarget(r.Target); r.Path == "" {
		r.refuse(Severe, 400, "BadUri")
	}
	r.checkMethod()
	return r.err
}

// note keeps the worse finding, and the first among equals.
func (r *Request) note(c Class, reason string) { r.Finding.note(c, reason) }

// refuse notes what keeps the request from being passed on.
func (r *Request) refuse(c Class, status int, reason string) {
	r.note(c, reason)
	if r.err == nil {
		r.err = &Error{status, reason}
	}
}

// cutLine parts s after its first line, which ends with CRLF, as RFC 9112 has
// it: a CR or LF by itself is part of a line, where it is never right.
func cutLine(s string) (line, rest string) {
	if i := strings.IndexByte(s, '\n'); i > 0 && s[i-1] == '\r' {
		return s[:i-1], s[i+1:]
	}
	line, rest, _ = strings.Cut(s, "\r\n")
	return line, rest
}

// parseField reads one line of the head.
func (r *Request) parseField(line string) {
	f, err := parseField(line, &tokenByte)
	if err != nil {
		f = r.parseNonStandardField(line)
	}
	r.Fields = append(r.Fields, f)
	switch f.Kind {
	case Host, ContentLength, SuspiciousContentLength, TransferEncoding, SuspiciousTransferEncoding:
		r.takeField(&f)
	}
}

// takeField takes from a field what the request as a whole is made of.
func (r *Request) takeField(f *Field) {
	r.checkName(f.Kind)
	switch f.Kind {
	case Host:
		r.framing.hosts++
		if !isAuthority(f.Value) {
			r.refuse(Compliant, 400, "BadHost")
		}
		r.Authority = f.Value
	case ContentLength, SuspiciousContentLength:
		r.noteLength(f)
	case TransferEncoding, SuspiciousTransferEncoding:
		r.noteCodings(f)
	}
}

// checkName finds names that some servers take for those that frame a message.
func (r *Request) checkName(k Kind) {
	if k == SuspiciousContentLength || k == SuspiciousTransferEncoding {
		r.note(Ambiguous, "SuspiciousHeader")
		r.Finding.Doubtful = true
	}
}

// checkMethod refuses what is no method, and the one that makes a tunnel of the
// connection, which load balancers do not offer. Source: Classic Load Balancer
// guide, "HTTP 400: BAD_REQUEST".
func (r *Request) checkMethod() {
	if !isToken(r.Method) {
		r.refuse(Severe, 400, "BadMethod")
	} else if r.Method == "CONNECT" {
		r.refuse(Compliant, 400, "BadMethod")
	}
}

// KeepAlive reports whether the client wants to go on with the connection.
func (r *Request) KeepAlive() bool {
	return r.version != version09 && keepAlive(r.HTTP10, r.Fields)
}

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
// those that concern neither this connection nor the framing of the body, and
// that nobody will take for one of those.
func Forwardable(fields []Field, yield func(f *Field)) {
	connection := false
	for i := range fields {
		connection = connection || fields[i].Kind == Connection
	}
	for i := range fields {
		f := &fields[i]
		if f.Kind.hopByHop() || f.Kind == ContentLength {
			continue
		}
		if connection && f.Kind == Other && named(fields, f.Name) {
			continue
		}
		yield(f)
	}
}
