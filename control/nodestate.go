package control

import (
	"context"
	"slices"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
	"fargo/store"
)

// nodeState is what one node should be doing as of a snapshot, and what a later
// snapshot must be compared with.
type nodeState struct {
	plane *Plane
	node  string
	view  *store.Snapshot
	sent  map[string]sentTask // by the keys of the tasks
	// dataPlane has the load balancers, target groups, endpoints and their names, but
	// neither tasks nor networks.
	dataPlane desired.State
}

// sentTask is the part of an assignment that changes, as the node was sent it
// last.
type sentTask struct {
	arn     string
	desired fargo.TaskStatus
	code    fargo.StopCode
	reason  string
}

// Follow calls send with all that node should be doing, as a delta from nothing,
// and then with each delta to what it should be doing next, until ctx ends or
// send fails. A change in the store only says which parts to compare: a delta is
// the difference between two snapshots.
func (p *Plane) Follow(ctx context.Context, node string, send func(desired.Delta) error) error {
	w := p.DB.Watch(
		store.Tasks.Under(store.TaskByNode, node),
		store.EC2VPCs.Any(), store.EC2Subnets.Any(), store.EC2SecurityGroups.Any(), store.EC2NetworkInterfaces.Any(),
		store.EC2RouteTables.Any(), store.EC2InternetGateways.Any(), store.EC2EgressOnlyGateways.Any(), store.EC2NATGateways.Any(),
		store.EC2VPCEndpoints.Any(), store.EC2PrefixLists.Any(), store.EC2NetworkACLs.Any(), store.EC2Peerings.Any(),
		store.ELBLoadBalancers.Any(), store.ELBListeners.Any(), store.ELBRules.Any(), store.ELBTargetGroups.Any(),
		store.ELBTargets.Any(), store.Certificates.Any(), store.PlatformCertificates.Any(), store.EC2FlowLogs.Any(),
		store.DeletedFileSystems.Any(), store.ExecSessions.Under(store.ExecSessionByNode, node),
	)
	defer w.Close()
	s := &nodeState{plane: p, node: node}
	if err := send(s.begin(w.View())); err != nil {
		return err
	}
	for {
		changes, err := w.Next(ctx)
		if err != nil {
			return err
		}
		if d := s.advance(w.View(), changes); !desired.Empty(&d) {
			p.Sessions.stopChecking(node, d.Groups.Gone)
			if err := send(d); err != nil {
				return err
			}
		}
	}
}

// begin gives all that a first snapshot has.
func (s *nodeState) begin(view *store.Snapshot) (d desired.Delta) {
	s.view, s.sent = view, map[string]sentTask{}
	for t := range store.Tasks.By(view, store.TaskByNode, s.node) {
		s.diffTask(t.Key(), &d.Tasks)
	}
	s.dataPlane = s.dataPlaneState()
	all := s.dataPlane
	all.Records = slices.Concat(all.Records, allPublicNames(view))
	all.VPCs = s.plane.networks(view, allVPCs(view))
	plan.OpenTo(all.VPCs, all.Balancers)
	all.FlowLogs, all.Logged = flowLogs(view), allLogged(view)
	all.DeletedFileSystems = deletedFileSystems(view)
	all.ExecSessions = execSessions(view, s.node)
	rest := desired.Diff(desired.State{}, all)
	rest.Tasks = d.Tasks
	return rest
}

