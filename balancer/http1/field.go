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
	if name == "" || len(name) > longestKind {
		return Other
	}
	for _, k := range kindsByLength[len(name)] {
		if k.name[0] == name[0]|0x20 && strings.EqualFold(k.name, name) {
			return k.kind
		}
	}
	return Other
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

// Hop reports whether a field of this kind concerns one connection only, and is
// not passed on. Source: RFC 9110 section 7.6.1.
func (k Kind) Hop() bool {
	switch k {
	case Connection, KeepAlive, ProxyConnection, TE, Trailer, Upgrade, TransferEncoding:
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

func isToken(s string) bool {
	for i := range len(s) {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return s != ""
}

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
