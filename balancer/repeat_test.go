package balancer_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"fargo/desired"
)

// A client that sends empty lines, or one line without end, is told so soon.
func TestHeadsWithoutEnd(t *testing.T) {
	h, _ := strictSystem(t, nil)
	for what, repeated := range map[string]string{"empty lines": "\r\n", "a line": "x", "fields": "X: y\r\n"} {
		c := dial(t, h.addr(80))
		if what == "fields" {
			io.WriteString(c, "GET / HTTP/1.1\r\n")
		}
		answered := make(chan int)
		go func() {
			r, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				close(answered)
				return
			}
			answered <- r.StatusCode
		}()
		sent, much := 0, []byte(strings.Repeat(repeated, 1<<10))
		for sent < 16<<20 {
			n, err := c.Write(much)
			if sent += n; err != nil {
				break
			}
		}
		if sent >= 16<<20 {
			t.Errorf("%s: %d bytes were taken", what, sent)
		}
		if status := <-answered; status != 400 && status != 414 && status != 0 { // 0: the reset came first
			t.Errorf("%s: %d", what, status)
		}
	}
}

// A target that never comes to its answer is cut off.
func TestAnswersWithoutEnd(t *testing.T) {
	for what, test := range map[string]struct {
		repeated string
		want     int
	}{
		"103":         {"HTTP/1.1 103 Early Hints\r\n\r\n", 502},
		"100":         {"HTTP/1.1 100 Continue\r\n\r\n", 502},
		"empty lines": {"\r\n", 502},
		"a line":      {"x", 502},
	} {
		a := target(t, func(c net.Conn) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil || r.URL.Path == "/health" {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				return
			}
			for {
				if _, err := io.WriteString(c, test.repeated); err != nil {
					return
				}
			}
		})
		h := newSystem(t)
		b := https(t, forwardTo("arn:g"))
		b.Listeners = append(b.Listeners, alb(forwardTo("arn:g")).Listeners...)
		h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", a)})
		h.healthy(1)
		if got := get(t, h, "/"); !strings.HasPrefix(got, fmt.Sprint(test.want)) {
			t.Errorf("%s: %s", what, got)
		}
		answer, err := secureClient(t, h, true).Get("https://a.example/")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != test.want {
			t.Errorf("%s, client of HTTP/2: %s", what, answer.Status)
		}
	}
}

// An answer's head that is too long, or malformed, is no sign that a connection
// was closed while it was idle: the request is not sent again.
func TestBadAnswerIsNotAskedForAgain(t *testing.T) {
	for what, answer := range map[string]string{
		"too long":  "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 40<<10) + "\r\n\r\n",
		"malformed": "nonsense\r\n\r\n",
		"half":      "HTTP/1.1 200 OK\r\nX:",
		"empty":     strings.Repeat("\r\n", 20),
	} {
		var asked atomic.Int64
		a := speaks(t, func(path string, c net.Conn, r *http.Request) {
			if path == "/first" {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				return
			}
			asked.Add(1)
			io.WriteString(c, answer)
			r.Close = true
		})
		h := newSystem(t)
		h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
		h.healthy(1)
		get(t, h, "/first") // leaves a connection
		if got := get(t, h, "/second"); !strings.HasPrefix(got, "502") || asked.Load() != 1 {
			t.Errorf("%s: %s, asked %d times", what, got, asked.Load())
		}
	}
}
