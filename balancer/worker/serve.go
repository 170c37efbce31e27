package worker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"fargo/balancer"
	"fargo/secret"
)

// Serve lets a fleet tell the server what to do, on the connections of a
// control socket, until ctx ends. It closes the listener. The server is run, and
// closed, by the caller. Serve returns when a fleet that waits for the last counts has got
// them.
func Serve(ctx context.Context, control net.Listener, s *balancer.Server) error {
	w := &worker{server: s, id: rand.Text()}
	w.mu.config = &config{}
	mux := http.NewServeMux()
	mux.HandleFunc("PATCH /config", w.patchConfig)
	mux.HandleFunc("GET /health", w.getHealth)
	mux.HandleFunc("GET /metrics", w.getMetrics)
	mux.HandleFunc("GET /metrics/last", w.getLastMetrics)
	server := &http.Server{Handler: mux}
	closed := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() { closed <- server.Shutdown(context.WithoutCancel(ctx)) })
	err := server.Serve(control)
	if !errors.Is(err, http.ErrServerClosed) || stop() {
		return err
	}
	return <-closed
}

type worker struct {
	server *balancer.Server
	id     string // which no other worker has
	mu     struct {
		sync.Mutex
		config *config // as told last
	}
}

func (w *worker) patchConfig(out http.ResponseWriter, r *http.Request) {
	var u update
	if !read(out, r, &u) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.mu.config
	if u.From == 0 {
		before = &config{}
	} else if u.From != before.generation {
		http.Error(out, fmt.Sprintf("generation %d is here, not %d", before.generation, u.From), http.StatusConflict)
		return
	}
	w.mu.config = before.apply(&u)
	a := acknowledgement{Generation: u.To}
	if err := w.serve(w.mu.config, &u); err != nil {
		a.Rejected = err.Error()
	}
	write(out, a)
}

// serve has the server do what an update has led to. What is known of targets comes
// often, and by itself: the server need not be configured for it.
func (w *worker) serve(c *config, u *update) error {
	known := joinHealth(c.health)
	if u.onlyHealth() {
		w.server.SetHealth(known)
		return nil
	}
	balancers, keys := joinCertificates(c.balancers, c.certificates)
	tickets := make([]secret.Text, len(c.tickets))
	for i, t := range c.tickets {
		tickets[i] = t.Text
	}
	w.server.SetKeys(keys)
	return errors.Join(w.server.SetTickets(tickets), w.server.Set(balancers, c.groups, known))
}

func (w *worker) getHealth(out http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	known := joinHealth(w.mu.config.health)
	w.mu.Unlock()
	write(out, known)
}

func (w *worker) getMetrics(out http.ResponseWriter, _ *http.Request) {
	write(out, counts{w.id, w.server.Metrics()})
}

// getLastMetrics answers twice: now, and when there is nothing more to count.
func (w *worker) getLastMetrics(out http.ResponseWriter, r *http.Request) {
	write(out, counts{w.id, w.server.Metrics()})
	if http.NewResponseController(out).Flush() != nil {
		return
	}
	select {
	case <-w.server.Ended():
		write(out, counts{w.id, w.server.Metrics()})
	case <-r.Context().Done():
	}
}

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
