package balancer

import (
	"sync"
	"sync/atomic"

	"fargo/aws/elbv2"
	"fargo/desired"
)

// group is a target group, for as long as it is in the configuration.
type group struct {
	arn     string
	turn    atomic.Uint64
	metrics groupCounters
	// balancer is the name of the one that uses the group; nil while none does.
	balancer atomic.Pointer[string]

	mu struct {
		sync.Mutex
		view     *view
		settings groupSettings
		targets  map[targetKey]*target
		ordered  []*target // as configured
	}
}

func newGroup(arn string) *group {
	g := &group{arn: arn}
	g.mu.targets = map[targetKey]*target{}
	return g
}

// set gives the group its configuration, to be seen in v from now on, and
// answers the targets that are no longer in it. The view before keeps what it
// showed last. New targets have the health they are known to have.
func (g *group) set(s groupSettings, desired []desired.BalancerTarget, known healths, v *view) (removed []*target) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.settings, g.mu.view = s, v
	g.mu.ordered = g.mu.ordered[:0:0]
	kept := make(map[targetKey]*target, len(desired))
	for i := range desired {
		d := &desired[i]
		key := keyOf(d)
		if kept[key] != nil {
			continue
		}
		t := g.mu.targets[key]
		if t == nil {
			t = newTarget(g.arn, d)
			t.become(known[healthKey{g.arn, key}])
		}
		t.draining.Store(d.Draining)
		t.cutWhenGone = s.cutsGone()
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

// tabulate draws the table anew. The caller holds mu.
func (g *group) tabulate() { g.mu.view.table.Store(newTable(g.mu.settings, g.mu.ordered)) }

// setHealth takes what is known of the targets' health, and ends the connections to
// targets that are not to have any more.
func (g *group) setHealth(known healths) {
	g.mu.Lock()
	var before []elbv2.TargetHealthStateEnum // of those that are no longer what they were
	var changed []*target
	for key, t := range g.mu.targets {
		was := t.mu.state
		if t.become(known[healthKey{g.arn, key}]); t.mu.state != was {
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

func (g *group) snapshot() GroupCounters {
	c := g.metrics.snapshot()
	g.mu.Lock()
	defer g.mu.Unlock()
	c.Name = g.mu.settings.name
	if b := g.balancer.Load(); b != nil {
		c.Balancer = *b
	}
	for _, t := range g.mu.ordered {
		switch {
		case t.draining.Load():
		case routable(t.mu.state):
			c.Healthy++
		case unwell(t.mu.state):
			c.Unhealthy++
		}
	}
	return c
}
