package targetgroup

import "fargo/aws/elbv2"

// DrainConns lets the connections to targets that drain go when they are idle.
func (g *Group) DrainConns() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.mu.ordered {
		if t.draining.Load() {
			t.Conns.Drain()
		} else {
			t.Conns.Resume()
		}
	}
}

// Prune closes connections to targets that nobody has used for too long.
func (g *Group) Prune() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.mu.ordered {
		t.Conns.Prune()
	}
}

// CloseAll closes all connections to targets, and those that come later.
func (g *Group) CloseAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.mu.ordered {
		t.Conns.CloseAll()
	}
}

// cutUnhealthy ends the connections to a target of a network load balancer that
// became unhealthy or has had its time to drain since, unless the group's
// attributes say otherwise, or so many are unhealthy that new connections go to
// it too.
func (g *Group) cutUnhealthy(t *Target, before elbv2.TargetHealthStateEnum) {
	g.mu.Lock()
	cut := t.mu.state == elbv2.TargetHealthStateEnumUnhealthy && (g.mu.settings.TerminatesUnhealthy() || before == elbv2.TargetHealthStateEnumUnhealthyDraining) &&
		!g.mu.view.Table.Load().Near(t.desired.Zone).FailOpen
	g.mu.Unlock()
	if cut {
		t.Conns.CloseCurrent()
	}
}
