package http1

import (
	"strconv"
	"strings"
)

// framing is what the fields of a request say about its length. Fields that only
// look like those that frame a message count for what is found, and never for
// the length.
type framing struct {
	hosts   int
	length  string // of Content-Length
	lengths string // the same, or of what looks like it
	// codings says that there is a Transfer-Encoding, coded that one or something
	// that looks like one is there.
	codings, coded bool
	chunked        bool // by Transfer-Encoding
	chunks         int  // how often chunked is said, also by what looks like one
	unsupported    bool // a coding that this proxy cannot undo
}

// noteLength reads a Content-Length, or what looks like one.
func (r *Request) noteLength(f *Field) {
	g := &r.framing
	switch {
	case !isLength(f.Value):
		r.refuse(Severe, 400, "BadContentLength")
		return
	case g.lengths != "" && g.lengths != f.Value:
		r.refuse(Severe, 400, "MultipleContentLength")
	case g.lengths != "":
		r.note(Ambiguous, "DuplicateContentLength")
	}
	g.lengths = f.Value
	if f.Kind == ContentLength {
		g.length = f.Value
	}
}

// noteCodings reads a Transfer-Encoding, or what looks like one. Parameters mean
// nothing, and identity means no coding. Chunked must be the last.
// Source: RFC 9112 section 6.1; RFC 2616 section 3.6.
func (r *Request) noteCodings(f *Field) {
	g := &r.framing
	g.coded = true
	g.codings = g.codings || f.Kind == TransferEncoding
	for coding := range strings.SplitSeq(f.Value, ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		switch name = trim(name); {
		case !isValue(parameters):
			r.refuse(Severe, 400, "BadTransferEncoding")
		case strings.EqualFold(name, "chunked"):
			if g.chunks++; g.chunks > 1 {
				r.refuse(Severe, 400, "MultipleTransferEncodingChunked")
			}
			g.chunked = g.chunked || f.Kind == TransferEncoding
		case !isCoding(name) || g.chunked && f.Kind == TransferEncoding:
			r.refuse(Severe, 400, "BadTransferEncoding")
		case !strings.EqualFold(name, "identity"):
			g.unsupported = g.unsupported || f.Kind == TransferEncoding
		}
	}
}

// isCoding reports whether name is a transfer coding other than chunked.
func isCoding(name string) bool {
	for _, known := range [...]string{"identity", "gzip", "deflate", "compress", "x-gzip", "x-compress"} {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// measure finds out how long the body is, and whether another server might think
// otherwise. Source: RFC 9112 section 6.3.
func (r *Request) measure() {
	g := &r.framing
	if g.lengths != "" || g.coded {
		r.checkFraming()
	}
	switch {
	case g.hosts > 1, g.hosts == 0 && (r.version == version11 || r.version == versionNonStandard11):
		r.refuse(Compliant, 400, "BadHost")
	}
	switch {
	case g.unsupported && g.lengths != "":
		r.refuse(Ambiguous, 400, "BothTeClPresent")
	case g.unsupported:
		// "The load balancer received a Transfer-Encoding header with an unsupported
		// value": ALB user guide, "HTTP 501".
		r.refuse(Compliant, 501, "UnsupportedTransferEncoding")
	case g.chunked:
		r.Length = Chunked
	case g.length != "":
		r.Length, _ = strconv.ParseInt(g.length, 10, 64)
	}
}

// checkFraming finds lengths that others may not see, or see differently.
func (r *Request) checkFraming() {
	g := &r.framing
	bare := r.Method == "GET" || r.Method == "HEAD"
	old := r.version == version09
	if g.coded {
		if g.lengths != "" {
			r.note(Ambiguous, "BothTeClPresent")
			r.Finding.Doubtful = true // RFC 9112 section 6.3: the connection ends
		}
		if old = old || r.version == version10 || r.version == versionNonStandard10; bare || old {
			r.note(Ambiguous, "UndefinedTransferEncodingSemantics")
		}
		if old && g.codings { // RFC 9112 section 6.1: "the framing is faulty"
			r.refuse(Ambiguous, 400, "UndefinedTransferEncodingSemantics")
		}
		return
	}
	switch {
	case old:
		r.note(Ambiguous, "UndefinedContentLengthSemantics")
		if g.length != "" { // HTTP/0.9 knows no bodies
			r.refuse(Ambiguous, 400, "UndefinedContentLengthSemantics")
		}
	case bare && strings.Trim(g.lengths, "0") != "":
		r.note(Ambiguous, "UndefinedContentLengthSemantics")
	case bare:
		r.note(Acceptable, "GetHeadZeroContentLength")
	}
}

// isLength reports whether s is a number of bytes that a body can have.
func isLength(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	_, err := strconv.ParseInt(s, 10, 64)
	return err == nil
}
