package node

import (
	"context"
	"maps"
	"reflect"
	"slices"

	"fargo"
)

// followVPCs takes what is desired of the networks. One that is no longer
// listed stays for as long as a task that is still ending has an interface in
// it. It reports whether anything is new; the caller has it Set.
func (n *Node) followVPCs(desired []fargo.VPC) (changed bool) {
	next := map[string]fargo.VPC{}
	for _, v := range desired {
		next[v.ID] = v
	}
	_, interfaces := n.network.wanted()
	n.mu.Lock()
	for _, i := range interfaces {
		if _, listed := next[i.VPC]; !listed {
			if v, known := n.mu.vpcs[i.VPC]; known {
				next[i.VPC] = v
			}
		}
	}
	same := reflect.DeepEqual(n.mu.vpcs, next)
	n.mu.vpcs = next
	n.mu.Unlock()
	if same {
		return false
	}
	if err := n.disk.saveVPCs(n.vpcs()); err != nil {
		n.cfg.Logger.Error("a restart would find older networks", "err", err)
	}
	return true
}

// vpcs are all networks, in the order of their ids.
func (n *Node) vpcs() []fargo.VPC {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]fargo.VPC, 0, len(n.mu.vpcs))
	for _, id := range slices.Sorted(maps.Keys(n.mu.vpcs)) {
		all = append(all, n.mu.vpcs[id])
	}
	return all
}

// setNetwork makes the machine's networking that of these interfaces.
func (n *Node) setNetwork(ctx context.Context, interfaces []fargo.Interface) error {
	return n.cfg.Network.Set(ctx, fargo.NodeNetwork{VPCs: n.vpcs(), Interfaces: interfaces})
}
