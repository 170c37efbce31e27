package targetgroup

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"fargo/aws/elbv2"
	"fargo/balancer/health"
	"fargo/balancer/settings"
	"fargo/desired"
)

// someGroup is a group whose n targets passed a check.
func someGroup(t *testing.T, n int, a settings.Attributes) (*Group, *View) {
	t.Helper()
	d := desired.BalancerGroup{ARN: "arn:g", Group: elbv2.TargetGroup{Protocol: "HTTP"}, Attributes: a}
	for i := range n {
		d.Targets = append(d.Targets, desired.BalancerTarget{ID: fmt.Sprint(i), Port: 80, Address: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), 80)})
	}
	g := New(d.ARN, 0)
	v := NewView(g)
	g.Set(settings.ReadGroup(&d, 1), d.Targets, nil, v)
	tell(g, nil)
	return g, v
}

// tell tells a group that its targets are healthy, but those that are not.
func tell(g *Group, unhealthy map[*Target]bool) {
	known := health.ByTarget{}
	for key, t := range g.mu.targets {
		h := health.Status{Since: time.Now()}
		h.State = "healthy"
		if unhealthy[t] {
			h.State = "unhealthy"
		}
		known[health.Key{Group: g.ARN, TargetKey: key}] = h
	}
	g.SetHealth(known)
}

// turns counts who gets n requests.
func turns(g *Group, v *View, n int) map[string]int {
	got := map[string]int{}
	for range n {
		got[g.pick(v.Table.Load()).desired.ID]++
	}
	return got
}

func TestRoundRobin(t *testing.T) {
	g, v := someGroup(t, 3, nil)
	if got := turns(g, v, 300); got["0"] != 100 || got["1"] != 100 || got["2"] != 100 {
		t.Error(got)
	}
}

func TestLeastOutstanding(t *testing.T) {
	g, v := someGroup(t, 3, settings.Attributes{"load_balancing.algorithm.type": "least_outstanding_requests"})
	g.mu.ordered[0].Inflight.Store(2)
	g.mu.ordered[1].Inflight.Store(1)
	g.mu.ordered[2].Inflight.Store(1)
	if got := turns(g, v, 100); got["0"] != 0 || got["1"] < 30 || got["2"] < 30 {
		t.Error(got)
	}
}

func TestWeightedRandom(t *testing.T) {
	g, v := someGroup(t, 2, settings.Attributes{"load_balancing.algorithm.type": "weighted_random"})
	if got := turns(g, v, 10000); got["0"] < 4500 || got["1"] < 4500 { // ten standard deviations
		t.Error(got)
	}
}

// "If all targets in a target group are unhealthy, the load balancer routes
// requests to all targets." ALB user guide, "Target group health".
func TestFailOpen(t *testing.T) {
	g, v := someGroup(t, 2, nil)
	first, second := g.mu.ordered[0], g.mu.ordered[1]
	tell(g, map[*Target]bool{first: true})
	if got := turns(g, v, 10); got["1"] != 10 {
		t.Error("one healthy:", got)
	}
	tell(g, map[*Target]bool{first: true, second: true})
	if got := turns(g, v, 10); got["0"] != 5 || !v.Table.Load().FailOpen {
		t.Error("none healthy:", got)
	}
	empty, nobody := someGroup(t, 0, nil)
	if empty.pick(nobody.Table.Load()) != nil {
		t.Error("a target of none")
	}
}

func TestMinimumHealthyTargets(t *testing.T) {
	g, v := someGroup(t, 4, settings.Attributes{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "60"})
	tell(g, map[*Target]bool{g.mu.ordered[0]: true, g.mu.ordered[1]: true})
	if got := turns(g, v, 100); len(got) != 4 {
		t.Error("50% of 60% healthy:", got)
	}
}

// A target in slow start gets a share that grows linearly.
// ALB user guide, "Slow start mode".
func TestSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, v := someGroup(t, 2, settings.Attributes{"slow_start.duration_seconds": "100"})
		if got := turns(g, v, 100); got["0"] != 50 {
			t.Error("all in slow start:", got)
		}
		time.Sleep(100 * time.Second)
		late := g.mu.ordered[1]
		tell(g, map[*Target]bool{late: true})
		tell(g, nil)
		if got := turns(g, v, 100); got["1"] != 0 {
			t.Error("at once:", got)
		}
		time.Sleep(50 * time.Second)
		if got := turns(g, v, 300); got["1"] < 99 || got["1"] > 101 {
			t.Error("halfway:", got)
		}
		time.Sleep(50 * time.Second)
		if got := turns(g, v, 100); got["1"] != 50 {
			t.Error("at the end:", got)
		}
	})
}

// A flow keeps its target whoever else comes and goes, and flows spread evenly.
func TestFlows(t *testing.T) {
	_, v := someGroup(t, 4, nil)
	all := v.Table.Load()
	fewer := &Table{eligible: all.eligible[:3]}
	shares := map[*Target]int{}
	for i := range 4000 {
		f := Flow{Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), uint16(1000+i))}
		before, after := all.ChooseFor(f), fewer.ChooseFor(f)
		if before != after && before != all.eligible[3] {
			t.Fatal("a flow moved though its target stayed")
		}
		shares[before]++
	}
	for _, n := range shares {
		if n < 850 || n > 1150 {
			t.Errorf("shares: %v", shares)
		}
	}
	sticky := &Table{eligible: all.eligible, Group: settings.Group{Sticky: settings.Stickiness{Kind: "source_ip"}}}
	one := map[*Target]bool{}
	for port := range uint16(100) {
		one[sticky.ChooseFor(Flow{Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), port)})] = true
	}
	if len(one) != 1 {
		t.Errorf("one source went to %d targets", len(one))
	}
}
