package balancer_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo/desired"
)

// secured is a system with an HTTPS listener before targets of HTTP/1.1, and a
// client that speaks HTTP/2 to it.
func secured(t *testing.T, attributes map[string]string, targets ...string) (*system, *http.Client) {
	h := newSystem(t)
	b := https(t, forwardTo("arn:g"))
	b.Attributes = attributes
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", targets...)})
	h.healthy(len(targets))
	return h, secureClient(t, h, true)
}

// briefly lets nothing rest longer than a second.
var briefly = map[string]string{"idle_timeout.timeout_seconds": "1"}

// speaks is a target that reads a request and does what its path says.
func speaks(t *testing.T, answer func(path string, c net.Conn, r *http.Request)) string {
	return target(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if r.URL.Path == "/health" {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			answer(r.URL.Path, c, r)
			if r.Close {
				return
			}
		}
	})
}

// TestStreamAnswers has a target answer in all the ways of HTTP/1.1.
func TestStreamAnswers(t *testing.T) {
	answers := map[string]string{
		"/plain":         "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\nX-A: b\r\n\r\nok",
		"/hints":         "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"/continue":      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
		"/chunked":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
		"/trailers":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\nDate: never\r\n\r\n",
		"/empty":         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
		"/empty-chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n",
		"/none":          "HTTP/1.1 204 No Content\r\n\r\n",
		"/unmodified":    "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
		"/until-close":   "HTTP/1.0 200 OK\r\n\r\nok",
		"/short":         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
		"/short-chunked": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nok",
		"/bad-chunk":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nx\r\n",
		"/switch":        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
		"/nonsense":      "hello\r\n\r\n",
		"/half":          "HTTP/1.1 200 OK\r\nContent-Le",
		"/nothing":       "",
	}
	a := speaks(t, func(path string, c net.Conn, r *http.Request) {
		io.WriteString(c, answers[path])
		r.Close = true
	})
	h, client := secured(t, nil, a)
	for _, test := range []struct{ ask, want string }{
		{"GET /plain", `200 2 "ok"`},
		{"HEAD /plain", `200 2 ""`},
		{"GET /hints", `103 </style.css>, 200 2 "ok"`},
		{"GET /continue", `200 2 "ok"`},
		{"GET /chunked", `200 2 "ok"`},
		{"HEAD /chunked", `200 -1 ""`},
		{"GET /trailers", `200 2 "ok" map[X-Sum:[1]]`},
		{"GET /empty", `200 0 ""`},
		{"GET /empty-chunked", `200 0 "" map[X-Sum:[1]]`},
		{"GET /none", `204 0 ""`},
		{"GET /unmodified", `304 5 ""`},
		{"GET /until-close", `200 -1 "ok"`},
		{"GET /short", `200 5 "ok" broken`},
		{"GET /short-chunked", `200 -1 "ok" broken`},
		{"GET /bad-chunk", `broken`},
		{"GET /switch", `502 122`},
		{"GET /nonsense", `502 122`},
		{"GET /half", `502 122`},
		{"GET /nothing", `502 122`},
	} {
		if got := tell(t, client, test.ask); !strings.HasPrefix(got, test.want) || strings.HasSuffix(got, "broken") != strings.HasSuffix(test.want, "broken") {
			t.Errorf("%s: %s, want %s", test.ask, got, test.want)
		}
	}
	if b, g := h.counted(""), h.counted("arn:g"); b["HTTPCode_ELB_502_Count"] != 4 || g["RequestCount"] != 19 || g["HTTPCode_Target_2XX_Count"] != 14 || g["HTTPCode_Target_3XX_Count"] != 1 {
		t.Errorf("counted %v %v", b, g)
	}
}

