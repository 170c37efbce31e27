package balancer

import (
	"time"

	"fargo/balancer/metrics"
	"fargo/balancer/targetgroup"
	"fargo/desired"
)

// usage is what is counted: load balancers, with nil, and the groups they use, each in the
// zones of the load balancer's interfaces.
type usage map[metrics.Key]*targetgroup.Group

func (u usage) balancer(d *desired.Balancer) {
	for i := range d.Interfaces {
		u[metrics.Key{Balancer: d.ARN, Zone: zoneOf(d, i)}] = nil
	}
}

func (u usage) groups(d *desired.Balancer, g *targetgroup.Group) {
	for i := range d.Interfaces {
		u[metrics.Key{Balancer: d.ARN, Group: g.ARN, Zone: zoneOf(d, i)}] = g
	}
}

// zoneOf is the zone of the load balancer's interface with index i; empty when it has none.
func zoneOf(d *desired.Balancer, i int) string {
	if i < len(d.Zones) {
		return d.Zones[i]
	}
	return ""
}

// setMetrics has counters for what is used.
func (s *Server) setMetrics(use usage) {
	var keys []metrics.Key
	for k := range use {
		keys = append(keys, k)
	}
	s.metrics.Set(keys, time.Now())
	zones := map[*targetgroup.Group]map[string]*metrics.Group{}
	for k, g := range use {
		if g == nil {
			continue
		}
		if zones[g] == nil {
			zones[g] = map[string]*metrics.Group{}
		}
		zones[g][k.Zone] = s.metrics.Group(k.Balancer, k.Group, k.Zone)
	}
	for g, counters := range zones {
		g.CountBy(counters)
	}
}
