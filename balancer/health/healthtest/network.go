// Package healthtest has targets in memory for a checker to check. They answer
// HTTP/1.1, take time as package time has it, and so live in bubbles of
// testing/synctest. It knows addresses and answers, and nothing of health.
package healthtest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
)

// Network is the targets there are. It is a [fargo/balancer/health.Dialer]. The
// zero value has none.
type Network struct {
	mu      sync.Mutex
	targets map[string]http.Handler
}

// Listen has a target at an address, "192.0.2.7:80", answer from now on; with nil
// it refuses connections, as those do that were never named. A handler that wants to
// be too slow sleeps, or waits until its request's context ends.
func (n *Network) Listen(address string, handler http.Handler) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.targets == nil {
		n.targets = map[string]http.Handler{}
	}
	n.targets[address] = handler
}

// Dial opens a connection to the target at an address, whatever the interface.
func (n *Network) Dial(_ context.Context, _, _, address string) (net.Conn, error) {
	n.mu.Lock()
	handler := n.targets[address]
	n.mu.Unlock()
	if handler == nil {
		return nil, syscall.ECONNREFUSED
	}
	near, far := net.Pipe()
	go serve(far, handler)
	return near, nil
}

// serve answers one request, and ends its context when the other side closes the
// connection.
func serve(c net.Conn, handler http.Handler) {
	defer c.Close()
	in := bufio.NewReader(c)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		defer cancel()
		_, _ = in.Peek(1) // until the end
	}()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r.WithContext(ctx))
	result := answer.Result()
	result.Close = true
	_ = result.Write(c) // a client that has gone does not care
}
