package http1

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// "Request line: 16 K; single header: 16 K; entire request header: 64 K." ALB user
// guide, "Quotas". Each by itself: none takes from another.
func TestLimits(t *testing.T) {
	const first, host = "GET / HTTP/1.1\r\n", "Host: a\r\n"
	line := func(n int) string { return "GET /" + strings.Repeat("x", n-len("GET / HTTP/1.1")) + " HTTP/1.1\r\n" }
	field := func(n int) string { return "X: " + strings.Repeat("x", n-len("X: ")) + "\r\n" }
	fields := func(n int) string { // all of them, Host included
		all := host + strings.Repeat(field(8190), (n-len(host))/8192)
		return all + field(n-len(all)-2)
	}
	for what, test := range map[string]struct {
		head   string
		status int
	}{
		"all at their most":  {line(MaxRequestLine) + host + field(MaxField) + fields(MaxHead - MaxField - 2 - len(host))[len(host):] + "\r\n", 0},
		"request line":       {line(MaxRequestLine) + host + "\r\n", 0},
		"request line, more": {line(MaxRequestLine+1) + host + "\r\n", 414},
		"field":              {first + host + field(MaxField) + "\r\n", 0},
		"field, more":        {first + host + field(MaxField+1) + "\r\n", 400},
		"head":               {first + fields(MaxHead) + "\r\n", 0},
		"fields, many":       {first + strings.Repeat(host[:2]+":\r\n", 999) + host + "\r\n", 0},
		"fields, too many":   {first + strings.Repeat(host[:2]+":\r\n", 1000) + host + "\r\n", 400},
		"head, more":         {first + fields(MaxHead+1) + "\r\n", 400},
	} {
		var q Request
		n, err := NewReader(strings.NewReader(test.head)).Request(&q)
		var wrong *Error
		switch {
		case test.status == 0 && (err != nil || n != len(test.head)):
			t.Errorf("%s: %d %v", what, n, err)
		case test.status != 0 && (!errors.As(err, &wrong) || wrong.Status != test.status):
			t.Errorf("%s: %v, want %d", what, err, test.status)
		}
	}
}

// repeated is a source without end.
type repeated struct {
	begin, pattern string
	given          int
}

func (r *repeated) Read(b []byte) (int, error) {
	for i := range b {
		if r.given < len(r.begin) {
			b[i] = r.begin[r.given]
		} else {
			b[i] = r.pattern[(r.given-len(r.begin))%len(r.pattern)]
		}
		r.given++
	}
	return len(b), nil
}

// What has no end is told as soon as it is too long, and nothing is taken after.
func TestWithoutEnd(t *testing.T) {
	const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	for what, r := range map[string]*repeated{
		"empty lines":      {pattern: "\r\n"},
		"LFs":              {pattern: "\n"},
		"CRs":              {pattern: "\r"},
		"a line":           {pattern: "x"},
		"a field":          {begin: "GET / HTTP/1.1\r\nX: ", pattern: "x"},
		"fields":           {begin: "GET / HTTP/1.1\r\n", pattern: "X: y\r\n"},
		"a chunk line":     {begin: chunked + "1;", pattern: "x"},
		"zeros":            {begin: chunked, pattern: "0"},
		"chunk extensions": {begin: chunked, pattern: "1;" + strings.Repeat("x", 3000) + "\r\na\r\n"},
		"a trailer":        {begin: chunked + "0\r\nX: ", pattern: "x"},
		"trailers":         {begin: chunked + "0\r\n", pattern: "X: y\r\n"},
	} {
		in := NewReader(r)
		var q Request
		_, err := in.Request(&q)
		if err == nil {
			body := in.Body(q.Length)
			for err == nil {
				_, err = body.Next()
			}
			if body.Done() {
				t.Errorf("%s: the body is done", what)
			}
		}
		var wrong *Error
		if !errors.As(err, &wrong) || r.given > 256<<10 {
			t.Errorf("%s: %v after %d bytes", what, err, r.given)
		}
		if _, again := in.Request(&q); !errors.Is(again, err) || !errors.Is(in.Err(), err) || !in.RequestReady() {
			t.Errorf("%s: then %v", what, again)
		}
	}
}

// A long head does not keep its memory for long.
func TestForget(t *testing.T) {
	head := "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 15<<10) + "\r\n\r\n"
	in := NewReader(strings.NewReader(head + head))
	var q Request
	if _, err := in.Request(&q); err != nil || !in.Oversized() {
		t.Fatal(err)
	}
	if in.Forget(); in.Oversized() {
		t.Error("it is kept")
	}
	if _, err := in.Request(&q); err != nil {
		t.Error(err)
	}
	if _, err := in.Request(&q); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
