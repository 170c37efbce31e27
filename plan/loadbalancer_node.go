package plan

import (
	"cmp"
	"maps"
	"slices"

	"fargo/desired"
	"fargo/record"
)

// InterfaceView is what [PlaceInterfaces] decides by.
type InterfaceView struct {
	Nodes []*record.Node // all there are
	// Targets counts the load balancer's targets by the node they are on.
	Targets map[string]int
	// Interfaces counts the interfaces of all load balancers and endpoints by their node.
	Interfaces map[string]int
}

// PlaceInterfaces gives each interface of a load balancer its node, by the
// interfaces' ids. One that has an active node keeps it. Any other goes to the
// active node that reaches the most of the load balancer's targets, then the most of
// its other interfaces, so that where machines do not reach each other it is where
// its targets are; then to one in its own zone; then to one with the fewest
// interfaces. Without an active node, those of a draining node stay, and others have
// none.
func PlaceInterfaces(lb *record.ELBLoadBalancer, v InterfaceView) map[string]string {
	return placeInterfaces(lb.Interfaces, lb.Zones(), lb.Nodes, v)
}

// placeInterfaces places interfaces that are in these zones, and on these nodes now.
func placeInterfaces(interfaces []desired.Interface, zones []string, now map[string]string, v InterfaceView) map[string]string {
	byID := map[string]*record.Node{}
	var active []*record.Node
	for _, n := range v.Nodes {
		byID[n.ID] = n
		if n.Active() {
			active = append(active, n)
		}
	}
	placed := map[string]string{}
	for _, i := range interfaces {
		n := byID[now[i.ID]]
		if n != nil && (n.Active() || n.State == record.NodeDraining && len(active) == 0) {
			placed[i.ID] = n.ID
		}
	}
	load := maps.Clone(v.Interfaces)
	if load == nil {
		load = map[string]int{}
	}
	for k, i := range interfaces {
		if placed[i.ID] != "" || len(active) == 0 {
			continue
		}
		others := map[string]int{}
		for _, id := range placed {
			others[id]++
		}
		best := slices.MaxFunc(active, func(a, b *record.Node) int {
			return cmp.Or(
				cmp.Compare(reached(a, v.Targets, byID), reached(b, v.Targets, byID)),
				cmp.Compare(reached(a, others, byID), reached(b, others, byID)),
				cmp.Compare(nearness(a, zones, k), nearness(b, zones, k)),
				cmp.Compare(load[b.ID], load[a.ID]),
				cmp.Compare(hash(i.ID+a.ID), hash(i.ID+b.ID)),
			)
		})
		placed[i.ID] = best.ID
		load[best.ID]++
	}
	return placed
}

// Reaches reports whether interfaces on node a reach those on b: on one node always,
// on two when there is a network between their machines.
func Reaches(a, b *record.Node) bool {
	return a.ID == b.ID || a.Hello.Network != "" && a.Hello.Network == b.Hello.Network
}

// reached counts what is on nodes that n reaches.
func reached(n *record.Node, counts map[string]int, byID map[string]*record.Node) (total int) {
	for id, count := range counts {
		if there := byID[id]; there != nil && Reaches(n, there) {
			total += count
		}
	}
	return total
}

// nearness is higher for a node in the zone of interface k, or in no zone.
func nearness(n *record.Node, zones []string, k int) int {
	if n.Hello.Zone == "" || k < len(zones) && n.Hello.Zone == zones[k] {
		return 1
	}
	return 0
}

// Checker is the node whose reports on the health of a load balancer's targets count.
// Every node with an interface of the load balancer checks them; this is that of the
// first interface which has a node, "" when none has.
func Checker(lb *record.ELBLoadBalancer) string {
	for _, i := range lb.Interfaces {
		if n := lb.Nodes[i.ID]; n != "" {
			return n
		}
	}
	return ""
}

// On reports whether one of a load balancer's interfaces is on a node.
func On(lb *record.ELBLoadBalancer, node string) bool {
	for _, n := range lb.Nodes {
		if n == node {
			return true
		}
	}
	return false
}
