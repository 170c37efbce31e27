package sim

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"fargo/balancer/health"
	"fargo/desired"
	"fargo/secret"
)

// checker is a node's health checker: the real one, whose connections lead to what
// is simulated. The load balancers themselves are not simulated.
type checker struct{ *health.Checker }

func newChecker(m *machine) checker {
	c := health.NewChecker(health.Config{Network: vpc{m.answer}, Logger: m.log, Pace: 1})
	// Load balancers outlive a node, and tell the next one what it has told them.
	c.Remember(m.health)
	return checker{c}
}

// Follow implements [node.Follower].
func (c checker) Follow(_ context.Context, d desired.State, _ map[desired.SecretID]secret.Text) error {
	return c.Set(d.Balancers, d.Groups)
}

// Health implements [dispatch.Targets].
func (c checker) Health() (reports []desired.TargetReport, newer <-chan struct{}) {
	known, newer := c.Checker.Health()
	for _, h := range known {
		reports = append(reports, h.TargetReport)
	}
	return reports, newer
}

// vpc is the network that tasks are in, as health checks see it: answer gives the
// status of what listens at an address, 0 when nothing does.
type vpc struct {
	answer func(netip.Addr) (status int)
}

// Dial implements [health.Dialer].
func (v vpc) Dial(ctx context.Context, _, network, address string) (net.Conn, error) {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(usualDelay):
	}
	status := v.answer(target.Addr())
	if status == 0 {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	go respond(far, status)
	return near, nil
}

// respond answers the one request of a health check.
func respond(conn net.Conn, status int) {
	defer conn.Close()
	if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
		return // the checker has gone
	}
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status, http.StatusText(status))
}
