package balancer

import "fargo/aws/elbv2"

// drainConns lets the connections to targets that drain go when they are idle.
func (g *group) drainConns() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.mu.ordered {
		if t.draining.Load() {
			t.conns.drain()
		} else {
			t.conns.resume()
		}
	}
}

// prune closes connections to targets that nobody has used for too long.
func (g *group) prune() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.mu.ordered {
		t.conns.prune()
	}
}

// closeAll closes all connections to targets, and those that come later.
func (g *group) closeAll() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.mu.ordered {
		t.conns.closeAll()
	}
}

// cutUnhealthy ends the connections to a target of a network load balancer that
// became unhealthy or has had its time to drain since, unless the group's
// attributes say otherwise, or so many are unhealthy that new connections go to
// it too.
func (g *group) cutUnhealthy(t *target, before elbv2.TargetHealthStateEnum) {
	g.mu.Lock()
	cut := t.mu.state == elbv2.TargetHealthStateEnumUnhealthy && (g.mu.settings.cutsUnhealthy() || before == elbv2.TargetHealthStateEnumUnhealthyDraining) &&
		!g.mu.view.table.Load().near(t.desired.Zone).failOpen
	g.mu.Unlock()
	if cut {
		t.conns.closeHeld()
	}
}
