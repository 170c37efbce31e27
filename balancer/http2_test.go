package balancer_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"fargo/aws/elbv2"
	"fargo/desired"
)

// frames is a client's connection of HTTP/2, for requests that no library makes.
type frames struct {
	*http2.Framer
	conn   net.Conn
	t      *testing.T
	stream uint32 // the last
}

// speakFrames opens a connection, on which a stream may be sent so much of a body.
func speakFrames(t *testing.T, h *system, window uint32) *frames {
	t.Helper()
	c := tls.Client(dial(t, h.addr(443)), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	io.WriteString(c, http2.ClientPreface)
	f := &frames{Framer: http2.NewFramer(c, c), conn: c, t: t}
	f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: window}); err != nil {
		t.Fatal(err)
	}
	return f
}

// ask sends a request, whose fields are names and values, and ends it.
func (f *frames) ask(fields ...string) { f.begin(true, fields...) }

// begin sends the head of a request, with which it may end.
func (f *frames) begin(ends bool, fields ...string) {
	f.t.Helper()
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		if err := e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			f.t.Fatal(err)
		}
	}
	f.stream += 2
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: f.stream - 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: ends}); err != nil {
		f.t.Fatal(err)
	}
}

// answer reads until the last stream is answered, and tells how: a status, or why
// it was reset.
func (f *frames) answer() string {
	f.t.Helper()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			f.t.Fatal(err)
		}
		switch frame := frame.(type) {
		case *http2.MetaHeadersFrame:
			if frame.StreamID == f.stream-1 {
				return frame.PseudoValue("status")
			}
		case *http2.RSTStreamFrame:
			return frame.ErrCode.String()
		}
	}
}

// TestStreamRefusals sends requests that would be others, or none, in HTTP/1.1.
func TestStreamRefusals(t *testing.T) {
	seen := make(chan string, 100)
	a := backend(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Method + " " + r.RequestURI + " " + r.Host })
	for _, test := range []struct{ mode, method, path, authority, want string }{
		{"defensive", "GET", "/", "a", "200 GET / a"},
		{"defensive", "GET", "/a b", "a", "400"},
		{"defensive", "GET", "/ HTTP/1.1", "a", "400"},
		{"defensive", "GET /x HTTP/1.1", "/", "a", "400"},
		{"defensive", "GET", "http://b/", "a", "400"},
		{"defensive", "GET", "/", "a b", "400"},
		{"defensive", "GET", "/", "a/b", "400"},
		{"defensive", "GET", "/ü", "a", "200 GET /ü a"},
		{"strictest", "GET", "/ü", "a", "200 GET /ü a"},
		{"defensive", "GET", "/", "a:443", "200 GET / a"},
		{"defensive", "GET", "/", "a:99999", "400"},
		{"defensive", "GET", "/", "a:80:81", "400"},
		{"defensive", "GET", "/", "a:b", "400"},
		{"defensive", "CONNECT", "/", "a", "PROTOCOL_ERROR"},
		{"defensive", "CONNECT", "", "a:443", "400"},
		{"defensive", "TRACE", "/", "a", "405"},
	} {
		h := newSystem(t)
		b := https(t, forwardTo("arn:g"))
		b.Attributes["routing.http.desync_mitigation_mode"] = test.mode
		h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", a)})
		h.healthy(1)
		f := speakFrames(t, h, 65535)
		if test.path == "" { // as CONNECT should have it
			f.ask(":method", test.method, ":authority", test.authority)
		} else {
			f.ask(":method", test.method, ":scheme", "https", ":path", test.path, ":authority", test.authority)
		}
		got := f.answer()
		if got == "200" {
			got += " " + <-seen
		}
		if got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
	select {
	case r := <-seen:
		t.Errorf("the target saw %s besides", r)
	default:
	}
}

// Fields that a server of HTTP/1.1 may take for those that frame a message are not
// passed on from HTTP/2 either, where they are right.
func TestStreamLookAlikes(t *testing.T) {
	target := newStrictTarget(t)
	for mode, want := range map[string]string{"monitor": "200", "defensive": "200", "strictest": "400"} {
		h := newSystem(t)
		b := https(t, forwardTo("arn:g"))
		b.Attributes["routing.http.desync_mitigation_mode"] = mode
		h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", target.address)})
		h.healthy(1)
		f := speakFrames(t, h, 65535)
		f.ask(":method", "POST", ":scheme", "https", ":path", "/", ":authority", "a", "transfer_encoding", "chunked", "content--length", "7", "x", "y")
		if got := f.answer(); got != want {
			t.Errorf("%s: %s", mode, got)
		}
		f.ask(":method", "GET", ":scheme", "https", ":path", "/", ":authority", "a")
		if got := f.answer(); got != "200" {
			t.Errorf("%s: the stream after it: %s", mode, got)
		}
		seen := target.take(t)
		for _, m := range seen {
			for _, field := range m.Fields {
				if name, _, _ := strings.Cut(strings.ToLower(field), ":"); name == "transfer_encoding" || name == "content--length" {
					t.Errorf("%s: the target was sent %q", mode, field)
				}
			}
		}
		switch {
		case mode == "strictest" && len(seen) == 1:
		case mode != "strictest" && len(seen) == 2 && seen[0].conn != seen[1].conn: // closed in between
		default:
			t.Errorf("%s: the target saw %+v", mode, seen)
		}
	}
}

