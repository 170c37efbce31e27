package control

import (
	"errors"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Services is the controller that keeps every service at its desired count of
// healthy tasks, and rolls out its deployments.
func Services(c Config) Controller {
	s := services{c}
	return Controller{Name: "service", All: s.all, Scope: s.scope, Reconcile: s.reconcile}
}

type services struct{ Config }

func (services) all(r store.Reader) iter.Seq[string] { return keys(store.Services.All(r)) }

func (s services) scope(r store.Reader, c store.Change) iter.Seq[string] {
	switch c.Table {
	case store.Services.Name():
		return slices.Values([]string{c.Key})
	case store.Tasks.Name():
		if t, ok := store.Tasks.Get(r, c.Key); ok && t.Service != "" {
			return slices.Values([]string{t.ServiceKey()})
		}
	case store.ELBTargets.Name():
		return func(yield func(string) bool) {
			for t := range store.Tasks.By(r, store.TaskByTarget, c.Key) {
				if t.Service != "" && !yield(t.ServiceKey()) {
					return
				}
			}
		}
	case store.ELBListeners.Name(), store.ELBRules.Name(), store.ELBLoadBalancers.Name(), store.ELBTargetGroups.Name():
		return balanced(r) // whose targets may be used or unused now
	case store.Alarms.Name():
		return watched(r, c.Key)
	case store.Nodes.Name():
		return keys(store.Services.All(r))
	}
	return slices.Values([]string(nil))
}

// watched are the services whose deployments under way an alarm watches.
func watched(r store.Reader, alarm string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for d := range store.Deployments.All(r) {
			if c := d.Configuration; d.Retired || d.Rollout != ecs.DeploymentRolloutStateInProgress || c == nil || c.Alarms == nil {
				continue
			}
			for _, name := range d.Configuration.Alarms.AlarmNames {
				if d.Scope.Key(name) == alarm && !yield(d.Service) {
					return
				}
			}
		}
	}
}

// balanced are the services with load balancers, some of them more than once.
func balanced(r store.Reader) iter.Seq[string] {
	return func(yield func(string) bool) {
		for d := range store.Deployments.All(r) {
			if !d.Retired && len(d.Revision.LoadBalancers) > 0 && !yield(d.Service) {
				return
			}
		}
	}
}

func (s services) reconcile(tx *store.Tx, key string, now time.Time) (time.Time, error) {
	service, ok := store.Services.Get(tx, key)
	if !ok {
		return time.Time{}, nil
	}
	if service.Status() == "INACTIVE" {
		return s.forget(tx, service, now), nil
	}
	changes := plan.PlanService(s.view(tx, service, now), now)
	commit(tx, changes, now)
	return changes.Next, nil
}

// forget deletes an INACTIVE service after a while, with its deployments.
func (services) forget(tx *store.Tx, s *record.Service, now time.Time) time.Time {
	if end := s.InactiveAt.Add(plan.StoppedRetention); now.Before(end) {
		return end
	}
	store.DeleteDeployments(tx, s.Key(), func(*record.Deployment) bool { return true })
	store.Services.Delete(tx, s.Key())
	return time.Time{}
}

func (s services) view(tx *store.Tx, service *record.Service, now time.Time) plan.ServiceView {
	v := plan.ServiceView{
		Service: service, Groups: GroupUses(tx), Pace: s.Pace, UUID: uuid.NewString,
		Alarm: func(name string) *record.Alarm {
			a, _ := store.Alarms.Get(tx, service.Scope.Key(name))
			return a
		},
	}
	for d := range store.Deployments.By(tx, store.ByService, service.Key()) {
		if !d.Retired || d.ID == service.Completed {
			v.Deployments = append(v.Deployments, d)
		}
		if d.ID == service.Primary {
			v.Subnets = serviceSubnets(tx, service.Scope, d.Revision.NetworkConfiguration.AwsvpcConfiguration.Subnets)
		}
	}
	if service.Daemon() { // nobody else asks, and there may be many
		v.Nodes = len(activeNodes(tx))
	}
	for t := range store.Tasks.By(tx, store.TaskByService, service.Key()) {
		st := plan.ServiceTask{Task: t, Protected: now.Before(t.ProtectedUntil)}
		for _, ref := range t.Targets {
			if target, ok := store.ELBTargets.Get(tx, ref.Key()); ok {
				st.Targets = append(st.Targets, target)
			}
		}
		v.Tasks = append(v.Tasks, st)
	}
	slices.SortStableFunc(v.Tasks, func(a, b plan.ServiceTask) int {
		return a.Task.Intent.CreatedAt.Compare(*b.Task.Intent.CreatedAt)
	})
	v.Make = func(d *record.Deployment, provider string) (*record.Task, error) {
		spec, err := s.taskSpec(tx, service, d, provider)
		if err != nil {
			return nil, err
		}
		t := plan.NewTask(*spec, now, fargo.NewHex)
		for _, role := range plan.TaskRoles(t, spec.Definition) {
			if !s.Assumable(tx, role, tasksService, t.ARN()) {
				return nil, errUnassumable(role)
			}
		}
		return t, nil
	}
	return v
}

