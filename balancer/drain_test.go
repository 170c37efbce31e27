package balancer_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"fargo/balancer"
	"fargo/desired"
)

// A draining target gets no new requests, what it has begun it finishes, and
// idle connections to it are closed. When it is gone too, its time is over.
func TestDraining(t *testing.T) {
	h := newSystem(t)
	begun, finish := make(chan struct{}, 2), make(chan struct{})
	var idle, open atomic.Int64
	old := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			begun <- struct{}{}
			select {
			case <-finish:
			case <-r.Context().Done():
			}
		}
		io.WriteString(w, "old")
	}))
	old.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			open.Add(1)
		case http.StateIdle:
			idle.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	old.Start()
	t.Cleanup(old.Close)
	fresh := backend(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "new") })
	rule := alb(forwardTo("arn:g"))
	h.set([]desired.Balancer{rule}, []desired.BalancerGroup{group("arn:g", old.Listener.Addr().String())})
	h.healthy(1)
	if got := get(t, h, "/"); got != "200 old" {
		t.Fatal(got)
	}
	answers := make(chan string, 2)
	go func() { answers <- get(t, h, "/slow") }()
	<-begun

	both := group("arn:g", old.Listener.Addr().String(), fresh)
	both.Targets[0].Draining = true
	h.set([]desired.Balancer{rule}, []desired.BalancerGroup{both})
	h.healthy(1)
	for range 4 {
		if got := get(t, h, "/"); got != "200 new" {
			t.Error(got)
		}
	}
	go func() { finish <- struct{}{} }()
	if got := <-answers; got != "200 old" {
		t.Error("in flight:", got)
	}
	eventually(t, "idle connections are closed", func() bool { return open.Load() == 0 })
}

// "The load balancer returns 502 when the deregistration delay elapsed for a
// request." ALB user guide, "HTTP 502".
func TestDrainingIsOver(t *testing.T) {
	h := newSystem(t)
	begun := make(chan struct{})
	slow := backend(t, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})
	b := []desired.Balancer{alb(forwardTo("arn:g"))}
	g := group("arn:g", slow)
	h.set(b, []desired.BalancerGroup{g})
	h.healthy(1)
	answer := make(chan string)
	go func() { answer <- get(t, h, "/") }()
	<-begun
	g.Targets[0].Draining = true
	h.set(b, []desired.BalancerGroup{g})
	h.set(b, []desired.BalancerGroup{group("arn:g")})
	if got := <-answer; !strings.HasPrefix(got, "502") {
		t.Error(got)
	}
	if got := get(t, h, "/"); !strings.HasPrefix(got, "503") {
		t.Error("no target:", got)
	}
}

// get gives the status and body of an answer.
func get(t *testing.T, h *system, path string) string {
	r, err := http.Get("http://" + h.addr(80) + path)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprintf("%d %s", r.StatusCode, body)
}

// TestStaleConnection has a target that closes each connection after one answer
// without having said so. A request that may be repeated is; one that may not
// gets a connection that is not closed.
func TestStaleConnection(t *testing.T) {
	h := newSystem(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	var conns atomic.Int64
	closed := make(chan struct{}, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			go func() {
				if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
					io.Copy(io.Discard, r.Body)
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				}
				c.Close()
				closed <- struct{}{}
			}()
		}
	}()
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", l.Addr().String())})
	h.healthy(1)
	<-closed
	for _, method := range []string{"GET", "GET", "POST", "POST", "DELETE", "PATCH"} {
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader("x")
		}
		r, err := http.NewRequest(method, "http://"+h.addr(80)+"/", body)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != 200 {
			t.Errorf("%s: %s", method, answer.Status)
		}
		<-closed
	}
}

func TestGracefulClose(t *testing.T) {
	h := newSystem(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	slow := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quick" {
			return
		}
		close(begun)
		<-finish
		io.WriteString(w, "done")
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", slow)})
	h.healthy(1)
	idle, keeps := dial(t, h.addr(80)), dial(t, h.addr(80))
	answer := make(chan string)
	go func() { answer <- get(t, h, "/") }()
	<-begun
	closed := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		closed <- h.server.Close(ctx)
	}()
	eventually(t, "nobody listens", func() bool { return h.network.Addr("tcp", "eni-1", 80) == "" })
	io.WriteString(keeps, "GET /quick HTTP/1.1\r\nHost: a\r\n\r\n")
	last, err := http.ReadResponse(bufio.NewReader(keeps), nil)
	if err != nil || last.StatusCode != 200 || !last.Close {
		t.Errorf("connection that is kept: %+v, %v", last, err)
	}
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("idle connection: %v", err)
	}
	close(finish)
	if got := <-answer; got != "200 done" {
		t.Error(got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	select {
	case <-h.ended:
	case <-time.After(deadline):
		t.Error("Run goes on")
	}
}

// A client that leaves takes its request to the target with it.
func TestClientLeaves(t *testing.T) {
	h := newSystem(t)
	begun, ended := make(chan struct{}), make(chan struct{})
	a := backend(t, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	<-begun
	c.Close()
	select {
	case <-ended:
	case <-time.After(deadline):
		t.Error("the target works on for nobody")
	}
	eventually(t, "it is counted as 460", func() bool { return h.counted("")["HTTPCode_ELB_4XX_Count"] == 1 })
}

// flakyNetwork is a network whose ports cannot be opened at first, and may be closed by
// it later.
type flakyNetwork struct {
	balancer.Network
	refusals atomic.Int64
	opened   chan net.Listener
}

func (m *flakyNetwork) ListenTCP(interfaceID string, port uint16) (net.Listener, error) {
	if m.refusals.Add(-1) >= 0 {
		return nil, errors.New("no such interface yet")
	}
	l, err := m.Network.ListenTCP(interfaceID, port)
	if err == nil {
		m.opened <- l
	}
	return l, err
}

// A port that cannot be opened is told, and tried again; one that the network
// closes is opened again.
func TestPortsAreTriedAgain(t *testing.T) {
	m := &flakyNetwork{opened: make(chan net.Listener, 10)}
	h := newSystem(t, func(c *balancer.Config) {
		m.Network = c.Network
		c.Network = m
	})
	m.refusals.Store(1)
	b := []desired.Balancer{alb(forwardTo("arn:g"))}
	err := h.trySet(b, []desired.BalancerGroup{group("arn:g")})
	if err == nil || !strings.Contains(err.Error(), "listen on tcp port 80 of eni-1: no such interface yet") {
		t.Error(err)
	}
	for range 2 {
		l := <-m.opened
		eventually(t, "the port is open", func() bool { return h.network.Addr("tcp", "eni-1", 80) != "" })
		if got := get(t, h, "/"); !strings.HasPrefix(got, "503") {
			t.Error(got)
		}
		l.Close()
	}
}
