package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

// A data channel goes through the APIs to its session's node and back; there are none but
// those of sessions that go on.
func TestForwardedChannels(t *testing.T) {
	node := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		kind, text, err := ws.Read(r.Context())
		if err == nil {
			err = ws.Write(r.Context(), kind, []byte(r.URL.String()+" "+string(text)))
		}
		if err != nil {
			t.Error(err)
		}
		ws.Close(websocket.StatusNormalClosure, "")
	}))
	defer node.Close()
	db, err := store.Open(t.Context(), store.NewMemory())
	must(t, err)
	must(t, db.Update(t.Context(), func(tx *store.Tx) error {
		store.Nodes.Put(tx, &record.Node{ID: "n", Hello: desired.Hello{DataChannels: strings.TrimPrefix(node.URL, "http://")}})
		store.ExecSessions.Put(tx, &record.ExecSession{ID: "open", Node: "n"})
		store.ExecSessions.Put(tx, &record.ExecSession{ID: "lost", Node: "gone"})
		store.ExecSessions.Put(tx, &record.ExecSession{ID: "ended", Node: "n", EndedAt: time.Now()})
		return nil
	}))
	apis := httptest.NewServer(&forwardedChannels{db: db, log: slog.New(slog.DiscardHandler)})
	defer apis.Close()
	ws, _, err := websocket.Dial(t.Context(), apis.URL+desired.DataChannelPath+"open?role=publish_subscribe", nil)
	must(t, err)
	must(t, ws.Write(t.Context(), websocket.MessageText, []byte("hello")))
	_, text, err := ws.Read(t.Context())
	must(t, err)
	if want := desired.DataChannelPath + "open?role=publish_subscribe hello"; string(text) != want {
		t.Errorf("%s, want %s", text, want)
	}
	ws.Close(websocket.StatusNormalClosure, "")
	for id, want := range map[string]int{"lost": 503, "ended": 404, "none": 404, "../x": 404, "": 404} {
		resp, err := http.Get(apis.URL + desired.DataChannelPath + id)
		must(t, err)
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%q: %s", id, resp.Status)
		}
	}
}
