package http1

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"fargo/balancer/http1/http1test"
)

// FuzzRequests demands that what is understood of a connection does not depend
// on how its bytes arrive; that requests written anew are, to a strict reader,
// the ones they were made of, each ending where it was thought to end; and that
// what a strict reader would have read of the connection was read so.
func FuzzRequests(f *testing.F) {
	corpus, err := os.ReadFile("testdata/requests.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(corpus)) {
		if raw, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			f.Add(raw)
		}
	}
	f.Fuzz(func(t *testing.T, raw string) {
		whole := understand(strings.NewReader(raw))
		if bytewise := understand(iotest.OneByteReader(strings.NewReader(raw))); bytewise != whole {
			t.Fatalf("byte by byte:\n%s\nat once:\n%s", bytewise, whole)
		}
		checkPassedOn(t, raw)
	})
}

// passedOn is a request as it was understood, and as it was written.
type passedOn struct {
	Request
	body    string
	written string
}

// passOn passes all requests of a connection on as a proxy in monitor mode does,
// the most tolerant.
func passOn(raw string) (all []passedOn) {
	r := NewReader(strings.NewReader(raw))
	for {
		var p passedOn
		if _, err := r.Request(&p.Request); err != nil {
			return all
		}
		var out, content bytes.Buffer
		w := NewWriter(&out)
		w.BeginRequest(p.Method)
		w.Add(p.Path)
		if p.Query != "" {
			w.Add("?" + p.Query)
		}
		w.EndRequestLine()
		w.Field("Host", p.Authority)
		Forwardable(p.Fields, func(f *Field) {
			if f.Kind != Host {
				w.Field(f.Name, f.Value)
			}
		})
		w.Length(p.Length)
		w.EndLine()
		body := r.Body(p.Length)
		_, err := w.Copy(&teeSource{&body, &content}, p.Length == Chunked)
		if flushed := w.Flush(); err != nil || flushed != nil {
			return all
		}
		p.body, p.written = content.String(), out.String()
		p.Method, p.Target, p.Authority = strings.Clone(p.Method), strings.Clone(p.Target), strings.Clone(p.Authority)
		all = append(all, p)
	}
}

// teeSource copies what passes.
type teeSource struct {
	Source
	to io.Writer
}

func (s *teeSource) Next() ([]byte, error) {
	piece, err := s.Source.Next()
	s.to.Write(piece)
	return piece, err
}

func checkPassedOn(t *testing.T, raw string) {
	all := passOn(raw)
	for _, p := range all {
		m, err := http1test.Read([]byte(p.written))
		if err != nil || m.Size != len(p.written) || m.Method != p.Method || m.Body != p.body || m.Host != p.Authority {
			t.Fatalf("%q was passed on as %q, which is read as %+v, %v", raw, p.written, m, err)
		}
	}
	rest := strings.TrimLeft(raw, "\r\n")
	for _, p := range all {
		m, err := http1test.Read([]byte(rest))
		if err != nil {
			return // and was tolerated
		}
		if p.Method != m.Method || p.Target != m.Target || p.body != m.Body {
			t.Fatalf("of %q a strict reader read %+v, this one %+v with body %q", rest, m, p.Request, p.body)
		}
		rest = strings.TrimLeft(rest[m.Size:], "\r\n")
	}
}

// TestStrictReader holds the reader that others are held against.
func TestStrictReader(t *testing.T) {
	for raw, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest":                                                               "",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcrest":                                      "abc",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nA: b\r\n\r\nrest": "abc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab":                                           "EOF",
		"GET / HTTP/1.1\r\nHost: a\r\n":                                                                       "EOF",
		"GET / HTTP/1.1\nHost: a\n\n":                                                                         "deviates",
		"GET / HTTP/1.1\r\nHost : a\r\n\r\n":                                                                  "deviates",
		"GET / HTTP/1.1\r\n\r\n":                                                                              "deviates",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc":                     "deviates",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n":      "deviates",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n":              "deviates",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA b\r\n\r\n":                    "deviates",
		"GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n":                                                     "deviates",
		"GET / HTTP/1.0\r\nHost: a\r\n\r\n":                                                                   "deviates",
	} {
		m, err := http1test.Read([]byte(raw))
		got := m.Body
		var deviation http1test.Deviation
		switch {
		case errors.As(err, &deviation):
			got = "deviates"
		case errors.Is(err, io.ErrUnexpectedEOF):
			got = "EOF"
		case err != nil || raw[m.Size:] != "rest":
			t.Errorf("%q: %+v %v", raw, m, err)
		}
		if got != want {
			t.Errorf("%q: %s, want %s (%v)", raw, got, want, err)
		}
	}
}
