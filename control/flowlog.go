package control

import (
	"slices"

	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// flowLogs gives all flow logs.
func flowLogs(view store.Reader) (out []desired.FlowLog) {
	for f := range store.EC2FlowLogs.All(view) {
		out = append(out, plan.FlowLog(f))
	}
	return out
}

// allLogged gives all interfaces that flow logs are for.
func allLogged(view store.Reader) (out []desired.LoggedInterface) {
	seen := map[string]bool{}
	for f := range store.EC2FlowLogs.All(view) {
		if seen[f.VPC] {
			continue
		}
		seen[f.VPC] = true
		for i := range store.EC2NetworkInterfaces.By(view, store.ByVPC, f.VPC) {
			if l := logged(view, i); l != nil {
				out = append(out, *l)
			}
		}
	}
	return out
}

// logged is an interface with its flow logs; nil when there are none, or no interface.
func logged(view store.Reader, i *record.EC2NetworkInterface) *desired.LoggedInterface {
	if i == nil {
		return nil
	}
	v := plan.LoggedView{
		Interface: i, FlowLogs: slices.Collect(store.EC2FlowLogs.By(view, store.ByVPC, *i.Interface.VpcId)),
	}
	if len(v.FlowLogs) == 0 {
		return nil
	}
	v.Subnet, _ = store.EC2Subnets.Get(view, i.Scope.Key(*i.Interface.SubnetId))
	v.Task, _ = taskByARN(view, i.TaskARN)
	return plan.Logged(v)
}

// diffLogged compares how an interface was logged with how it is.
func diffLogged(before, after store.Reader, old, next *record.EC2NetworkInterface, c *desired.Change[desired.LoggedInterface]) {
	list := func(l *desired.LoggedInterface) (one []desired.LoggedInterface) {
		if l != nil {
			one = append(one, *l)
		}
		return one
	}
	d := desired.Diff(desired.State{Logged: list(logged(before, old))}, desired.State{Logged: list(logged(after, next))}).Logged
	c.Put, c.Gone = append(c.Put, d.Put...), append(c.Gone, d.Gone...)
}

// diffFlowLogs is what flow logs, and the interfaces that they are for, differ in
// between two snapshots.
func diffFlowLogs(before, after store.Reader) (desired.Change[desired.FlowLog], desired.Change[desired.LoggedInterface]) {
	d := desired.Diff(
		desired.State{FlowLogs: flowLogs(before), Logged: allLogged(before)},
		desired.State{FlowLogs: flowLogs(after), Logged: allLogged(after)})
	return d.FlowLogs, d.Logged
}
