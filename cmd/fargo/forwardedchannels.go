package main

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

// forwardedChannels takes data channels of ECS Exec to the nodes that serve them, for clients
// that have come over TLS. Who may open one is the node's to say. A channel ends with this
// process; its client comes back, as it does when its network fails.
type forwardedChannels struct {
	db  *store.DB
	log *slog.Logger
}

func (f *forwardedChannels) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	view := f.db.View()
	var session *record.ExecSession
	for s := range store.ExecSessions.By(view, store.ExecSessionByID, strings.TrimPrefix(r.URL.Path, desired.DataChannelPath)) {
		session = s
	}
	if session == nil || session.Ended() {
		http.NotFound(w, r)
		return
	}
	node, ok := store.Nodes.Get(view, session.Node)
	if !ok || node.Hello.DataChannels == "" {
		http.Error(w, "The node of the session serves no data channels.", http.StatusServiceUnavailable)
		return
	}
	proxy := httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: node.Hello.DataChannels})
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			f.log.Debug("a data channel was not forwarded", "session", session.ID, "err", err)
			w.WriteHeader(http.StatusBadGateway)
		},
	}
	proxy.ServeHTTP(w, r)
}
