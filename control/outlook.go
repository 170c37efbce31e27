package control

import (
	"context"
	"slices"
	"strings"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// outlook is what one node should be doing, as of a snapshot, and what of it a
// later snapshot must be compared with.
type outlook struct {
	plane *Plane
	node  string
	view  *store.Snapshot
	fates map[string]fate // of the tasks told, by their keys
	// beside has everything but tasks and security groups' members.
	beside desired.State
}

// fate is what may change of an assignment; see [plan.Fate].
type fate struct {
	arn     string
	desired fargo.TaskStatus
	code    fargo.StopCode
	reason  string
}

// Follow calls tell with all that node should be doing, as a delta from nothing,
// and then with what leads to what it should be doing next, until ctx ends or
// tell fails. Changes say where to look; what is told is what two snapshots
// differ in.
func (p *Plane) Follow(ctx context.Context, node string, tell func(desired.Delta) error) error {
	w := p.DB.Watch(
		store.Tasks.Under(store.TaskByNode, node),
		store.EC2VPCs.Any(), store.EC2SecurityGroups.Any(), store.EC2NetworkInterfaces.Any(),
		store.ELBLoadBalancers.Any(), store.ELBListeners.Any(), store.ELBRules.Any(), store.ELBTargetGroups.Any(),
		store.ELBTargets.Any(), store.Certificates.Any(), store.Nodes.Any(),
	)
	defer w.Close()
	o := &outlook{plane: p, node: node}
	if err := tell(o.begin(w.View())); err != nil {
		return err
	}
	for {
		changes, err := w.Next(ctx)
		if err != nil {
			return err
		}
		if d := o.move(w.View(), changes); !desired.Empty(&d) {
			if err := tell(d); err != nil {
				return err
			}
		}
	}
}

// begin gives all there is in a snapshot.
func (o *outlook) begin(view *store.Snapshot) (d desired.Delta) {
	o.view, o.fates = view, map[string]fate{}
	for t := range store.Tasks.By(view, store.TaskByNode, o.node) {
		o.look(t.Key(), &d.Tasks)
	}
	o.beside = o.lookBeside()
	all := o.beside
	all.VPCs = networks(view)
	plan.OpenTo(all.VPCs, all.Balancers)
	rest := desired.Diff(desired.State{}, all)
	rest.Tasks = d.Tasks
	return rest
}

// move goes on to a later snapshot, which differs in changes.
func (o *outlook) move(view *store.Snapshot, changes []store.Change) (d desired.Delta) {
	before := o.view
	o.view = view
	beside, anew := false, false
	for _, c := range changes {
		switch c.Table {
		case store.Tasks.Name():
			o.look(c.Key, &d.Tasks)
		case store.EC2NetworkInterfaces.Name():
			old, _ := store.EC2NetworkInterfaces.Get(before, c.Key)
			next, _ := store.EC2NetworkInterfaces.Get(view, c.Key)
			if old != next {
				d.Members = append(d.Members, plan.Joining(old, next)...)
			}
		case store.EC2VPCs.Name(), store.EC2SecurityGroups.Name():
			anew = true
		default:
			beside = true
		}
	}
	d.Members = desired.Merged(d.Members)
	old := o.beside
	if beside {
		o.beside = o.lookBeside()
		rest := desired.Diff(old, o.beside)
		d.Balancers, d.Groups, d.Records = rest.Balancers, rest.Groups, rest.Records
	}
	if anew || len(d.Balancers.Put)+len(d.Balancers.Gone) > 0 { // which decide about open groups
		d.VPCs, d.Members = rebuilt(before, view, old.Balancers, o.beside.Balancers), nil
	}
	return d
}

// look compares a task with what was told of it.
func (o *outlook) look(key string, c *desired.Change[desired.Assignment]) {
	told, known := o.fates[key]
	t, ok := store.Tasks.Get(o.view, key)
	if !ok || t.Stopped() || t.Node != o.node {
		if known {
			delete(o.fates, key)
			c.Gone = append(c.Gone, told.arn)
		}
		return
	}
	next := fate{arn: t.ARN()}
	next.desired, next.code, next.reason = plan.Fate(t)
	if known && next == told {
		return
	}
	def, ok := store.TaskDefinitionByARN(o.view, *t.Intent.TaskDefinitionArn)
	if !ok {
		// A definition outlives its tasks: package api refuses otherwise.
		o.plane.Logger.Error("task without its definition", "task", next.arn)
		return
	}
	o.fates[key] = next
	c.Put = append(c.Put, plan.Assignment(t, def, o.plane.Pace, func(c *ecs.ContainerDefinition) desired.PullSource {
		return o.plane.Puller.Source(t, c)
	}))
}

// lookBeside gives load balancers, their groups, and names.
func (o *outlook) lookBeside() (d desired.State) {
	elb := elbView(o.view, slices.Collect(store.ELBLoadBalancers.All(o.view)))
	d.Records = plan.Records(elb)
	elb.LoadBalancers = loadBalancers(o.view, o.node)
	d.Balancers, d.Groups = plan.Balancers(elb)
	return d
}

// networks gives all VPCs with all members of their groups.
func networks(view *store.Snapshot) (out []desired.VPC) {
	for v := range store.EC2VPCs.All(view) {
		id := *v.VPC.VpcId
		out = append(out, plan.Networks([]*record.EC2VPC{v},
			slices.Collect(store.EC2SecurityGroups.By(view, store.ByVPC, id)),
			slices.Collect(store.EC2NetworkInterfaces.By(view, store.ByVPC, id)))...)
	}
	slices.SortFunc(out, func(a, b desired.VPC) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// rebuilt is what VPCs differ in between two snapshots, with the balancers of
// each.
func rebuilt(before, after *store.Snapshot, old, next []desired.Balancer) desired.Change[desired.VPC] {
	a, b := networks(before), networks(after)
	plan.OpenTo(a, old)
	plan.OpenTo(b, next)
	return desired.Diff(desired.State{VPCs: a}, desired.State{VPCs: b}).VPCs
}
