package targetgroup

import (
	"math/rand/v2"
	"time"

	"fargo/balancer/http1"
	"fargo/balancer/sticky"
)

// Choose is the target for a request with these fields: the one that its cookie names,
// which makes it sticky, or the next. It is nil when there is none.
func (g *Group) Choose(t *Table, fields []http1.Field) (chosen *Target, sticks bool) {
	switch t.Sticky.Kind {
	case "lb_cookie":
		chosen = t.byToken[sticky.First(fields, sticky.TargetCookie, sticky.TargetCookieCORS)]
	case "app_cookie":
		if _, ok := sticky.Cookie(fields, t.Sticky.Cookie); ok {
			chosen = t.byToken[sticky.First(fields, sticky.AppCookie)]
		}
	}
	if chosen != nil {
		return chosen, true
	}
	return g.pick(t), false
}

// pick is the target for a request of a client that holds no valid cookie. It
// is nil when there is none.
func (g *Group) pick(t *Table) *Target {
	n := uint64(len(t.eligible))
	switch {
	case n == 0:
		return nil
	case n == 1:
		return t.eligible[0]
	case t.Algorithm == "least_outstanding_requests":
		return leastBusy(t.eligible, g.turn.Add(1))
	case t.Algorithm == "weighted_random":
		return t.eligible[rand.IntN(len(t.eligible))]
	case t.slow:
		return g.pickSlowly(t)
	}
	return t.eligible[(g.turn.Add(1)-1)%n]
}

// leastBusy is the target with the fewest requests in flight; among equals,
// turns are taken.
func leastBusy(targets []*Target, turn uint64) *Target {
	n := uint64(len(targets))
	var best *Target
	fewest := int64(-1)
	for i := range n {
		t := targets[(turn+i)%n]
		if busy := t.Inflight.Load(); fewest < 0 || busy < fewest {
			best, fewest = t, busy
		}
	}
	return best
}

// pickSlowly takes turns, in which a target in slow start takes only the share
// it has come to. While all are in slow start, none is slowed.
func (g *Group) pickSlowly(t *Table) *Target {
	now := time.Now()
	if !someRamped(t, now) {
		return t.eligible[(g.turn.Add(1)-1)%uint64(len(t.eligible))]
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		next := t.eligible[(g.turn.Add(1)-1)%uint64(len(t.eligible))]
		share := next.ramp(now, t.SlowStart)
		if share >= 1 {
			return next
		}
		if next.mu.credit += share; next.mu.credit >= 1 {
			next.mu.credit--
			return next
		}
	}
}

func someRamped(t *Table, now time.Time) bool {
	for _, e := range t.eligible {
		if e.ramp(now, t.SlowStart) >= 1 {
			return true
		}
	}
	return false
}