// A client that takes nothing of its answer for the idle time loses it, and the
// target need not wait any longer.
func TestStreamClientReadsNothing(t *testing.T) {
	ended := make(chan error, 1)
	a := backend(t, func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.Copy(w, &counting{})
		ended <- err
	})
	h, _ := secured(t, briefly, a)
	f := speakFrames(t, h, 10)
	f.ask(":method", "GET", ":scheme", "https", ":path", "/", ":authority", "a")
	if got := f.answer(); got != "200" {
		t.Fatal(got)
	}
	if got := f.answer(); got != http2.ErrCodeInternal.String() {
		t.Fatal(got)
	}
	if err := <-ended; err == nil {
		t.Error("the target was not told")
	}
}

// HTTP/2 is not spoken where TLS is not what it demands, nor with who agrees to
// it and speaks something else.
func TestUnfitForHTTP2(t *testing.T) {
	h, _ := secured(t, nil, backend(t, func(http.ResponseWriter, *http.Request) {}))
	for what, test := range map[string]struct {
		config *tls.Config
		says   string
	}{
		"another cipher":   {&tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, http2.ClientPreface},
		"another protocol": {&tls.Config{}, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"},
	} {
		test.config.InsecureSkipVerify, test.config.NextProtos = true, []string{"h2"}
		c := tls.Client(dial(t, h.addr(443)), test.config)
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().NegotiatedProtocol; got != "h2" {
			t.Errorf("%s: agreed on %q", what, got)
		}
		io.WriteString(c, test.says)
		got, err := io.ReadAll(c)
		if len(got) > 0 || errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %q %v", what, got, err)
		}
	}
}

// Clients of TLS 1.2 speak HTTP/2 as those of TLS 1.3 do.
func TestHTTP2OverTLS12(t *testing.T) {
	h, client := secured(t, nil, backend(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("X-Forwarded-Proto")) }))
	client.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS12
	if got := tell(t, client, "GET /"); got != `200 5 "https"` {
		t.Error(got)
	}
	eventually(t, "the connection is counted once, and that to the target", func() bool {
		b := h.counted("")
		return b["NewConnectionCount"] == 2 && b["ActiveConnectionCount"] == 2
	})
}

// A client that is answered before it has sent all gets the whole answer while it
// may go on, and its stream ends with its request.
func TestStreamLingers(t *testing.T) {
	a := target(t, func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	h := newSystem(t)
	elsewhere := desired.BalancerRule{
		ARN: "arn:rule-1", Priority: "1", Actions: []elbv2.Action{{Type: "fixed-response", FixedResponseConfig: &elbv2.FixedResponseActionConfig{StatusCode: new("200"), MessageBody: new("ok")}}},
		Conditions: []elbv2.RuleCondition{{Field: new("path-pattern"), Values: []string{"/fixed"}}},
	}
	h.set([]desired.Balancer{https(t, elsewhere, forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	f := speakFrames(t, h, 65535)
	for _, path := range []string{"/forwarded", "/fixed"} {
		f.begin(false, ":method", "POST", ":scheme", "https", ":path", path, ":authority", "a")
		if got := f.answer(); got != "200" {
			t.Fatalf("%s: %s", path, got)
		}
		for got, ended := "", false; !ended; {
			frame, err := f.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			switch frame := frame.(type) {
			case *http2.DataFrame:
				if got += string(frame.Data()); got == "ok" && len(frame.Data()) > 0 {
					if frame.StreamEnded() {
						t.Errorf("%s: it ended with its answer", path)
					}
					f.WriteData(f.stream-1, true, []byte("the rest"))
				}
				ended = frame.StreamEnded()
			case *http2.RSTStreamFrame:
				t.Fatalf("%s: stream %d was reset: %v", path, frame.StreamID, frame.ErrCode)
			}
		}
	}
}

// TestStreamBodyTimeout is TestBodyTimeout for clients of HTTP/2, before targets
// of either version.
func TestStreamBodyTimeout(t *testing.T) {
	plain := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	plain.Config.Protocols = new(http.Protocols)
	plain.Config.Protocols.SetHTTP1(true)
	plain.Config.Protocols.SetUnencryptedHTTP2(true)
	plain.Start()
	t.Cleanup(plain.Close)
	for _, version := range []string{"HTTP1", "HTTP2"} {
		h := newSystem(t)
		b := https(t, forwardTo("arn:g"))
		b.Attributes = briefly
		g := group("arn:g", plain.Listener.Addr().String())
		g.Group.ProtocolVersion = &version
		h.set([]desired.Balancer{b}, []desired.BalancerGroup{g})
		f := speakFrames(t, h, 65535)
		f.begin(false, ":method", "POST", ":scheme", "https", ":path", "/", ":authority", "a", "content-length", "10")
		f.WriteData(1, false, []byte("abc"))
		if got := f.answer(); got != "408" {
			t.Errorf("%s: %s", version, got)
		}
	}
}