// tell makes a request and tells of its answer what a client sees.
func tell(t *testing.T, client *http.Client, what string) string {
	t.Helper()
	var told strings.Builder
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
		fmt.Fprintf(&told, "%d %s, ", code, h.Get("Link"))
		return nil
	}})
	method, path, _ := strings.Cut(what, " ")
	r, err := http.NewRequestWithContext(ctx, method, "https://a.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		return "broken"
	}
	defer answer.Body.Close()
	var body []byte
	if answer.StatusCode != http.StatusNotModified { // of which net/http expects one
		body, err = io.ReadAll(answer.Body)
	}
	fmt.Fprintf(&told, "%d %d %q", answer.StatusCode, answer.ContentLength, body)
	if len(answer.Trailer) > 0 {
		fmt.Fprintf(&told, " %v", answer.Trailer)
	}
	if err != nil {
		told.WriteString(" broken")
	}
	for _, name := range []string{"Keep-Alive", "Connection", "Transfer-Encoding", "Link"} {
		if answer.Header.Get(name) != "" {
			t.Errorf("%s: field %s was passed on", what, name)
		}
	}
	return told.String()
}

// TestStreamRequests looks at what a target of HTTP/1.1 gets.
func TestStreamRequests(t *testing.T) {
	seen := make(chan string, 1)
	a := speaks(t, func(_ string, c net.Conn, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		seen <- fmt.Sprintf("%s %s %s length %d %v %q trailers %v %v", r.Method, r.RequestURI, r.Host, r.ContentLength, r.Header["Content-Length"], body, r.Trailer, err)
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	_, client := secured(t, nil, a)
	for _, test := range []struct {
		method, path, body string
		length             int64
		trailer            http.Header
		want               string
	}{
		{method: "GET", path: "/a%2Fb?", want: `GET /a%2Fb? a.example length 0 [] "" trailers map[] <nil>`},
		{method: "GET", path: "/?q=%20", want: `GET /?q=%20 a.example length 0 [] "" trailers map[] <nil>`},
		{method: "POST", path: "/", want: `POST / a.example length 0 [0] "" trailers map[] <nil>`},
		{method: "DELETE", path: "/", want: `DELETE / a.example length 0 [] "" trailers map[] <nil>`},
		{method: "POST", path: "/", body: "abc", length: 3, want: `POST / a.example length 3 [3] "abc" trailers map[] <nil>`},
		{method: "POST", path: "/", body: "abc", length: -1, want: `POST / a.example length -1 [] "abc" trailers map[] <nil>`},
		{method: "GET", path: "/", body: "abc", length: -1, want: `GET / a.example length -1 [] "abc" trailers map[] <nil>`},
		{method: "POST", path: "/", body: "abc", length: -1, trailer: http.Header{"X-Sum": {"1"}}, want: `POST / a.example length -1 [] "abc" trailers map[X-Sum:[1]] <nil>`},
	} {
		var body io.Reader
		if test.body != "" {
			body = io.MultiReader(strings.NewReader(test.body))
		}
		r, err := http.NewRequestWithContext(t.Context(), test.method, "https://a.example"+test.path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength, r.Trailer = test.length, test.trailer
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := <-seen; got != test.want {
			t.Errorf("%s %s: the target saw\n%s, want\n%s", test.method, test.path, got, test.want)
		}
	}
}

// Fields of answers are compressed as changes of those that came before on the
// client's connection, while the target's connection has new ones.
func TestStreamFields(t *testing.T) {
	n := 0
	a := speaks(t, func(_ string, c net.Conn, _ *http.Request) {
		n++
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Same: same\r\nX-Turn: %d\r\nX-Turns-%d: yes\r\nSet-Cookie: a=%d\r\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", n%3, n%3, n%5)
	})
	_, client := secured(t, nil, a)
	for i := 1; i <= 30; i++ {
		answer, err := client.Get("https://a.example/")
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		answer.Header.Del("Date")
		want := http.Header{"X-Same": {"same"}, "X-Turn": {fmt.Sprint(i % 3)}, fmt.Sprintf("X-Turns-%d", i%3): {"yes"}, "Set-Cookie": {fmt.Sprint("a=", i%5), "b"}, "Content-Length": {"0"}}
		if d := cmp.Diff(want, answer.Header); d != "" {
			t.Errorf("answer %d: %s", i, d)
		}
	}
}

// TestStreamLargeBodies sends much both ways at once, and looks at the memory it
// takes meanwhile.
func TestStreamLargeBodies(t *testing.T) {
	const size = 32 << 20
	echo := backend(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		io.Copy(w, r.Body)
	})
	h, client := secured(t, nil, echo)
	for _, length := range []int64{size, -1} {
		var before, during runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sent, received := sha256.New(), sha256.New()
		r, err := http.NewRequestWithContext(t.Context(), "POST", "https://a.example/", io.TeeReader(io.LimitReader(&counting{}, size), sent))
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = length
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
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
	eventually(t, "both requests are counted whole", func() bool {
		heads := h.counted("")["ProcessedBytes"] - 4*size
		return h.counted("arn:g")["RequestCount"] == 2 && heads > 100 && heads < 1000
	})
}

// Both directions pass as they come: the head before there is any body, each
// piece before there is a next.
func TestStreamIsNotHeldBack(t *testing.T) {
	echo := backend(t, func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		http.NewResponseController(w).Flush()
		buffer := make([]byte, 100)
		for {
			n, err := r.Body.Read(buffer)
			if err != nil {
				return
			}
			w.Write(buffer[:n])
			http.NewResponseController(w).Flush()
		}
	})
	_, client := secured(t, nil, echo)
	body, write := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "https://a.example/", body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r) // there is no body yet
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	for i := range 3 {
		said := fmt.Sprintf("line %d\n", i)
		io.WriteString(write, said)
		if line, err := lines.ReadString('\n'); err != nil || line != said {
			t.Fatalf("%q %v", line, err)
		}
	}
	write.Close()
	if _, err := lines.ReadByte(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// A client that waits for 100 Continue is answered when the target is there.
func TestStreamExpectContinue(t *testing.T) {
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s%s", body, r.Header.Get("Expect"))
	})
	_, client := secured(t, nil, a)
	told := false
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { told = true }})
	r, err := http.NewRequestWithContext(ctx, "POST", "https://a.example/", io.MultiReader(strings.NewReader("abc")))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Expect", "100-continue")
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); string(body) != "abc" || err != nil || !told {
		t.Errorf("%q %v, told %v", body, err, told)
	}
}

