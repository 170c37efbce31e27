package balancer_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"fargo/balancer/health"
	"fargo/desired"
)

// opening is a network in which a target refuses connections until it listens,
// and from when it stops. It tells when it was asked.
type opening struct {
	began         time.Time
	listens, ends time.Duration // since then
	asked         []time.Duration
}

func (o *opening) Dial(context.Context, string, string, string) (net.Conn, error) {
	now := time.Since(o.began)
	o.asked = append(o.asked, now)
	if now < o.listens || now >= o.ends {
		return nil, syscall.ECONNREFUSED
	}
	a, b := net.Pipe()
	b.Close()
	return a, nil
}

// TestNewTargetIsCheckedEarly holds when a target is checked whose interval is
// 10 s and whose thresholds are 2, and in which state each check leaves it.
func TestNewTargetIsCheckedEarly(t *testing.T) {
	const ms, never = time.Millisecond, time.Hour
	for _, test := range []struct {
		name          string
		listens, ends time.Duration
		known         string        // what a checker before this one found
		over          time.Duration // when the test ends
		asked         []time.Duration
		states        map[time.Duration]string // from when on
	}{
		{
			name: "it listens at once", ends: never, over: 25000 * ms,
			asked:  []time.Duration{0, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{0: "healthy"},
		},
		{
			name: "it listens a moment later", listens: 250 * ms, ends: never, over: 25000 * ms,
			asked:  []time.Duration{0, 100 * ms, 300 * ms, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{0: "initial", 300 * ms: "healthy"},
		},
		{
			name: "it never listens", listens: never, ends: never, over: 25000 * ms,
			asked:  []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 6300 * ms, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{0: "initial", 10000 * ms: "unhealthy"},
		},
		{
			name: "it stops after it was healthy", listens: 50 * ms, ends: 5000 * ms, over: 25000 * ms,
			asked:  []time.Duration{0, 100 * ms, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{0: "initial", 100 * ms: "healthy", 20000 * ms: "unhealthy"},
		},
		{
			name: "it is known to be unhealthy", listens: 250 * ms, ends: never, known: "unhealthy", over: 25000 * ms,
			asked:  []time.Duration{0, 10000 * ms, 20000 * ms},
			states: map[time.Duration]string{20000 * ms: "healthy"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := &opening{began: time.Now(), listens: test.listens, ends: test.ends}
				c := health.NewChecker(health.Config{Network: network, Logger: slog.New(slog.DiscardHandler), Pace: 1})
				g := Group("arn:g", "192.0.2.7:80")
				g.Group.HealthCheckProtocol, g.Group.Protocol = "TCP", "TCP"
				g.Group.HealthCheckIntervalSeconds = new(int32(10))
				g.Group.HealthyThresholdCount, g.Group.UnhealthyThresholdCount = new(int32(2)), new(int32(2))
				state := func() string {
					known, _ := c.Health()
					if len(known) != 1 {
						t.Fatalf("known: %+v", known)
					}
					return known[0].State
				}
				want := test.known
				if test.known != "" {
					d := g.Targets[0]
					c.Remember([]health.Status{{
						TargetReport: desired.TargetReport{Group: g.ARN, ID: d.ID, Port: d.Port, RegisteredAt: d.RegisteredAt, State: test.known},
						Address:      d.Address,
					}})
				}
				if err := c.Set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{g}); err != nil {
					t.Fatal(err)
				}
				for at := time.Duration(0); at <= test.over; at += 50 * ms {
					synctest.Wait()
					if next := test.states[at]; next != "" {
						want = next
					}
					if got := state(); got != want {
						t.Fatalf("%s after %s, want %s", got, at, want)
					}
					time.Sleep(50 * ms)
				}
				c.Close()
				if !slices.Equal(network.asked, test.asked) {
					t.Errorf("checked after %s, want %s", network.asked, test.asked)
				}
			})
		})
	}
}
