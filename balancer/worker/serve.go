package worker

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"

	"fargo/balancer"
	"fargo/balancer/health"
	"fargo/desired"
	"fargo/secret"
)

// Config is all that a worker is to do.
type Config struct {
	Balancers []desired.Balancer      `json:"balancers"`
	Groups    []desired.BalancerGroup `json:"groups"`
	// Keys are the private keys of the listeners' certificates.
	Keys map[desired.SecretID]secret.Exposed `json:"keys,omitempty"`
	// Tickets are the secrets of [balancer.Server.SetTickets].
	Tickets [][]byte        `json:"tickets"`
	Health  []health.Status `json:"health"`
}

// Serve lets a fleet tell the server what to do, on the connections of a
// control socket, until ctx ends. It closes the listener. The server is run, and
// closed, by the caller.
func Serve(ctx context.Context, control net.Listener, s *balancer.Server) error {
	w := &worker{server: s}
	w.health.Store(&[]health.Status{})
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /config", w.putConfig)
	mux.HandleFunc("PUT /health", w.putHealth)
	mux.HandleFunc("GET /health", w.getHealth)
	mux.HandleFunc("GET /metrics", w.getMetrics)
	server := &http.Server{Handler: mux}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(control); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type worker struct {
	server *balancer.Server
	health atomic.Pointer[[]health.Status] // as told last
}

func (w *worker) putConfig(out http.ResponseWriter, r *http.Request) {
	var c Config
	if !read(out, r, &c) {
		return
	}
	w.health.Store(&c.Health)
	keys := make(map[desired.SecretID]secret.Text, len(c.Keys))
	for id, key := range c.Keys {
		keys[id] = key.Text
	}
	w.server.SetKeys(keys)
	if err := errors.Join(w.server.SetTickets(c.Tickets), w.server.Set(c.Balancers, c.Groups, c.Health)); err != nil {
		http.Error(out, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	out.WriteHeader(http.StatusNoContent)
}

func (w *worker) putHealth(out http.ResponseWriter, r *http.Request) {
	var known []health.Status
	if !read(out, r, &known) {
		return
	}
	w.health.Store(&known)
	w.server.SetHealth(known)
	out.WriteHeader(http.StatusNoContent)
}

func (w *worker) getHealth(out http.ResponseWriter, _ *http.Request) { write(out, w.health.Load()) }

func (w *worker) getMetrics(out http.ResponseWriter, _ *http.Request) { write(out, w.server.Metrics()) }

// read reads what a request brings, or answers that it cannot.
func read(out http.ResponseWriter, r *http.Request, to any) bool {
	b, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(b, to)
	}
	if err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
	}
	return err == nil
}

func write(out http.ResponseWriter, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(out, err.Error(), http.StatusInternalServerError)
		return
	}
	out.Header().Set("Content-Type", "application/json")
	_, _ = out.Write(b) // a fleet that does not get it asks again
}
