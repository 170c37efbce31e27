package targetgroup

import (
	"fmt"
	"hash/fnv"
	"sync/atomic"
	"time"

	"fargo/aws/elbv2"
	"fargo/balancer/health"
	"fargo/balancer/sticky"
	"fargo/balancer/upstream"
	"fargo/desired"
)

// Target is a registered target, for as long as it is in the configuration.
type Target struct {
	desired desired.BalancerTarget // as it came first; Draining is below
	Token   string                 // what a sticky client brings back
	seed    uint64                 // tells it apart when flows are spread

	Inflight atomic.Int64
	draining atomic.Bool
	// healthySince is when slow start began, in Unix nanoseconds; 0 while not
	// healthy.
	healthySince atomic.Int64

	Conns upstream.Pool // which end when the time to drain is over

	// terminates says that its connections end with the time to drain. Guarded by
	// the server.
	terminates bool

	mu struct { // the rest is guarded by the group's mu
		state  elbv2.TargetHealthStateEnum // "" while nothing is known
		credit float64                     // of turns, while in slow start
	}
}

func newTarget(group string, desired *desired.BalancerTarget) *Target {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d %s", desired.ID, desired.Port, desired.Address)
	return &Target{
		seed:    h.Sum64(),
		desired: *desired,
		Conns:   upstream.Pool{Address: desired.Address.String()},
		Token:   sticky.Token(group, desired.ID, desired.Port, desired.RegisteredAt),
	}
}

// ramp is the share of its turns a target takes in slow start, from 0 to 1.
func (t *Target) ramp(now time.Time, over time.Duration) float64 {
	since := now.UnixNano() - t.healthySince.Load()
	if since >= int64(over) {
		return 1
	}
	return float64(since) / float64(over)
}

// End closes what a target that is no longer configured has.
func (t *Target) End() {
	t.Conns.Drain()
	if t.draining.Load() && t.terminates {
		t.Conns.CloseAll()
	}
}

// setState gives a target the health it is known to have. The caller holds the
// group's mu.
func (t *Target) setState(h health.Status) {
	state := elbv2.TargetHealthStateEnum(h.State)
	if state == t.mu.state {
		return
	}
	t.mu.state = state
	t.healthySince.Store(0)
	if health.Routable(state) {
		t.healthySince.Store(h.Since.UnixNano())
		t.mu.credit = 0
	}
}
