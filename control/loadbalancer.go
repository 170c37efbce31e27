package control

import (
	"context"
	"slices"

	"fargo"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// loadBalancers are those that a node is to run: all of them, on the first node
// there is.
func loadBalancers(r store.Reader, node string) []*record.ELBLoadBalancer {
	if firstNode(r) != node {
		return nil
	}
	return slices.Collect(store.ELBLoadBalancers.All(r))
}

// firstNode is the first machine there is, "" when there is none.
func firstNode(r store.Reader) string {
	for n := range store.Nodes.All(r) {
		return n.ID
	}
	return ""
}

// elbView is what there is to know of load balancers.
func elbView(r store.Reader, lbs []*record.ELBLoadBalancer) plan.ELBView {
	if len(lbs) == 0 {
		return plan.ELBView{}
	}
	return plan.ELBView{
		LoadBalancers: lbs,
		Listeners:     slices.Collect(store.ELBListeners.All(r)),
		Rules:         slices.Collect(store.ELBRules.All(r)),
		Groups:        slices.Collect(store.ELBTargetGroups.All(r)),
		Targets:       slices.Collect(store.ELBTargets.All(r)),
		Certificates:  slices.Collect(store.Certificates.All(r)),
	}
}

// ReportTargets commits what a node has seen of targets' health. A report from
// another node than the one that runs the load balancers, or about a target
// that is gone, draining, in no use or was registered anew, says nothing.
func (p *Plane) ReportTargets(ctx context.Context, node string, reports []desired.TargetReport) error {
	if !news(p.DB.View(), node, reports) {
		return nil
	}
	i := 0
	return p.DB.UpdateInParts(ctx, func(tx *store.Tx) (more bool, err error) {
		for ; i < len(reports); i++ {
			if tx.Full() {
				return true, nil
			}
			if next, ok := reported(tx, node, &reports[i]); ok {
				store.ELBTargets.Put(tx, next)
			}
		}
		return false, nil
	})
}

// news reports whether any report changes something.
func news(r store.Reader, node string, reports []desired.TargetReport) bool {
	for i := range reports {
		if _, ok := reported(r, node, &reports[i]); ok {
			return true
		}
	}
	return false
}

func reported(r store.Reader, node string, report *desired.TargetReport) (*record.ELBTarget, bool) {
	if firstNode(r) != node {
		return nil, false
	}
	t, ok := store.ELBTargets.Get(r, fargo.TargetKey(report.Group, report.ID, report.Port))
	if !ok || len(store.LoadBalancersOfGroup(r, t.Group)) == 0 {
		return nil, false
	}
	return plan.Reported(t, report)
}