// A target may answer before it has read all, and read no more. The answer ends
// for the client though its request has not.
func TestStreamEarlyAnswer(t *testing.T) {
	for connection, status := range map[string]int{"close": http.StatusRequestEntityTooLarge, "keep-alive": http.StatusOK} {
		read := make(chan struct{})
		a := target(t, func(c net.Conn) {
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err != nil || r.URL.Path == "/health" {
				io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 %d x\r\nConnection: %s\r\nContent-Length: 4\r\n\r\nmuch", status, connection)
			<-read
		})
		_, client := secured(t, nil, a)
		ctx, cancel := context.WithTimeout(t.Context(), deadline) // which is less than the idle time
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "POST", "https://a.example/", io.LimitReader(&counting{}, 1<<30))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		if answer.StatusCode != status || string(body) != "much" || err != nil {
			t.Errorf("%s: %s %q %v", connection, answer.Status, body, err)
		}
		answer.Body.Close()
		close(read)
	}
}

// TestStreamStaleConnection is TestStaleConnection for clients of HTTP/2.
func TestStreamStaleConnection(t *testing.T) {
	closed := make(chan struct{}, 100)
	a := target(t, func(c net.Conn) {
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.Copy(io.Discard, r.Body)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
		c.Close()
		closed <- struct{}{}
	})
	_, client := secured(t, nil, a)
	<-closed
	for _, method := range []string{"GET", "GET", "POST", "POST", "DELETE", "PATCH", "PATCH"} {
		var body io.Reader
		if method == "POST" {
			body = strings.NewReader("x")
		}
		r, err := http.NewRequestWithContext(t.Context(), method, "https://a.example/", body)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
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

// A target that cannot be reached is 502, one that says nothing for the idle time
// 504, whether the request has a body or not.
func TestStreamTimesOut(t *testing.T) {
	unreachable, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unreachable.Close()
	over := make(chan struct{})
	silent := backend(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-over
	})
	t.Cleanup(func() { close(over) })
	for address, want := range map[string]string{silent: "504", unreachable.Addr().String(): "502"} {
		h := newSystem(t)
		b := https(t, forwardTo("arn:g"))
		b.Attributes = briefly
		h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", address)})
		client := secureClient(t, h, true)
		for _, method := range []string{"GET", "POST"} {
			var body io.Reader
			if method == "POST" {
				body = strings.NewReader("x")
			}
			r, err := http.NewRequestWithContext(t.Context(), method, "https://a.example/", body)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if got := fmt.Sprint(answer.StatusCode); got != want {
				t.Errorf("%s: %s, want %s", method, got, want)
			}
		}
	}
}

// A client that resets its stream takes its request to the target with it,
// whatever that was doing, and the connection goes on.
func TestStreamReset(t *testing.T) {
	begun, ended := make(chan struct{}), make(chan error, 1)
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/waits":
			begun <- struct{}{}
			<-r.Context().Done()
			ended <- r.Context().Err()
		case "/reads":
			begun <- struct{}{}
			_, err := io.Copy(io.Discard, r.Body)
			ended <- err
		case "/writes":
			begun <- struct{}{}
			_, err := io.Copy(w, &counting{})
			ended <- err
		}
	})
	h, client := secured(t, nil, a)
	for i, path := range []string{"/waits", "/reads", "/writes"} {
		ctx, reset := context.WithCancel(t.Context())
		var body io.Reader
		if path == "/reads" {
			unending, _ := io.Pipe()
			body = unending
		}
		r, err := http.NewRequestWithContext(ctx, "POST", "https://a.example"+path, body)
		if err != nil {
			t.Fatal(err)
		}
		var asking sync.WaitGroup
		asking.Go(func() {
			if answer, err := client.Do(r); err == nil {
				io.Copy(io.Discard, answer.Body)
				answer.Body.Close()
			}
		})
		<-begun
		reset()
		asking.Wait()
		select {
		case err := <-ended:
			if err == nil {
				t.Errorf("%s: the target was not told", path)
			}
		case <-time.After(deadline):
			t.Fatalf("%s: the target works on for nobody", path)
		}
		eventually(t, path+" is over", func() bool { return h.counted("arn:g")["RequestCount"] == float64(i+1) })
	}
	if got := tell(t, client, "GET /"); got != `200 0 ""` {
		t.Errorf("afterwards: %s", got)
	}
	if b := h.counted(""); b["HTTPCode_ELB_4XX_Count"] != 2 {
		t.Errorf("460 is not counted: %v", b)
	}
}

