package store

import "fargo/record"

// upgradeNodes gives nodes of a version that knew no states theirs, and puts load
// balancers where that version had all of them: on the first node. It goes as far as
// one transaction should, and returns whether anything is left. Nodes come last: their
// states say that all is done.
func upgradeNodes(tx *Tx) (more bool) {
	var first string
	var old []*record.Node
	for n := range Nodes.All(tx) {
		if n.State != "" {
			return false
		}
		if first == "" {
			first = n.ID
		}
		old = append(old, n)
	}
	if first == "" {
		return false
	}
	for lb := range ELBLoadBalancers.All(tx) {
		if lb.Nodes != nil {
			continue
		}
		if tx.Full() {
			return true
		}
		next := *lb
		next.Nodes = map[string]string{}
		for _, i := range lb.Interfaces {
			next.Nodes[i.ID] = first
		}
		ELBLoadBalancers.Put(tx, &next)
	}
	for _, n := range old {
		next := *n
		next.State = record.NodeActive
		Nodes.Put(tx, &next)
	}
	return false
}
