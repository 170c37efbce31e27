package targetgroup

import (
	"fargo/balancer/health"
	"fargo/balancer/metrics"
)

// State tells of the targets what CloudWatch is told, as the load balancer's node in a zone
// sees them: where cross-zone load balancing is off, those that are near.
// Source: ELB user guides, "CloudWatch metrics" and "Target group health".
func (g *Group) State(zone string) metrics.State {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.mu.settings
	near := g.census(func(t *Target) bool { return !s.Zonal || t.everywhere() || t.desired.Zone == zone })
	all := g.census(func(*Target) bool { return true })
	state := metrics.State{Sticky: s.Sticky.Kind != "", Serving: all.healthy}
	if all.healthy == 0 {
		state.Serving = all.all
	}
	if !s.Checked {
		return state
	}
	state.Targets = map[string]int64{"HealthyHostCount": near.healthy, "UnHealthyHostCount": near.unhealthy}
	if near.all > 0 {
		setOne(state.Targets, "HealthyStateRouting", "UnhealthyStateRouting", s.Routing.Met(near.healthy, near.all))
		setOne(state.Targets, "HealthyStateDNS", "UnhealthyStateDNS", s.DNS.Met(near.healthy, near.all))
	}
	return state
}

// setOne sets one of two to 1, and the other to 0.
func setOne(targets map[string]int64, good, bad string, isGood bool) {
	targets[good], targets[bad] = 0, 1
	if isGood {
		targets[good], targets[bad] = 1, 0
	}
}

// census counts targets that do not drain.
type census struct{ healthy, unhealthy, all int64 }

// census counts those of the targets that are counted. The caller holds mu.
func (g *Group) census(counted func(*Target) bool) (c census) {
	for _, t := range g.mu.ordered {
		if t.draining.Load() || !counted(t) {
			continue
		}
		c.all++
		switch {
		case health.Routable(t.mu.state):
			c.healthy++
		case health.Unhealthy(t.mu.state):
			c.unhealthy++
		}
	}
	return c
}
