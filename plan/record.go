package plan

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

// recordTTL is that of a load balancer's name.
// Source: Elastic Load Balancing user guide, "Request routing": 60 seconds.
const recordTTL = time.Minute

// Records gives the names of load balancers with the addresses of their
// interfaces in zones that can serve, as every VPC and the machine know them: the public
// addresses of an internet-facing one, inside its VPC too. A dual-stack one has its IPv6
// addresses in its name, and without public IPv4 no others. An internal load balancer's
// name is as public as any; its addresses are not. The names are sorted, and their
// addresses in the order of the interfaces: those of a zone are together.
// Sources: Elastic Load Balancing user guide, "Load balancer scheme"; ALB user guide, "IP
// address types".
func Records(v ELBView) []desired.Record {
	p := newELBPlan(v)
	var out []desired.Record
	for _, l := range v.LoadBalancers {
		if l.LoadBalancer.DNSName == nil || len(l.Interfaces) == 0 {
			continue
		}
		r := desired.Record{Name: strings.ToLower(*l.LoadBalancer.DNSName), TTL: recordTTL, Addresses: p.addresses(l)}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b desired.Record) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// addresses are those of a load balancer that are on a node, in zones where every
// group that it uses has enough healthy targets; where there is no such zone, all.
// Source: ELB user guides, "Target group health", DNS failover.
func (p *elbPlan) addresses(lb *record.ELBLoadBalancer) []netip.Addr {
	zones := lb.Zones()
	var fit, all []netip.Addr
	for n, i := range lb.Interfaces {
		in := namedAddresses(lb, &i)
		all = append(all, in...)
		if lb.Nodes[i.ID] != "" && (n >= len(zones) || p.serves(lb, zones[n])) {
			fit = append(fit, in...)
		}
	}
	if len(fit) == 0 {
		return all
	}
	return fit
}

// namedAddresses are those of an interface that the load balancer's name stands for.
func namedAddresses(lb *record.ELBLoadBalancer, i *desired.Interface) (out []netip.Addr) {
	switch {
	case lb.LoadBalancer.IpAddressType == elbv2.IpAddressTypeDualstackWithoutPublicIpv4:
	case i.Public.IsValid():
		out = append(out, i.Public)
	default:
		out = append(out, i.Address)
	}
	if i.IPv6.IsValid() {
		out = append(out, i.IPv6)
	}
	return out
}

// serves reports whether a load balancer has enough healthy targets for what
// comes in by a zone.
func (p *elbPlan) serves(lb *record.ELBLoadBalancer, zone string) bool {
	for _, arn := range p.used(lb) {
		g, ok := p.groups[arn]
		if !ok {
			continue // the API keeps a group for as long as it is used
		}
		healthy, known := p.countHealthy(lb, g, zone)
		if !enough(g, healthy, known) {
			return false
		}
	}
	return true
}

// countHealthy counts the targets that a load balancer's node in a zone uses: the
// healthy ones, and those that are not draining.
func (p *elbPlan) countHealthy(lb *record.ELBLoadBalancer, g *record.ELBTargetGroup, zone string) (healthy, known int) {
	crosses := CrossesZones(lb, g)
	for _, t := range p.targets[g.Key()] {
		if !crosses && t.Zone != zone && t.Zone != "" && t.Zone != anyZone {
			continue
		}
		switch TargetHealth(t, lb.Zones()).State {
		case elbv2.TargetHealthStateEnumDraining, elbv2.TargetHealthStateEnumUnused:
		case elbv2.TargetHealthStateEnumHealthy, elbv2.TargetHealthStateEnumUnavailable:
			healthy++
			known++
		default:
			known++
		}
	}
	return healthy, known
}

// enough reports whether as many targets are healthy as a group's thresholds of
// DNS failover ask for.
// Source: ELBv2 API, TargetGroupAttribute.
func enough(g *record.ELBTargetGroup, healthy, known int) bool {
	const thresholds = "target_group_health.dns_failover.minimum_healthy_targets."
	count, err := strconv.Atoi(g.Attributes[thresholds+"count"])
	if err == nil && healthy < count {
		return false
	}
	percentage, err := strconv.Atoi(g.Attributes[thresholds+"percentage"])
	return err != nil || healthy*100 >= known*percentage
}
