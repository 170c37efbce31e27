package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"fargo/balancer/health"
	"fargo/balancer/metrics"
)

// client calls one worker.
type client struct{ http http.Client }

// dial makes a client for a worker's control socket. It connects when it is
// used.
func dial(socket string) *client {
	return &client{http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}}
}

// rejection is what a worker could not do of its configuration. It does the rest.
type rejection struct{ text string }

func (r *rejection) Error() string { return r.text }

// configure gives a worker its whole configuration. The error is a *rejection when
// the worker has taken it.
func (c *client) configure(ctx context.Context, config []byte) error {
	return c.call(ctx, http.MethodPut, "/config", config, nil)
}

// setHealth gives a worker what is known of targets.
func (c *client) setHealth(ctx context.Context, health []byte) error {
	return c.call(ctx, http.MethodPut, "/health", health, nil)
}

// health is what the worker was last given by setHealth or configure.
func (c *client) health(ctx context.Context) (known []health.Status, err error) {
	return known, c.call(ctx, http.MethodGet, "/health", nil, &known)
}

func (c *client) metrics(ctx context.Context) (m metrics.Metrics, err error) {
	return m, c.call(ctx, http.MethodGet, "/metrics", nil, &m)
}

func (c *client) call(ctx context.Context, method, path string, body []byte, to any) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://worker"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode == http.StatusUnprocessableEntity:
		return &rejection{strings.TrimSpace(string(b))}
	case answer.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, b)
	case to == nil:
		return nil
	}
	return json.Unmarshal(b, to)
}

// close closes the connections to the worker.
func (c *client) close() { c.http.CloseIdleConnections() }
