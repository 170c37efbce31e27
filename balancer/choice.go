package balancer

import (
	"math/rand/v2"
	"time"

	"fargo/balancer/http1"
)

// chooseTarget is the target for a request, and whether a cookie decided.
func (g *group) chooseTarget(t *table, fields []http1.Field) (chosen *target, stuck bool) {
	switch t.sticky.kind {
	case "lb_cookie":
		chosen = t.byToken[firstCookie(fields, cookieTarget, cookieTargetX)]
	case "app_cookie":
		if _, ok := cookie(fields, t.sticky.cookie); ok {
			chosen = t.byToken[firstCookie(fields, cookieAppBased)]
		}
	}
	if chosen != nil {
		return chosen, true
	}
	return g.pick(t), false
}

// pick is the target for a request of a client that holds no valid cookie. It
// is nil when there is none.
func (g *group) pick(t *table) *target {
	n := uint64(len(t.eligible))
	switch {
	case n == 0:
		return nil
	case n == 1:
		return t.eligible[0]
	case t.algorithm == "least_outstanding_requests":
		return leastBusy(t.eligible, g.turn.Add(1))
	case t.algorithm == "weighted_random":
		return t.eligible[rand.IntN(len(t.eligible))]
	case t.slow:
		return g.pickSlowly(t)
	}
	return t.eligible[(g.turn.Add(1)-1)%n]
}

// leastBusy is the target with the fewest requests in flight; among equals,
// turns are taken.
func leastBusy(targets []*target, turn uint64) *target {
	n := uint64(len(targets))
	var best *target
	fewest := int64(-1)
	for i := range n {
		t := targets[(turn+i)%n]
		if busy := t.inflight.Load(); fewest < 0 || busy < fewest {
			best, fewest = t, busy
		}
	}
	return best
}

// pickSlowly takes turns, in which a target in slow start takes only the share
// it has come to. While all are in slow start, none is slowed.
func (g *group) pickSlowly(t *table) *target {
	now := time.Now()
	if !someRamped(t, now) {
		return t.eligible[(g.turn.Add(1)-1)%uint64(len(t.eligible))]
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		next := t.eligible[(g.turn.Add(1)-1)%uint64(len(t.eligible))]
		share := next.ramp(now, t.slowStart)
		if share >= 1 {
			return next
		}
		if next.mu.credit += share; next.mu.credit >= 1 {
			next.mu.credit--
			return next
		}
	}
}

func someRamped(t *table, now time.Time) bool {
	for _, e := range t.eligible {
		if e.ramp(now, t.slowStart) >= 1 {
			return true
		}
	}
	return false
}