// GroupUses tells how target groups are used, and looks up each once.
func GroupUses(r store.Reader) func(arn string) plan.GroupUse {
	known := map[string]plan.GroupUse{}
	return func(arn string) plan.GroupUse {
		use, ok := known[arn]
		if !ok {
			g, exists := store.ELBTargetGroups.Get(r, arn)
			use = plan.GroupUse{Exists: exists, IPv6: exists && g.IPv6(), Zones: store.ZonesOfGroup(r, arn)}
			known[arn] = use
		}
		return use
	}
}

// serviceSubnets are those of ids that exist.
func serviceSubnets(r store.Reader, scope fargo.Scope, ids []string) []plan.ServiceSubnet {
	var out []plan.ServiceSubnet
	for _, id := range ids {
		s, ok := store.EC2Subnets.Get(r, scope.Key(id))
		if !ok {
			continue
		}
		out = append(out, plan.ServiceSubnet{ID: id, Zone: *s.Subnet.AvailabilityZone, Free: func() bool {
			six, _ := s.Prefix6()
			c := plan.Candidate{Prefix: s.Prefix(), Prefix6: six, Taken: func(a netip.Addr) bool { return store.AddressTaken(r, *s.Subnet.VpcId, a) }}
			return c.HasRoom(id)
		}})
	}
	return out
}

// taskSpec is what a task of a deployment is made from. An error is what the
// service's event says.
func (s services) taskSpec(tx *store.Tx, service *record.Service, d *record.Deployment, provider string) (*plan.TaskSpec, error) {
	cluster, ok := store.Clusters.Get(tx, service.Scope.Key(service.Cluster))
	if !ok {
		return nil, errors.New("the cluster was not found")
	}
	definition, ok := store.TaskDefinitionByARN(tx, *d.Revision.TaskDefinition)
	if !ok {
		return nil, errors.New("the task definition was not found")
	}
	var volume *record.TaskVolume
	for i := range d.Revision.VolumeConfigurations {
		c := plan.TaskVolumeConfiguration(&d.Revision.VolumeConfigurations[i])
		volume = plan.NewTaskVolume(c, definition.Tags, service.Service.Tags, plan.ManagedTags(service))
	}
	return &plan.TaskSpec{
		Volume: volume,
		Scope:  service.Scope, Cluster: cluster, Definition: definition, Service: service.Name(),
		LaunchType: ecs.LaunchTypeFargate, PlatformVersion: aws.Value(d.Revision.PlatformVersion),
		CapacityProvider: provider,
		StartedBy:        d.ID, Network: d.Revision.NetworkConfiguration.AwsvpcConfiguration,
		Monitoring:    d.Revision.Monitoring,
		LoadBalancers: d.Revision.LoadBalancers, Digests: plan.KnownDigests(d.Digests), Tags: plan.ServiceTaskTags(service, definition),
		EnableExec:   service.Service.EnableExecuteCommand != nil && *service.Service.EnableExecuteCommand,
		BlockingLogs: store.BlockingLogs(tx, service.Scope, aws.Value(service.Service.CreatedBy)),
	}, nil
}

// commit writes what a plan wants changed.
func commit(tx *store.Tx, c plan.ServiceChanges, now time.Time) {
	for _, t := range c.Launch {
		store.Tasks.Put(tx, t)
	}
	for _, t := range c.Update {
		if before, ok := store.Tasks.Get(tx, t.Key()); ok {
			t.Version = plan.TaskVersion(before, t)
		}
		store.Tasks.Put(tx, t)
	}
	for _, ref := range c.Register {
		store.ELBTargets.Put(tx, &record.ELBTarget{Group: ref.Group, ID: ref.ID, Port: ref.Port, Zone: ref.Zone, RegisteredAt: now})
	}
	for _, ref := range c.Deregister {
		if t, ok := store.ELBTargets.Get(tx, ref.Key()); ok {
			draining := *t
			draining.DrainingSince = now
			store.ELBTargets.Put(tx, &draining)
		}
	}
	for _, d := range c.Deployments {
		store.Deployments.Put(tx, d)
	}
	if c.Service != nil {
		store.Services.Put(tx, c.Service)
	}
}
