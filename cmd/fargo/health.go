package main

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// health is the answer to GET /healthz.
type health struct {
	Status string   `json:"status"` // "ok" or "unavailable"
	Causes []string `json:"causes,omitempty"`
}

// health reports whether everything can be written. Reads work in any case.
func (p *plane) health() health {
	h := health{Status: "ok"}
	for _, part := range []struct {
		name     string
		writable func() error
	}{{"store", p.journal.Writable}, {"logs", p.logs.Writable}, {"metrics", p.metrics.Writable}, {"registry", p.blobs.Writable}} {
		if err := part.writable(); err != nil {
			h.Status = "unavailable"
			h.Causes = append(h.Causes, part.name+": "+err.Error())
		}
	}
	return h
}

// serveHealth answers without authentication: a monitor has no key.
func (p *plane) serveHealth(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	h := p.health()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if h.Status != "ok" {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	if err := json.NewEncoder(w).Encode(h); err != nil {
		p.log.Debug("cannot answer", "path", r.URL.Path, "error", err)
	}
}

// healthInterval is the time between two checks.
const healthInterval = time.Second

// untilWritable waits until everything can be written.
func (p *plane) untilWritable(ctx context.Context) error {
	for {
		h := p.health()
		if h.Status == "ok" {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(healthInterval):
		}
	}
}
