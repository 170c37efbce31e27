// Package http1test has a second reader of HTTP/1.1 requests, for tests to hold
// the first against: it accepts what RFC 9112 lets a client send, and nothing
// that a recipient may tolerate. It shares no code with http1, and refuses to know
// of routes, limits and answers.
package http1test

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Message is one request.
type Message struct {
	Method, Target string
	Host           string
	Fields         []string // the lines of the head, without their ends
	Body           string
	Trailers       []string // the lines after the body, without their ends
	Size           int      // of the whole message, in bytes
}

// Deviation is what is not as RFC 9112 has it.
type Deviation string

func (d Deviation) Error() string { return "not as RFC 9112 has it: " + string(d) }

// Read reads the message at the beginning of b. The error is
// io.ErrUnexpectedEOF when b ends before the message does, and a Deviation when
// nothing that follows could make it right.
func Read(b []byte) (m Message, err error) {
	p := parser{rest: b}
	defer func() {
		if stop := recover(); stop != nil {
			err = stop.(stopped).err
		}
		m.Size = len(b) - len(p.rest)
	}()
	m.Method, m.Target = p.requestLine()
	m.Fields = p.fields()
	m.Host = hostOf(m.Fields)
	if length, chunked := framingOf(m.Fields); chunked {
		m.Body, m.Trailers = p.chunks(), p.fields()
	} else {
		m.Body = p.take(length)
	}
	return m, nil
}

// parser takes from the front of rest. What cannot go on panics with a stopped.
type parser struct{ rest []byte }

type stopped struct{ err error }

func deviate(format string, parts ...any) { panic(stopped{Deviation(fmt.Sprintf(format, parts...))}) }

// line takes a line that ends with CRLF, of visible characters, spaces and tabs.
func (p *parser) line() string {
	for i, c := range p.rest {
		switch {
		case c == '\n':
			deviate("LF by itself after %q", p.rest[:i])
		case c == '\r' && i+1 == len(p.rest):
			panic(stopped{io.ErrUnexpectedEOF})
		case c == '\r' && p.rest[i+1] == '\n':
			line := string(p.rest[:i])
			p.rest = p.rest[i+2:]
			return line
		case c < ' ' && c != '\t' || c == 0x7f:
			deviate("control character %#x after %q", c, p.rest[:i])
		}
	}
	panic(stopped{io.ErrUnexpectedEOF})
}

func (p *parser) take(n int) string {
	if len(p.rest) < n {
		panic(stopped{io.ErrUnexpectedEOF})
	}
	taken := string(p.rest[:n])
	p.rest = p.rest[n:]
	return taken
}

// requestLine takes the first line. A target may have what is not ASCII, and
// "#", which browsers send and AWS takes for right.
func (p *parser) requestLine() (method, target string) {
	parts := strings.Split(p.line(), " ")
	if len(parts) != 3 || !isToken(parts[0]) || parts[2] != "HTTP/1.1" || strings.Contains(parts[1], "\t") {
		deviate("request line %q", parts)
	}
	method, target = parts[0], parts[1]
	scheme, rest, absolute := strings.Cut(target, "://")
	switch {
	case method == "CONNECT":
		deviate("CONNECT")
	case strings.HasPrefix(target, "/"), target == "*" && method == "OPTIONS":
	case absolute && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")):
		if host := rest[:len(rest)-len(strings.TrimLeft(rest, hostBytes))]; host == "" {
			deviate("target %q", target)
		}
	default:
		deviate("target %q", target)
	}
	return method, target
}

// fields takes lines until an empty one, which it takes too. A name may have all
// that is seen, for load balancers of AWS pass such on.
func (p *parser) fields() (lines []string) {
	for {
		line := p.line()
		if line == "" {
			return lines
		}
		if name, _, ok := strings.Cut(line, ":"); !ok || name == "" || strings.IndexFunc(name, func(c rune) bool { return c <= ' ' || c > '~' }) >= 0 {
			deviate("field %q", line)
		}
		lines = append(lines, line)
	}
}

// valuesOf are the values of the fields with a name.
func valuesOf(lines []string, name string) (values []string) {
	for _, line := range lines {
		if n, v, _ := strings.Cut(line, ":"); strings.EqualFold(n, name) && len(n) == len(name) {
			values = append(values, strings.Trim(v, " \t"))
		}
	}
	return values
}

const hostBytes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+;=[]:"

func hostOf(lines []string) string {
	hosts := valuesOf(lines, "Host")
	if len(hosts) != 1 || strings.Trim(hosts[0], hostBytes) != "" {
		deviate("hosts %q", hosts)
	}
	return hosts[0]
}

// framingOf is the only framing of a message. Source: RFC 9112 section 6.
func framingOf(lines []string) (length int, chunked bool) {
	lengths, codings := valuesOf(lines, "Content-Length"), valuesOf(lines, "Transfer-Encoding")
	switch {
	case len(lengths)+len(codings) > 1:
		deviate("framed by %q and %q", lengths, codings)
	case len(codings) == 1:
		if !strings.EqualFold(codings[0], "chunked") {
			deviate("coding %q", codings[0])
		}
		return 0, true
	case len(lengths) == 1:
		n, err := strconv.ParseUint(lengths[0], 10, 62)
		if err != nil {
			deviate("length %q", lengths[0])
		}
		return int(n), false
	}
	return 0, false
}

// chunks takes the chunks of a body, the last one included.
func (p *parser) chunks() string {
	var body bytes.Buffer
	for {
		size, extensions, _ := strings.Cut(p.line(), ";")
		n, err := strconv.ParseUint(strings.TrimRight(size, " \t"), 16, 62)
		if err != nil || strings.Trim(size, " \t0123456789abcdefABCDEF") != "" || strings.HasPrefix(size, " ") {
			deviate("chunk size %q%q", size, extensions)
		}
		if n == 0 {
			return body.String()
		}
		body.WriteString(p.take(int(n)))
		if end := p.line(); end != "" {
			deviate("chunk of %d is followed by %q", n, end)
		}
	}
}

func isToken(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
