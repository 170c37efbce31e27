package balancer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/balancer/balancertest"
	"fargo/balancer/health"
	"fargo/balancer/metrics"
	"fargo/desired"
)

// deadline is how long a condition may take to come true.
const deadline = 20 * time.Second

// system is a server and a checker with their network.
type system struct {
	t          testing.TB
	network    *balancertest.Loopback
	server     *balancer.Server
	checker    *health.Checker
	publishing sync.Mutex
	ended      chan struct{} // with Run
}

func newSystem(t testing.TB, configure ...func(*balancer.Config)) *system {
	h := &system{t: t, network: &balancertest.Loopback{}, ended: make(chan struct{})}
	c := balancer.Config{Network: h.network, Logger: slog.New(slog.DiscardHandler), Pace: 1}
	for _, f := range configure {
		f(&c)
	}
	h.server = balancer.New(c)
	h.checker = health.NewChecker(health.Config{Network: c.Network, Logger: c.Logger, Pace: c.Pace, AccessLogs: c.AccessLogs})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(h.ended)
		h.server.Run(ctx)
	}()
	published := make(chan struct{})
	go func() {
		defer close(published)
		h.publishHealth(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-h.ended
		<-published
		h.checker.Close()
	})
	return h
}

// publishHealth tells the server all that the checker finds, until ctx ends.
func (h *system) publishHealth(ctx context.Context) {
	for {
		_, newer := h.checker.Health()
		h.publish()
		select {
		case <-newer:
		case <-ctx.Done():
			return
		}
	}
}

// publish tells the server what the checker knows now.
func (h *system) publish() {
	h.publishing.Lock() // the last to publish has the newest
	defer h.publishing.Unlock()
	known, _ := h.checker.Health()
	h.server.SetHealth(known)
}

func (h *system) set(b []desired.Balancer, g []desired.BalancerGroup) {
	h.t.Helper()
	if err := h.trySet(b, g); err != nil {
		h.t.Fatal(err)
	}
}

// trySet configures both.
func (h *system) trySet(b []desired.Balancer, g []desired.BalancerGroup) error {
	h.publishing.Lock()
	defer h.publishing.Unlock()
	err := h.checker.Set(b, g)
	known, _ := h.checker.Health()
	h.server.SetKeys(keysOf(b))
	return errors.Join(err, h.server.Set(b, g, known))
}

// counted is what was counted of a target group, or of what is of none, in all zones
// together, with how much there is now.
func (h *system) counted(group string) map[string]float64 {
	sum := map[string]float64{}
	for _, m := range (metrics.Snapshot{"": h.server.Metrics()}).Since(nil) {
		if m.Group != group {
			continue
		}
		for _, values := range []map[string]float64{m.Counts, m.Gauges} {
			for name, n := range values {
				sum[name] += n
			}
		}
	}
	return sum
}

// addr is where a port of the balancer's only interface listens.
func (h *system) addr(port uint16) string {
	h.t.Helper()
	a := h.network.Addr("tcp", "eni-1", port)
	if a == "" {
		h.t.Fatalf("nothing listens on port %d", port)
	}
	return a
}

// healthy waits until n targets are healthy.
func (h *system) healthy(n int) {
	h.t.Helper()
	h.until(n, func(r desired.TargetReport) bool { return r.State == "healthy" })
}

// until waits until n reports are as wanted, and the server has been told.
func (h *system) until(n int, wanted func(desired.TargetReport) bool) {
	h.t.Helper()
	limit := time.After(deadline)
	for {
		known, newer := h.checker.Health()
		got := 0
		for _, k := range known {
			if wanted(k.TargetReport) {
				got++
			}
		}
		if got == n {
			h.publish()
			return
		}
		select {
		case <-newer:
		case <-limit:
			h.t.Fatalf("reports did not become as wanted: %+v", known)
		}
	}
}

// eventually waits until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(deadline)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s: did not happen", what)
		}
	}
}

// logLines waits until the files of a log, whose names match a pattern, have n
// lines, and gives them. They are below a bucket, and a prefix, of root.
func logLines(t testing.TB, root, bucket, name string, n int) (lines []string) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d lines are in %s", n, bucket), func() bool {
		lines = readLog(root, bucket, name)
		return len(lines) == n
	})
	return lines
}

// readLog gives the lines that such files have now.
func readLog(root, bucket, name string) (lines []string) {
	files, _ := filepath.Glob(filepath.Join(root, bucket, "AWSLogs/123456789012/elasticloadbalancing/eu-west-1/*/*/*", name))
	for _, f := range files {
		content, _ := os.ReadFile(f)
		for line := range strings.Lines(string(content)) {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines
}

// alb is an application load balancer with one listener of HTTP on port 80.
func alb(rules ...desired.BalancerRule) desired.Balancer {
	return desired.Balancer{
		ARN: "arn:alb", Name: "app/test/1",
		Interfaces: []desired.Interface{{ID: "eni-1", Address: netip.MustParseAddr("192.0.2.1")}},
		Listeners:  []desired.BalancerListener{{ARN: "arn:listener", Protocol: "HTTP", Port: 80, Rules: rules}},
		Attributes: map[string]string{},
	}
}

func forwardTo(groups ...string) desired.BalancerRule {
	if len(groups) == 1 {
		return desired.BalancerRule{ARN: "arn:rule", Priority: "default", Actions: []elbv2.Action{{Type: "forward", TargetGroupArn: &groups[0]}}}
	}
	var tuples []elbv2.TargetGroupTuple
	for i := range groups {
		tuples = append(tuples, elbv2.TargetGroupTuple{TargetGroupArn: &groups[i], Weight: new(int32(1))})
	}
	return desired.BalancerRule{ARN: "arn:rule", Priority: "default", Actions: []elbv2.Action{{Type: "forward", ForwardConfig: &elbv2.ForwardActionConfig{TargetGroups: tuples}}}}
}

// group is a target group of HTTP with a target for each address.
func group(arn string, addresses ...string) desired.BalancerGroup {
	g := desired.BalancerGroup{
		ARN: arn, Name: "targetgroup/" + arn,
		Group:      elbv2.TargetGroup{Protocol: "HTTP", HealthCheckProtocol: "HTTP", HealthCheckPath: new("/health")},
		Attributes: map[string]string{},
	}
	for _, a := range addresses {
		address := netip.MustParseAddrPort(a)
		g.Targets = append(g.Targets, desired.BalancerTarget{ID: address.Addr().String(), Port: int(address.Port()), Address: address, RegisteredAt: time.Unix(1000, 0)})
	}
	return g
}

// backend serves a handler, and 200 to health checks, until the test ends.
func backend(t testing.TB, handler http.HandlerFunc) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			handler(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// dial connects to an address, for requests written by hand.
func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(dialDeadline())
	return c
}

func dialDeadline() time.Time { return time.Now().Add(deadline) }