// advance moves on to a later snapshot, which differs in changes.
func (s *nodeState) advance(view *store.Snapshot, changes []store.Change) (d desired.Delta) {
	before := s.view
	s.view = view
	dataPlane, flowLogged, touched, renamed := false, false, vpcSet{}, named{}
	for _, c := range changes {
		switch c.Table {
		case store.Tasks.Name():
			s.diffTask(c.Key, &d.Tasks)
		case store.EC2NetworkInterfaces.Name():
			old, _ := store.EC2NetworkInterfaces.Get(before, c.Key)
			next, _ := store.EC2NetworkInterfaces.Get(view, c.Key)
			if old != next {
				d.Members = append(d.Members, plan.Joining(old, next)...)
				diffLogged(before, view, old, next, &d.Logged)
				renamed.add(c.Key, old, next)
			}
		case store.EC2FlowLogs.Name():
			flowLogged = true
		case store.DeletedFileSystems.Name():
			diffDeleted(view, c.Key, &d.DeletedFileSystems)
		case store.ExecSessions.Name():
			s.diffExecSession(before, c.Key, &d.ExecSessions)
		case store.EC2VPCs.Name():
			touched.addIn(before, view, c)
			renamed.addIn(before, view, c.Key)
		default:
			dataPlane = !touched.addIn(before, view, c) || c.Table == store.EC2VPCEndpoints.Name() || dataPlane
		}
	}
	if flowLogged {
		d.FlowLogs, d.Logged = diffFlowLogs(before, view)
	}
	old := s.dataPlane
	if dataPlane {
		s.dataPlane = s.dataPlaneState()
		rest := desired.Diff(old, s.dataPlane)
		d.Balancers, d.Groups, d.Records = rest.Balancers, rest.Groups, rest.Records
		d.Endpoints, d.Platform = rest.Endpoints, rest.Platform
	}
	if len(renamed) > 0 {
		names := renamed.diff(before, view)
		d.Records.Put, d.Records.Gone = append(d.Records.Put, names.Put...), append(d.Records.Gone, names.Gone...)
	}
	touched.addOf(before, old.Balancers, d.Balancers)
	touched.addOf(view, s.dataPlane.Balancers, d.Balancers)
	if len(touched) > 0 {
		was, is := desired.State{VPCs: s.plane.networks(before, touched)}, desired.State{VPCs: s.plane.networks(view, touched)}
		plan.OpenTo(was.VPCs, old.Balancers)
		plan.OpenTo(is.VPCs, s.dataPlane.Balancers)
		d.VPCs = desired.Diff(was, is).VPCs
		d.Members = slices.DeleteFunc(d.Members, func(m desired.MemberChange) bool { return touched.has(m.VPC) })
	}
	d.Members = desired.Merged(d.Members)
	return d
}

// diffTask compares a task with what was sent of it.
func (s *nodeState) diffTask(key string, c *desired.Change[desired.Assignment]) {
	sent, known := s.sent[key]
	t, ok := store.Tasks.Get(s.view, key)
	if !ok || t.Stopped() || t.Node != s.node {
		if known {
			delete(s.sent, key)
			c.Gone = append(c.Gone, sent.arn)
		}
		return
	}
	next := sentTask{arn: t.ARN()}
	next.desired, next.code, next.reason = plan.AssignedStatus(t)
	if known && next == sent {
		return
	}
	def, ok := store.TaskDefinitionByARN(s.view, *t.Intent.TaskDefinitionArn)
	if !ok {
		// A definition outlives its tasks: package api refuses otherwise.
		s.plane.Logger.Error("task without its definition", "task", next.arn)
		return
	}
	s.sent[key] = next
	c.Put = append(c.Put, plan.Assignment(t, def, s.plane.Pace, func(c *ecs.ContainerDefinition) desired.PullSource {
		return s.plane.Puller.Source(t, c)
	}))
}

// dataPlaneState gives the load balancers, their target groups, the endpoints, and the
// names of both.
func (s *nodeState) dataPlaneState() (d desired.State) {
	elb := elbView(s.view, slices.Collect(store.ELBLoadBalancers.All(s.view)))
	endpoints := slices.Collect(store.EC2VPCEndpoints.All(s.view))
	d.Records = append(plan.Records(elb), plan.EndpointRecords(endpoints)...)
	d.Balancers, d.Groups = plan.Balancers(elb, s.node)
	d.Endpoints = plan.Endpoints(endpoints, s.node)
	if s.plane.Upstream != "" {
		d.Platform = plan.Platform(s.plane.Upstream, slices.Collect(store.PlatformCertificates.All(s.view)))
		d.Platform.InEnvironment = s.plane.InEnvironment
	}
	return d
}
