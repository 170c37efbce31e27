package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"fargo/balancer/health"
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

// errGeneration is of an update that leads from another generation than the worker's.
var errGeneration = errors.New("worker: it is of another generation")

// update gives a worker an update, encoded. The error is errGeneration when the worker
// cannot take it.
func (c *client) update(ctx context.Context, update []byte) (a acknowledgement, err error) {
	return a, c.call(ctx, http.MethodPatch, "/config", update, &a)
}

// health is what the worker was told last of targets.
func (c *client) health(ctx context.Context) (known []health.Status, err error) {
	return known, c.call(ctx, http.MethodGet, "/health", nil, &known)
}

// metrics is what the worker has counted.
func (c *client) metrics(ctx context.Context) (n counts, err error) {
	return n, c.call(ctx, http.MethodGet, "/metrics", nil, &n)
}

// lastMetrics calls now with what the worker has counted, and last with the same when it
// has ended. When it does not, the error comes after whichever was called.
func (c *client) lastMetrics(ctx context.Context, now, last func(counts)) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://worker/metrics/last", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET /metrics/last: %s", answer.Status)
	}
	in := json.NewDecoder(answer.Body)
	for _, tell := range []func(counts){now, last} {
		var n counts
		if err := in.Decode(&n); err != nil {
			return err
		}
		tell(n)
	}
	return nil
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
	case answer.StatusCode == http.StatusConflict:
		return errGeneration
	case answer.StatusCode >= http.StatusBadRequest:
		return fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, b)
	}
	return json.Unmarshal(b, to)
}

// close closes the connections to the worker.
func (c *client) close() { c.http.CloseIdleConnections() }
