package http1

import "strings"

// Kind tells the fields apart that a proxy acts on.
type Kind uint8

// The kinds of fields. Other is every field that is passed on as it came.
const (
	Other Kind = iota
	Host
	ContentLength
	TransferEncoding
	Connection
	KeepAlive
	ProxyConnection
	TE
	Trailer
	Upgrade
	Expect
	ForwardedFor
	ForwardedProto
	ForwardedPort
	TraceID
	Cookie
	SetCookie
	ContentType
	UserAgent
	Date

	// SuspiciousContentLength and SuspiciousTransferEncoding are names that other servers may
	// take for those that frame a message. InvalidName are names with something in
	// them that is not seen, or not ASCII. None of them is passed on.
	SuspiciousContentLength
	SuspiciousTransferEncoding
	InvalidName
)

var kinds = map[string]Kind{
	"host":              Host,
	"content-length":    ContentLength,
	"transfer-encoding": TransferEncoding,
	"connection":        Connection,
	"keep-alive":        KeepAlive,
	"proxy-connection":  ProxyConnection,
	"te":                TE,
	"trailer":           Trailer,
	"upgrade":           Upgrade,
	"expect":            Expect,
	"x-forwarded-for":   ForwardedFor,
	"x-forwarded-proto": ForwardedProto,
	"x-forwarded-port":  ForwardedPort,
	"x-amzn-trace-id":   TraceID,
	"cookie":            Cookie,
	"set-cookie":        SetCookie,
	"content-type":      ContentType,
	"user-agent":        UserAgent,
	"date":              Date,
}

// longestKind is the length of the longest name in kinds.
const longestKind = len("transfer-encoding")

// KindOf is the kind of the field called name, in any case.
func KindOf(name string) Kind {
	if name != "" && len(name) <= longestKind {
		for _, k := range kindsByLength[len(name)] {
			if k.name[0] == name[0]|0x20 && strings.EqualFold(k.name, name) {
				return k.kind
			}
		}
	}
	return suspiciousKind(name)
}

type namedKind struct {
	name string
	kind Kind
}

// kindsByLength has for each length the names in kinds that are so long, which
// are at most a few.
var kindsByLength = func() (by [longestKind + 1][]namedKind) {
	for name, kind := range kinds {
		by[len(name)] = append(by[len(name)], namedKind{name, kind})
	}
	return by
}()

// hopByHop reports whether a field of this kind concerns one connection only, or
// should, and is not passed on. Source: RFC 9110 section 7.6.1.
func (k Kind) hopByHop() bool {
	switch k {
	case Connection, KeepAlive, ProxyConnection, TE, Trailer, Upgrade, TransferEncoding,
		SuspiciousContentLength, SuspiciousTransferEncoding, InvalidName:
		return true
	}
	return false
}

// Field is one header or trailer line. Name has the case it came with.
type Field struct {
	Name, Value string
	Kind        Kind
}

// Find gives the value of the first field of a kind other than Other.
func Find(fields []Field, k Kind) (string, bool) {
	for i := range fields {
		if fields[i].Kind == k {
			return fields[i].Value, true
		}
	}
	return "", false
}

// Lists reports whether one of the comma-separated items of the fields of this
// kind is item, in any case.
func Lists(fields []Field, k Kind, item string) bool {
	for i := range fields {
		if fields[i].Kind == k && lists(fields[i].Value, item) {
			return true
		}
	}
	return false
}

func lists(value, item string) bool {
	for value != "" {
		var part string
		part, value, _ = strings.Cut(value, ",")
		if strings.EqualFold(strings.Trim(part, " \t"), item) {
			return true
		}
	}
	return false
}

// named reports whether the Connection fields name the field called name, which
// then concerns this connection only.
func named(fields []Field, name string) bool { return Lists(fields, Connection, name) }

// tokenByte marks the bytes a token may hold. Source: RFC 9110 section 5.6.2.
var tokenByte = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-0x20] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

// visibleByte marks the bytes that some put into names: those that are seen, and
// no colon.
var visibleByte = func() (t [256]bool) {
	for c := byte(' ') + 1; c < 0x7f; c++ {
		t[c] = c != ':'
	}
	return t
}()

// consists reports whether s is not empty and has only bytes that are marked.
func consists(s string, marked *[256]bool) bool {
	for i := range len(s) {
		if !marked[s[i]] {
			return false
		}
	}
	return s != ""
}

func isToken(s string) bool { return consists(s, &tokenByte) }

// valueByte marks the bytes a field's value may hold: visible ones, space, tab
// and those above ASCII.
var valueByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != 0x7f || c == '\t'
	}
	return t
}()

func isValue(s string) bool {
	for i := range len(s) {
		if !valueByte[s[i]] {
			return false
		}
	}
	return true
}

// parseField reads one line of a head or of trailers that is as it should be, with
// a name of the bytes that are marked.
func parseField(line string, nameByte *[256]bool) (Field, error) {
	colon := 0
	for colon < len(line) && nameByte[line[colon]] {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		return Field{}, errField
	}
	name, value := line[:colon], trim(line[colon+1:])
	if !isValue(value) {
		return Field{}, errField
	}
	return Field{Name: name, Value: value, Kind: KindOf(name)}, nil
}

// errField says that a line is no field.
var errField = bad("BadHeader")

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