// TestStreamDrainingIsOver is TestDrainingIsOver for clients of HTTP/2.
func TestStreamDrainingIsOver(t *testing.T) {
	begun := make(chan struct{}, 2)
	slow := backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/answered" {
			http.NewResponseController(w).Flush()
		}
		begun <- struct{}{}
		<-r.Context().Done()
	})
	h, client := secured(t, nil, slow)
	unanswered := make(chan string)
	go func() { unanswered <- tell(t, client, "GET /") }()
	answered, err := client.Get("https://a.example/answered")
	if err != nil {
		t.Fatal(err)
	}
	defer answered.Body.Close()
	<-begun
	<-begun
	b, g := https(t, forwardTo("arn:g")), group("arn:g", slow)
	g.Targets[0].Draining = true
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{g})
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g")})
	if got := <-unanswered; !strings.HasPrefix(got, "502") {
		t.Error(got)
	}
	if _, err := io.ReadAll(answered.Body); err == nil {
		t.Error("the client was not told that its answer is cut")
	}
}

// A request under way on a stream finishes when the server closes.
func TestStreamGracefulClose(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	slow := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-finish
		io.WriteString(w, "done")
	})
	h, client := secured(t, nil, slow)
	answer := make(chan string)
	go func() { answer <- tell(t, client, "GET /") }()
	<-begun
	closed := make(chan error)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		closed <- h.server.Close(ctx)
	}()
	eventually(t, "nobody listens", func() bool { return h.network.Addr("tcp", "eni-1", 443) == "" })
	close(finish)
	if got := <-answer; got != `200 4 "done"` {
		t.Error(got)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
