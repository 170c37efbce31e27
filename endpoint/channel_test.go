package endpoint

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"fargo/desired"
)

// echoMessages serves data channels on which each message comes back, behind the path.
func echoMessages(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = ws.CloseNow() }() // the client may be gone
	for {
		kind, message, err := ws.Read(r.Context())
		if err != nil || ws.Write(r.Context(), kind, append([]byte(r.URL.Path+" "), message...)) != nil {
			return
		}
	}
}

// Data channels are opened at the addresses of the APIs, and what else has their path is a
// request for an API. They end when their address does.
func TestDataChannels(t *testing.T) {
	f := newFixture(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "an API's") }))
	const host, path = "ssmmessages.us-east-1.amazonaws.com", desired.DataChannelPath + "ecs-execute-command-1"
	f.certify(t, host)
	f.set(t)
	channels := map[string]*websocket.Conn{}
	for url, address := range map[string]string{"ws://10.0.0.3" + path: plain, "wss://" + host + path: secure} {
		ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: f.network.client(t, "vpc-1", address, f.roots, true)})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = ws.CloseNow() }() // the server has closed it
		channels[url] = ws
		if got, err := echoed(t.Context(), ws, "a"); err != nil || got != path+" a" {
			t.Errorf("%s: %q, %v", url, got, err)
		}
	}
	if got := f.ask(t, "GET "+path+" HTTP/1.1\nHost: s3.us-east-1.amazonaws.com|"); got != "200 OK an API's" {
		t.Error(got)
	}
	if got := f.ask(t, "GET /other HTTP/1.1\nHost: 10.0.0.3\nConnection: Upgrade\nUpgrade: websocket|"); !strings.HasSuffix(got, " an API's") {
		t.Error(got)
	}
	if err := f.Set(nil, nil, f.platform, f.secrets); err != nil {
		t.Fatal(err)
	}
	for url, ws := range channels {
		if got, err := echoed(t.Context(), ws, "b"); err == nil {
			t.Errorf("%s: %q, although its VPC is gone", url, got)
		}
	}
}

// echoed sends a message and gives the answer.
func echoed(ctx context.Context, ws *websocket.Conn, message string) (string, error) {
	if err := ws.Write(ctx, websocket.MessageText, []byte(message)); err != nil {
		return "", err
	}
	_, answer, err := ws.Read(ctx)
	return string(answer), err
}
