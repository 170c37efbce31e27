package targetgroup

import (
	"sync"
	"sync/atomic"

	"fargo/aws/elbv2"
	"fargo/balancer/health"
	"fargo/balancer/metrics"
	"fargo/balancer/settings"
	"fargo/desired"
)

// Group is a target group, for as long as it is in the configuration.
type Group struct {
	ARN  string
	turn atomic.Uint64
	// counters are those of the load balancer that uses the group, by zone; nil while none
	// does.
	counters atomic.Pointer[map[string]*metrics.Group]

	mu struct {
		sync.Mutex
		view     *View
		settings settings.Group
		targets  map[health.TargetKey]*Target
		ordered  []*Target // as configured
	}
}

// New makes a group without targets. turn is where its turns begin.
func New(arn string, turn uint64) *Group {
	g := &Group{ARN: arn}
	g.turn.Store(turn)
	g.mu.targets = map[health.TargetKey]*Target{}
	return g
}

// Set gives the group its configuration, to be seen in v from now on, and
// returns the targets that are no longer in it. The view before keeps what it showed
// last. New targets have the health they are known to have.
func (g *Group) Set(s settings.Group, desired []desired.BalancerTarget, known health.ByTarget, v *View) (removed []*Target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.settings, g.mu.view = s, v
	g.mu.ordered = g.mu.ordered[:0:0]
	kept := make(map[health.TargetKey]*Target, len(desired))
	for i := range desired {
		d := &desired[i]
		key := health.KeyOf(d)
		if kept[key] != nil {
			continue
		}
		t := g.mu.targets[key]
		if t == nil {
			t = newTarget(g.ARN, d)
			t.setState(known[health.Key{Group: g.ARN, TargetKey: key}])
		}
		t.draining.Store(d.Draining)
		t.terminates = s.TerminatesDeregistered()
		kept[key] = t
		g.mu.ordered = append(g.mu.ordered, t)
	}
	for key, t := range g.mu.targets {
		if kept[key] == nil {
			removed = append(removed, t)
		}
	}
	g.mu.targets = kept
	g.tabulate()
	return removed
}

// tabulate makes the table anew. The caller holds mu.
func (g *Group) tabulate() { g.mu.view.Table.Store(newTable(g.mu.settings, g.mu.ordered)) }

// SetHealth takes what is known of the targets' health, and ends the connections to
// targets that are not to have any more.
func (g *Group) SetHealth(known health.ByTarget) {
	g.mu.Lock()
	var before []elbv2.TargetHealthStateEnum // of those that are no longer what they were
	var changed []*Target
	for key, t := range g.mu.targets {
		was := t.mu.state
		if t.setState(known[health.Key{Group: g.ARN, TargetKey: key}]); t.mu.state != was {
			before, changed = append(before, was), append(changed, t)
		}
	}
	if len(changed) > 0 {
		g.tabulate()
	}
	g.mu.Unlock()
	for i, t := range changed {
		g.cutUnhealthy(t, before[i])
	}
}

// CountBy sets the counters of the zones of the load balancer that uses the group.
func (g *Group) CountBy(zone map[string]*metrics.Group) { g.counters.Store(&zone) }

// Counters are those of a zone; nil when there are none.
func (g *Group) Counters(zone string) *metrics.Group {
	if zones := g.counters.Load(); zones != nil {
		return (*zones)[zone]
	}
	return nil
}
