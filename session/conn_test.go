package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"fargo/secret"
)

// serveAgent serves a session's agent over WebSocket.
func serveAgent(t testing.TB, c AgentConfig, run func(p *program) int) (url string, ended chan End) {
	t.Helper()
	var a *Agent
	c.Logger, c.Start = discard, running(run, &a)
	a = NewAgent(c)
	ended = make(chan End, 1)
	go func() { ended <- a.Run(t.Context()) }()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, opening, err := Accept(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		if !opening.Token.Equal(secret.New("token")) || opening.ClientID == "" || opening.MessageSchemaVersion != "1.0" {
			t.Errorf("the opening is %+v", opening)
		}
		_ = a.Serve(context.Background(), conn)
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http"), ended
}

func dialClient(t testing.TB, url string, c ClientConfig) (End, error) {
	t.Helper()
	conn, err := Dial(t.Context(), nil, url, secret.New("token"))
	if err != nil {
		t.Fatal(err)
	}
	c.Logger = discard
	return NewClient(c).Run(t.Context(), conn)
}

func TestWebSocket(t *testing.T) {
	url, ended := serveAgent(t, AgentConfig{}, echoAll)
	var output bytes.Buffer
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	end, err := dialClient(t, url, ClientConfig{NoTerminal: true, Input: bytes.NewReader(data), Output: &output})
	if want := (End{Exited: true}); err != nil || end != want {
		t.Errorf("it ends with %+v, %v", end, err)
	}
	if !bytes.Equal(output.Bytes(), data) {
		t.Errorf("%d of %d bytes have come back", output.Len(), len(data))
	}
	<-ended
}

// TestSessionsAtOnce has fifty.
func TestSessionsAtOnce(t *testing.T) {
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			url, _ := serveAgent(t, AgentConfig{}, echoAll)
			text := strings.Repeat(fmt.Sprintln(i), 1000)
			var output bytes.Buffer
			end, err := dialClient(t, url, ClientConfig{NoTerminal: true, Input: strings.NewReader(text), Output: &output})
			if err != nil || !end.Exited || output.String() != text {
				t.Errorf("session %d ends with %+v, %v, %d bytes", i, end, err, output.Len())
			}
		})
	}
	all.Wait()
}

func TestOpeningIsDemanded(t *testing.T) {
	refused := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _, err := Accept(w, r)
		refused <- err
	}))
	defer server.Close()
	for name, test := range map[string]struct {
		kind websocket.MessageType
		text string
	}{
		"binary":   {websocket.MessageBinary, "{}"},
		"no JSON":  {websocket.MessageText, "x"},
		"too long": {websocket.MessageText, `"` + strings.Repeat("x", maxOpening) + `"`},
	} {
		ws, _, err := websocket.Dial(t.Context(), server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := ws.Write(t.Context(), test.kind, []byte(test.text)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := ws.Read(t.Context()); err == nil {
			t.Errorf("%s: the connection goes on", name)
		}
		if err := <-refused; err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if response, err := http.Get(server.URL); err != nil || response.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("what is no WebSocket gets %v, %v", response, err)
	}
}

// BenchmarkRoundTrip types a character and waits for its echo.
func BenchmarkRoundTrip(b *testing.B) {
	url, _ := serveAgent(b, AgentConfig{}, echoAll)
	typed, input := io.Pipe()
	output, echo := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := dialClient(b, url, ClientConfig{NoTerminal: true, Input: typed, Output: echo})
		done <- err
	}()
	buffer := make([]byte, 1)
	for b.Loop() {
		if _, err := input.Write(buffer); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(output, buffer); err != nil {
			b.Fatal(err)
		}
	}
	input.Close()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

// BenchmarkOutput takes a mebibyte of output at a time.
func BenchmarkOutput(b *testing.B) {
	const size = 1 << 20
	b.SetBytes(size)
	count := b.N
	url, _ := serveAgent(b, AgentConfig{}, func(p *program) int {
		block := make([]byte, size)
		for range count {
			if _, err := p.output.Write(block); err != nil {
				return 1
			}
		}
		return 0
	})
	end, err := dialClient(b, url, ClientConfig{NoTerminal: true, Input: strings.NewReader(""), Output: io.Discard})
	if err != nil || end.ExitCode != 0 {
		b.Fatal(errors.Join(err, fmt.Errorf("the end is %+v", end)))
	}
}
