package balancer_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"fargo/desired"
)

func TestForward(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Header.Get("X-Forwarded-Proto")+" "+r.Header.Get("X-Forwarded-Port"))
		fmt.Fprintf(w, "%s %s %q", r.Method, r.URL, body)
	})
	g := group("arn:g", a)
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{g})
	h.healthy(1)
	for _, size := range []int{0, 1, 5000, 1 << 20} {
		for _, length := range []bool{true, false} {
			var body io.Reader = strings.NewReader(strings.Repeat("x", size))
			if !length {
				body = io.MultiReader(body)
			}
			r, err := http.Post("http://"+h.addr(80)+"/a?b=c", "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("POST /a?b=c %q", strings.Repeat("x", size))
			if string(answer) != want || r.StatusCode != 200 || r.Header.Get("X-Seen") != "http 80" {
				t.Errorf("size %d, length %v: %s %.100q %q", size, length, r.Status, answer, r.Header)
			}
		}
	}
}

func TestLargeAnswer(t *testing.T) {
	h := newSystem(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		}
		w.Write(content)
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	for _, path := range []string{"/length", "/chunked"} {
		r, err := http.Get("http://" + h.addr(80) + path)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(answer, content) {
			t.Errorf("%s: %d bytes, %v", path, len(answer), err)
		}
	}
}
