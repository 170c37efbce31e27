package balancer

import (
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"fargo/aws/elbv2"
	"fargo/desired"
)

// targetKey tells targets apart: one that comes back, or with another address,
// is a new one.
type targetKey struct {
	id         string
	port       int
	address    netip.AddrPort
	registered int64
}

func keyOf(t *desired.BalancerTarget) targetKey {
	return targetKey{t.ID, t.Port, t.Address, t.RegisteredAt.UnixNano()}
}

// target is a registered target, for as long as it is in the configuration.
type target struct {
	key     targetKey
	desired desired.BalancerTarget // as it came first; Draining is below
	address string
	token   string // what a sticky client brings back
	seed    uint64 // tells it apart when flows are spread

	inflight atomic.Int64
	draining atomic.Bool
	// healthySince is when slow start began, in Unix nanoseconds; 0 while not
	// healthy.
	healthySince atomic.Int64

	idle    idlePool   // connections of HTTP/1.x
	streams transports // for clients of HTTP/2
	conns   tracker    // to it, which end when the time to drain is over

	// cutWhenGone says that its connections end with the time to drain. Guarded by
	// the server.
	cutWhenGone bool

	mu struct { // the rest is guarded by the group's mu
		state  elbv2.TargetHealthStateEnum // "" while nothing is known
		credit float64                     // of turns, while in slow start
	}
}

func newTarget(group string, desired *desired.BalancerTarget) *target {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %d %s", desired.ID, desired.Port, desired.Address)
	return &target{
		seed:    h.Sum64(),
		key:     keyOf(desired),
		desired: *desired,
		address: desired.Address.String(),
		token:   token(group, desired.ID, desired.Port, desired.RegisteredAt),
	}
}

// ramp is the share of its turns a target takes in slow start, from 0 to 1.
func (t *target) ramp(now time.Time, over time.Duration) float64 {
	since := now.UnixNano() - t.healthySince.Load()
	if since >= int64(over) {
		return 1
	}
	return float64(since) / float64(over)
}

// tracker holds what must be closed when a target's or listener's time is over.
type tracker struct {
	mu struct {
		sync.Mutex
		held map[io.Closer]struct{}
		over bool
	}
}

// add reports whether c may go on; after closeAll it may not.
func (t *tracker) add(c io.Closer) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.mu.over {
		return false
	}
	if t.mu.held == nil {
		t.mu.held = map[io.Closer]struct{}{}
	}
	t.mu.held[c] = struct{}{}
	return true
}

func (t *tracker) remove(c io.Closer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.mu.held, c)
}

// list is what is held now.
func (t *tracker) list() []io.Closer {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.mu.held))
}

// closeHeld closes what is held now.
func (t *tracker) closeHeld() {
	for _, c := range t.list() {
		c.Close()
	}
}

// closeAll closes what is held, and refuses all that comes later.
func (t *tracker) closeAll() {
	t.mu.Lock()
	t.mu.over = true
	t.mu.Unlock()
	t.closeHeld()
}
