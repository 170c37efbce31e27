package http1

import "strings"

// parseNonStandardField reads a line that is not as parseField wants it, and notes why.
func (r *Request) parseNonStandardField(line string) Field {
	name, value, ok := strings.Cut(line, ":")
	f := r.nonStandardField(name, trim(value))
	switch {
	case line[0] == ' ' || line[0] == '\t':
		// A line of its own, or the rest of the one before: servers do not agree.
		// Source: RFC 9112 sections 2.2 and 5.2.
		r.checkName(f.Kind)
		r.refuse(Ambiguous, 400, "MultilineHeader")
	case !ok:
		r.refuse(Ambiguous, 400, "MissingHeaderColon")
	}
	return f
}

// nonStandardField notes what is wrong with a name or value, and gives the field as it
// may be written: with spaces for control characters in its value. One whose name
// another server may not even see as one is InvalidName, which is not passed on.
// Source: RFC 9110 section 5.5.
func (r *Request) nonStandardField(name, value string) Field {
	f := Field{Name: name, Value: value, Kind: KindOf(name)}
	r.checkText(name)
	if strings.Trim(name, " \t") == "" || name[0] == ':' {
		r.note(Ambiguous, "EmptyHeader")
	}
	if f.Kind == Other && !isToken(name) {
		r.note(Acceptable, "NonCompliantHeader")
		if !consists(name, &visibleByte) {
			f.Kind = InvalidName
		}
	}
	switch f.Kind {
	case ContentLength, TransferEncoding, SuspiciousContentLength, SuspiciousTransferEncoding:
		return f // whose values are judged by themselves
	}
	if r.checkText(value); !isValue(value) {
		r.note(Acceptable, "NonCompliantHeader")
		f.Value = trim(withoutControls(value))
	}
	return f
}

// checkText finds what some servers take for the end of a line, or of a text.
func (r *Request) checkText(s string) {
	if strings.ContainsAny(s, "\r\n") {
		r.refuse(Severe, 400, "BadHeader")
	} else if strings.IndexByte(s, 0) >= 0 {
		r.note(Severe, "BadHeader")
	}
}

// withoutControls is a value with spaces for what may not be in one.
func withoutControls(value string) string {
	b := []byte(value)
	for i := range b {
		if !valueByte[b[i]] {
			b[i] = ' '
		}
	}
	return string(b)
}
