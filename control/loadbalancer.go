package control

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// LoadBalancers is the controller that gives the interfaces of load balancers their
// nodes.
func LoadBalancers() Controller {
	all := func(r store.Reader) iter.Seq[string] { return keys(store.ELBLoadBalancers.All(r)) }
	return Controller{
		Name: "loadbalancer",
		All:  all,
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			switch c.Table {
			case store.ELBLoadBalancers.Name():
				return slices.Values([]string{c.Key})
			case store.Nodes.Name():
				return all(r)
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, _ time.Time) (time.Time, error) {
			if lb, ok := store.ELBLoadBalancers.Get(tx, key); ok && !placed(tx, lb) {
				placeInterfaces(tx, lb)
			}
			return time.Time{}, nil
		},
	}
}

// placed reports whether all interfaces of a load balancer are on active nodes, and
// no others are.
func placed(r store.Reader, lb *record.ELBLoadBalancer) bool {
	for _, i := range lb.Interfaces {
		if n, ok := store.Nodes.Get(r, lb.Nodes[i.ID]); !ok || !n.Active() {
			return false
		}
	}
	return len(lb.Nodes) == len(lb.Interfaces)
}

func placeInterfaces(tx *store.Tx, lb *record.ELBLoadBalancer) {
	load := interfacesByNode(tx)
	nodes := plan.PlaceInterfaces(lb, plan.InterfaceView{
		Nodes: slices.Collect(store.Nodes.All(tx)), Targets: targetsByNode(tx, lb), Interfaces: load,
	})
	if maps.Equal(nodes, lb.Nodes) {
		return
	}
	for _, n := range lb.Nodes {
		load[n]--
	}
	for _, n := range nodes {
		load[n]++
	}
	next := *lb
	next.Nodes = nodes
	store.ELBLoadBalancers.Put(tx, &next)
}

// interfaceCount is the key of what a transaction that places interfaces remembers.
type interfaceCount struct{}

// interfacesByNode counts the interfaces of load balancers and endpoints. It is made once
// in a transaction; who places interfaces keeps it up to date.
func interfacesByNode(tx *store.Tx) map[string]int {
	return store.Cached(tx, interfaceCount{}, func() map[string]int {
		count := map[string]int{}
		for lb := range store.ELBLoadBalancers.All(tx) {
			for _, n := range lb.Nodes {
				count[n]++
			}
		}
		for e := range store.EC2VPCEndpoints.All(tx) {
			for _, n := range e.Nodes {
				count[n]++
			}
		}
		return count
	})
}

// targetsByNode counts the tasks that a load balancer sends requests to.
func targetsByNode(r store.Reader, lb *record.ELBLoadBalancer) map[string]int {
	count := map[string]int{}
	for _, group := range groupsOf(r, lb) {
		for target := range store.ELBTargets.By(r, store.TargetByGroup, group) {
			for t := range store.Tasks.By(r, store.TaskByTarget, target.Key()) {
				if !t.Stopped() {
					count[t.Node]++
				}
			}
		}
	}
	return count
}

// groupsOf are the ARNs of the target groups that a load balancer forwards to.
func groupsOf(r store.Reader, lb *record.ELBLoadBalancer) []string {
	var groups []string
	for l := range store.ELBListeners.By(r, store.ListenerByLoadBalancer, lb.Key()) {
		groups = append(groups, l.TargetGroups()...)
		for rule := range store.ELBRules.By(r, store.RuleByListener, l.Key()) {
			groups = append(groups, rule.TargetGroups()...)
		}
	}
	slices.Sort(groups)
	return slices.Compact(groups)
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
// another node than the checker changes nothing until that node becomes the checker; one
// about a target that is gone, draining, unused or was registered anew changes nothing.
func (p *Plane) ReportTargets(ctx context.Context, node string, reports []desired.TargetReport) error {
	p.Sessions.reportTargets(node, reports)
	if !changesAny(p.DB.View(), node, reports) {
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

// changesAny reports whether any report changes something.
func changesAny(r store.Reader, node string, reports []desired.TargetReport) bool {
	for i := range reports {
		if _, ok := reported(r, node, &reports[i]); ok {
			return true
		}
	}
	return false
}

func reported(r store.Reader, node string, report *desired.TargetReport) (*record.ELBTarget, bool) {
	t, ok := store.ELBTargets.Get(r, fargo.TargetKey(report.Group, report.ID, report.Port))
	if !ok || checker(r, t.Group) != node {
		return nil, false
	}
	return plan.Reported(t, store.ZonesOfGroup(r, t.Group), report)
}

// checker is the node whose reports on the health of a group's targets count, "" when
// there is none.
func checker(r store.Reader, group string) string {
	for _, arn := range store.LoadBalancersOfGroup(r, group) {
		if lb, ok := store.ELBLoadBalancers.Get(r, arn); ok {
			if node := plan.Checker(lb); node != "" {
				return node
			}
		}
	}
	return ""
}
