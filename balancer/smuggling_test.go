package balancer_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"fargo/balancer/http1"
	"fargo/balancer/http1/http1test"
	"fargo/desired"
)

// strictSystem is a system before a target that forgives nothing.
func strictSystem(t testing.TB, attributes map[string]string) (*system, *strictTarget) {
	target, h := newStrictTarget(t), newSystem(t)
	b := alb(forwardTo("arn:g"))
	for key, value := range attributes {
		b.Attributes[key] = value
	}
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", target.address)})
	h.healthy(1)
	return h, target
}

// TestNothingFollowsAnError sends requests with something wrong in each of their
// parts, in each mode, and another request after them: one answer comes, the
// connection ends, and the target never sees the other.
func TestNothingFollowsAnError(t *testing.T) {
	const post, chunked = "POST / HTTP/1.1\r\nHost: a\r\n", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	long := strings.Repeat("x", 20<<10)
	for _, mode := range []string{"monitor", "defensive", "strictest"} {
		h, target := strictSystem(t, map[string]string{"routing.http.desync_mitigation_mode": mode})
		for part, test := range map[string]struct {
			raw    string
			status int
		}{
			"empty lines":               {strings.Repeat("\r\n", 20), 400},
			"method":                    {"G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
			"request line, too long":    {"GET /" + long + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
			"target":                    {"GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
			"version":                   {"GET / HTTP/1.1.1\r\nHost: a\r\n\r\n", 400},
			"another protocol":          {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
			"field, too long":           {post + "X: " + long + "\r\n\r\n", 400},
			"fields, too long":          {post + strings.Repeat("X: "+long[:10<<10]+"\r\n", 7) + "\r\n", 400},
			"fields, too many":          {post + strings.Repeat("X:\r\n", 1000) + "\r\n", 400},
			"field without colon":       {post + "X\r\n\r\n", 400},
			"folded field":              {post + "X: y\r\n z\r\n\r\n", 400},
			"LF":                        {post + "X: y\nContent-Length: 0\r\n\r\n", 400},
			"CR":                        {post + "X: y\rContent-Length: 0\r\n\r\n", 400},
			"host":                      {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
			"port":                      {"GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400},
			"two hosts":                 {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
			"length":                    {post + "Content-Length: 3x\r\n\r\nabc", 400},
			"two lengths":               {post + "Content-Length: 3\r\nContent-Length: 0\r\n\r\n", 400},
			"coding":                    {post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400},
			"coding that is not undone": {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
			"chunk size":                {chunked + "3x\r\nabc\r\n0\r\n\r\n", 400},
			"chunk size, after content": {chunked + "1\r\na\r\nx\r\n", 400},
			"chunk line, too long":      {chunked + "3;" + long + "\r\nabc\r\n0\r\n\r\n", 400},
			"chunk extensions":          {chunked + strings.Repeat("1;"+long[:2<<10]+"\r\na\r\n", 10) + "0\r\n\r\n", 400},
			"chunk end":                 {chunked + "3\r\nabcd\r\n0\r\n\r\n", 400},
			"trailer":                   {chunked + "0\r\nX y\r\n\r\n", 400},
			"trailer, after content":    {chunked + "3\r\nabc\r\n0\r\nX y\r\n\r\n", 400},
			"trailer, after another":    {chunked + "0\r\nA: b\r\n: c\r\n\r\n", 400},
			"trailer with LF":           {chunked + "0\r\nA: b\nC: d\r\n\r\n", 400},
			"trailer, too long":         {chunked + "0\r\nX: " + long + "\r\n\r\n", 400},
			"trailers, too long":        {chunked + "0\r\n" + strings.Repeat("X: "+long[:4<<10]+"\r\n", 5) + "\r\n", 400},
			"trailers, too many":        {chunked + "0\r\n" + strings.Repeat("X:\r\n", 1001) + "\r\n", 400},
		} {
			c := dial(t, h.addr(80))
			go io.WriteString(c, test.raw+probe)
			in := bufio.NewReader(c)
			r, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Errorf("%s: %s: %v", mode, part, err)
				continue
			}
			if io.Copy(io.Discard, r.Body); r.StatusCode != test.status || !r.Close {
				t.Errorf("%s: %s: %s, close %v, want %d", mode, part, r.Status, r.Close, test.status)
			}
			if rest, _ := io.ReadAll(in); len(rest) > 0 {
				t.Errorf("%s: %s: then came %q", mode, part, rest)
			}
			c.Close()
			if seen := target.take(t); len(seen) > 0 {
				t.Errorf("%s: %s: the target saw %+v", mode, part, seen)
			}
		}
		eventually(t, "all are counted", func() bool { return h.counted("")["HTTPCode_ELB_4XX_Count"] == 30 })
		if m := h.counted(""); m["DesyncMitigationMode_NonCompliant_Request_Count"] == 0 {
			t.Errorf("%s: counted %v", mode, m)
		}
	}
}

// Only websocket is what a connection may switch to. Another protocol, as h2c,
// would bring requests that no rule has seen.
func TestUpgradeIsToWebSocketOnly(t *testing.T) {
	agreed := "websocket"
	a := target(t, func(c net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(c))
		switch {
		case err != nil:
		case r.Header.Get("Upgrade") != "" && r.URL.Path != "/health":
			fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: %s\r\nConnection: Upgrade\r\n\r\n", agreed)
			io.Copy(c, c)
		default:
			told := fmt.Sprintf("upgrade %q settings %q connection %q", r.Header["Upgrade"], r.Header["Http2-Settings"], r.Header["Connection"])
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(told), told)
		}
	})
	h := newSystem(t)
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	const plain = `200 upgrade [] settings [] connection []`
	for _, test := range []struct{ request, agreed, want string }{
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "websocket", "101 websocket"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, upgrade\r\nUpgrade: h2c, WebSocket\r\n\r\n", "WebSocket", "101 websocket"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "h2c", "502"},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n", "", plain},
		{"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", "", plain},
		{"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n", "", plain},
		{"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n", "", plain},
		{"GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "", plain},
	} {
		agreed = test.agreed
		c := dial(t, h.addr(80))
		io.WriteString(c, test.request)
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(test.request, err)
		}
		got := fmt.Sprint(r.StatusCode)
		switch r.StatusCode {
		case http.StatusOK:
			body, _ := io.ReadAll(r.Body)
			got += " " + string(body)
		case http.StatusSwitchingProtocols:
			got += " " + r.Header.Get("Upgrade")
		}
		if got != test.want {
			t.Errorf("%q: %s, want %s", test.request, got, test.want)
		}
		c.Close()
	}
}

// FuzzSmuggling sends what it is given through a load balancer to a target that
// forgives nothing: the target never reads anything but whole requests, and what
// a strict reader finds in front of it all, the target is sent as it is, with
// nothing between.
func FuzzSmuggling(f *testing.F) {
	corpus, err := os.ReadFile("http1/testdata/requests.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(corpus)) {
		if raw, err := strconv.Unquote(strings.TrimSpace(line)); err == nil {
			f.Add(raw)
		}
	}
	h, target := strictSystem(f, nil)
	address := h.addr(80)
	f.Fuzz(func(t *testing.T, raw string) {
		if !complete(raw) {
			return // the load balancer would wait for the rest
		}
		c := dial(t, address)
		defer c.Close()
		go io.WriteString(c, raw+"\x00\r\n\r\n") // which ends any connection
		in := bufio.NewReader(c)
		for rest := strings.TrimLeft(raw, "\r\n"); ; {
			m, err := http1test.Read([]byte(rest))
			if err != nil {
				break // what the load balancer makes of it is its own matter
			}
			r, err := http.ReadResponse(in, &http.Request{Method: m.Method})
			if err != nil {
				t.Fatalf("%q: no answer to %+v: %v", raw, m, err)
			}
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			if r.StatusCode != http.StatusOK {
				break // for what it asks, or from whom it says to be
			}
			told := m.Method + " " + targetOf(m.Target) + " " + m.Body
			if m.Method != http.MethodHead && string(body) != told {
				t.Fatalf("%q: the target was sent %q, want %q", raw, body, told)
			}
			if r.Close {
				break
			}
			rest = strings.TrimLeft(rest[m.Size:], "\r\n")
		}
		io.Copy(io.Discard, in) // the target looks at the rest
		target.take(t)
	})
}

// targetOf is a request's target as it is sent to a server that is no proxy.
func targetOf(target string) string {
	if _, rest, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(target, "/") {
		i := strings.IndexAny(rest, "/?#")
		switch {
		case i < 0:
			return "/"
		case rest[i] != '/':
			return "/" + rest[i:]
		}
		return rest[i:]
	}
	return target
}

// complete reports whether all of raw is requests, or ends with what is none.
func complete(raw string) bool {
	in := http1.NewReader(strings.NewReader(raw))
	for {
		var q http1.Request
		_, err := in.Request(&q)
		var wrong *http1.Error
		switch {
		case errors.As(err, &wrong) || errors.Is(err, io.EOF):
			return true
		case err != nil:
			return false
		}
		for _, f := range q.Fields {
			if f.Kind == http1.Upgrade || f.Kind == http1.Expect {
				return false
			}
		}
		body := in.Body(q.Length)
		for !body.Done() {
			if _, err := body.Next(); errors.As(err, &wrong) {
				return true
			} else if err != nil && !errors.Is(err, io.EOF) {
				return false
			}
		}
	}
}
