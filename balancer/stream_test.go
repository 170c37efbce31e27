package balancer_test

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"fargo/desired"
)

// TestLargeBodies sends 100 MiB both ways at once and looks at the memory it
// takes meanwhile.
func TestLargeBodies(t *testing.T) {
	const size = 100 << 20
	h := newSystem(t)
	echo := backend(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		io.Copy(w, r.Body)
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", echo)})
	h.healthy(1)
	for length, size := range map[int64]int64{size: size, -1: size / 8} {
		var before, during runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sent := sha256.New()
		body := io.TeeReader(io.LimitReader(&counting{}, size), sent)
		r, err := http.NewRequest("POST", "http://"+h.addr(80)+"/", body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		received := sha256.New()
		if _, err := io.CopyN(received, answer.Body, size/2); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&during)
		if _, err := io.Copy(received, answer.Body); err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if string(sent.Sum(nil)) != string(received.Sum(nil)) {
			t.Errorf("length %d: the body came back changed", length)
		}
		if grown := int64(during.HeapInuse) - int64(before.HeapInuse); grown > 16<<20 {
			t.Errorf("length %d: memory grew by %d bytes", length, grown)
		}
	}
}

// counting reads as bytes that do not repeat soon.
type counting struct{ n uint64 }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		c.n = c.n*6364136223846793005 + 1442695040888963407
		p[i] = byte(c.n >> 56)
	}
	return len(p), nil
}

// An answer passes as it comes, piece by piece.
func TestAnswerIsNotHeldBack(t *testing.T) {
	h := newSystem(t)
	next := make(chan struct{})
	a := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "event %d\n", i)
			http.NewResponseController(w).Flush()
			<-next
		}
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	r, err := http.Get("http://" + h.addr(80) + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	lines := bufio.NewReader(r.Body)
	for i := range 3 {
		line, err := lines.ReadString('\n')
		if err != nil || line != fmt.Sprintf("event %d\n", i) {
			t.Fatalf("%q %v", line, err)
		}
		next <- struct{}{}
	}
}

// A client that waits for 100 Continue is answered at once.
func TestExpectContinue(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s%s", body, r.Header.Get("Expect"))
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	in := bufio.NewReader(c)
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
	if line, err := in.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("%q %v", line, err)
	}
	in.ReadString('\n')
	io.WriteString(c, "abc")
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, _ := io.ReadAll(r.Body); string(body) != "abc" {
		t.Errorf("%q", body)
	}
}

// An answer that ends early ends early for the client too.
func TestTruncatedAnswer(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "1000000")
		}
		io.WriteString(w, strings.Repeat("x", 100000))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	for _, path := range []string{"/length", "/chunked"} {
		r, err := http.Get("http://" + h.addr(80) + path)
		if err != nil {
			continue // it broke before the head was read
		}
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			t.Errorf("%s: the client was not told", path)
		}
		r.Body.Close()
	}
}

// A target may answer before it has read all, and refuse the rest.
func TestEarlyAnswer(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusRequestEntityTooLarge)
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	io.WriteString(c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nsome of it")
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || r.StatusCode != http.StatusRequestEntityTooLarge || !r.Close {
		t.Errorf("%v %v", r, err)
	}
}

// TestWebSocket upgrades a connection and talks both ways, the target first.
func TestWebSocket(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || !strings.EqualFold(r.Header.Get("Connection"), "upgrade") {
			http.Error(w, "no upgrade", http.StatusBadRequest)
			return
		}
		c, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nhello\n")
		for {
			line, err := buffered.ReadString('\n')
			if err != nil {
				io.WriteString(c, "bye\n")
				return
			}
			io.WriteString(c, strings.ToUpper(line))
		}
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	io.WriteString(c, "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Key: y\r\n\r\nearly\n")
	in := bufio.NewReader(c)
	r, err := http.ReadResponse(in, nil)
	if err != nil || r.StatusCode != 101 || r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-Websocket-Accept") != "x" {
		t.Fatalf("%v %v", r, err)
	}
	expect := func(want string) {
		t.Helper()
		if line, err := in.ReadString('\n'); err != nil || line != want {
			t.Fatalf("%q %v", line, err)
		}
	}
	expect("hello\n")
	expect("EARLY\n")
	// configurations come and go meanwhile
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	io.WriteString(c, "more\n")
	expect("MORE\n")
	c.(*net.TCPConn).CloseWrite()
	expect("bye\n")
	if _, err := in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// Many small requests on one connection, sent before any answer is read.
func TestPipelining(t *testing.T) {
	const n = 100
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.URL.Path) })
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	var sending sync.WaitGroup
	sending.Go(func() {
		for i := range n {
			fmt.Fprintf(c, "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i)
		}
	})
	in := bufio.NewReader(c)
	for i := range n {
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(r.Body); string(body) != fmt.Sprint("/", i) {
			t.Fatalf("%d: %q", i, body)
		}
	}
	sending.Wait()
}

// A client that has nothing more to say after its request gets its answer, and
// the end.
func TestHalfClosedClient(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "answer") })
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil || !strings.HasSuffix(string(got), "\r\n\r\nanswer") {
		t.Errorf("%q %v", got, err)
	}
}

// A client that rests for its idle time after an answer is let go.
func TestIdleClient(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "answer") })
	b := alb(forwardTo("arn:g"))
	b.Attributes["idle_timeout.timeout_seconds"] = "1"
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	in := bufio.NewReader(c)
	for range 2 {
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		r, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, r.Body)
	}
	if rest, err := io.ReadAll(in); err != nil || len(rest) > 0 {
		t.Errorf("%q %v", rest, err)
	}
}
