package balancer_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"fargo/desired"
)

// floods are frames that carry nothing, on an open stream.
func floods(stream uint32) map[string]func(*http2.Framer) error {
	return map[string]func(*http2.Framer) error{
		"empty DATA":   func(f *http2.Framer) error { return f.WriteData(stream, false, nil) },
		"padding":      func(f *http2.Framer) error { return f.WriteDataPadded(stream, false, nil, make([]byte, 10)) },
		"PING":         func(f *http2.Framer) error { return f.WritePing(false, [8]byte{}) },
		"PING answers": func(f *http2.Framer) error { return f.WritePing(true, [8]byte{}) },
		"SETTINGS":     func(f *http2.Framer) error { return f.WriteSettings() },
		"PRIORITY": func(f *http2.Framer) error {
			return f.WritePriority(stream, http2.PriorityParam{StreamDep: stream + 2})
		},
		"unknown": func(f *http2.Framer) error { return f.WriteRawFrame(0xfe, 0, 0, nil) },
	}
}

// floodMost is how many frames a flood may take before it is noticed: what there
// is credit for, and what may be on its way.
const floodMost = 1_000_000

// flooded sends frames until the peer has enough, and reports whether it had.
func flooded(f *http2.Framer, write func(*http2.Framer) error) bool {
	for range floodMost {
		if write(f) != nil {
			return true
		}
	}
	return false
}

// A client of HTTP/2 that sends frames that carry nothing loses its connection.
func TestClientFloods(t *testing.T) {
	a := backend(t, func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	h, client := secured(t, nil, a)
	for what, write := range floods(1) {
		f := speakFrames(t, h, 65535)
		f.begin(false, ":method", "POST", ":scheme", "https", ":path", "/", ":authority", "a")
		go io.Copy(io.Discard, f.conn)
		if !flooded(f.Framer, write) {
			t.Errorf("%s: %d frames were taken", what, floodMost)
		}
	}
	f := speakFrames(t, h, 65535)
	var block bytes.Buffer
	hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":method", Value: "GET"})
	f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes()})
	if !flooded(f.Framer, func(f *http2.Framer) error { return f.WriteContinuation(1, false, nil) }) {
		t.Error("empty CONTINUATION: all were taken")
	}
	if answer, err := client.Get("https://a.example/"); err != nil || answer.StatusCode != 200 {
		t.Error("another client:", err)
	}
}

// A target of HTTP/2 that does the same gets no more, with TLS and without.
func TestTargetFloods(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		for what, write := range floods(1) {
			ended := make(chan bool, 1)
			a := target(t, func(c net.Conn) {
				if encrypted {
					pair := keyPair(t, "target.example")
					certificate, err := tls.X509KeyPair([]byte(pair.Chain), []byte(keyOf(pair).Reveal()))
					if err != nil {
						t.Error(err)
						return
					}
					c = tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
				}
				if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
					return
				}
				f := http2.NewFramer(c, c)
				f.WriteSettings()
				for {
					frame, err := f.ReadFrame()
					if err != nil {
						return
					}
					if frame.Header().Type == http2.FrameHeaders {
						break
					}
				}
				var block bytes.Buffer
				hpack.NewEncoder(&block).WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
				f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
				go io.Copy(io.Discard, c)
				ended <- flooded(f, write)
			})
			h := newSystem(t)
			g := group("arn:g", a)
			g.Group.ProtocolVersion, g.Group.HealthCheckProtocol, g.Group.HealthCheckEnabled = new("HTTP2"), "HTTP", new(false)
			if encrypted {
				g.Group.Protocol = "HTTPS"
			}
			h.set([]desired.Balancer{https(t, forwardTo("arn:g"))}, []desired.BalancerGroup{g})
			answer, err := secureClient(t, h, true).Get("https://a.example/")
			if err == nil {
				_, err = io.ReadAll(answer.Body)
				answer.Body.Close()
			}
			if err == nil && answer.StatusCode == http.StatusOK { // 502: the flood came before the head was seen
				t.Errorf("%s, TLS %v: the answer is whole", what, encrypted)
			}
			if !<-ended {
				t.Errorf("%s, TLS %v: %d frames were taken", what, encrypted, floodMost)
			}
		}
	}
}

// What carries something, and what goes with that, is never too much.
func TestManySmallFrames(t *testing.T) {
	const pieces = 30_000
	a := backend(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	h, _ := secured(t, nil, a)
	f := speakFrames(t, h, 65535)
	f.begin(false, ":method", "POST", ":scheme", "https", ":path", "/", ":authority", "a")
	answers := make(chan string, 1)
	go func() { answers <- f.answer() }()
	for i := range pieces {
		if err := errors.Join(f.WriteData(1, i == pieces-1, []byte("x")), f.WritePing(true, [8]byte{})); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-answers; got != "200" {
		t.Error(got)
	}
}
