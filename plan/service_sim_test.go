package plan

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

// serviceSim simulates one service with its tasks, and what happens to them as a test
// says. Tasks are named by what they are made from:
// v1/1, v1/2.
type serviceSim struct {
	service     *record.Service
	deployments []*record.Deployment // all there ever were
	tasks       []*record.Task
	targets     map[string]*record.ELBTarget
	now         time.Time
	group       string   // target group, "" for none
	groupGone   bool     // it was deleted
	enabled     []string // zones of its load balancer, none while there is no listener
	checked     bool     // tasks have a container health check
	nodes       int      // machines
	zones       []string // each with one subnet of the same name
	full        map[string]bool
	// strategy is the service's capacity provider strategy.
	strategy []ecs.CapacityProviderStrategyItem
	broken   map[string]bool // definitions whose tasks die instead of running
	lost     bool            // roles cannot be assumed: no task can be made
	made     map[string]int  // tasks, by definition
	alarms   map[string]*record.Alarm
	ids      int
	minted   int // deployments
}

func newServiceSim(desired, minimum, maximum int, breaker bool) *serviceSim {
	r := &serviceSim{
		now: time.Unix(1_700_000_000, 0).UTC(), nodes: 1, zones: []string{"a", "b", "c"}, enabled: []string{"a", "b", "c"},
		targets: map[string]*record.ELBTarget{},
		full:    map[string]bool{}, broken: map[string]bool{}, made: map[string]int{},
	}
	r.service = &record.Service{
		Scope: fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}, Cluster: "c",
		Service: ecs.Service{
			ServiceName: new("web"), Status: new("ACTIVE"), DesiredCount: new(int32(desired)),
			DeploymentConfiguration: &ecs.DeploymentConfiguration{
				MinimumHealthyPercent: new(int32(minimum)), MaximumPercent: new(int32(maximum)),
				DeploymentCircuitBreaker: &ecs.DeploymentCircuitBreaker{Enable: &breaker, Rollback: &breaker},
			},
		},
	}
	return r
}

// deploy is what UpdateService does with something that tasks are made from.
func (r *serviceSim) deploy(definition string) *record.Deployment {
	r.copyService()
	network := &ecs.NetworkConfiguration{AwsvpcConfiguration: &ecs.AwsVpcConfiguration{Subnets: slices.Clone(r.zones)}}
	var balancers []ecs.LoadBalancer
	if r.group != "" {
		balancers = []ecs.LoadBalancer{{TargetGroupArn: &r.group, ContainerName: new("app"), ContainerPort: new(int32(80))}}
	}
	r.service.Service.TaskDefinition, r.service.Service.CapacityProviderStrategy, r.service.Throttle = &definition, r.strategy, record.Throttle{}
	revision := ecs.ServiceRevision{TaskDefinition: &definition, NetworkConfiguration: network, LoadBalancers: balancers}
	var previous, rollbackOf *record.Deployment
	if previous = r.find(r.service.Primary); previous != nil {
		rollbackOf = r.find(previous.RollbackOf)
	}
	begun := Begin(r.service, revision, map[string]string{"app": ""}, previous, rollbackOf, r.digits(), r.uuid(), r.now)
	r.put(begun...)
	return begun[0]
}

func (r *serviceSim) find(id string) *record.Deployment {
	for _, d := range r.deployments {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// put keeps deployments in place of what was known of them.
func (r *serviceSim) put(deployments ...*record.Deployment) {
	for _, d := range deployments {
		if i := slices.IndexFunc(r.deployments, func(o *record.Deployment) bool { return o.ID == d.ID }); i >= 0 {
			r.deployments[i] = d
		} else {
			r.deployments = append(r.deployments, d)
		}
	}
}

// current are the deployments that are not retired, the primary one first.
func (r *serviceSim) current() []*record.Deployment {
	out := slices.DeleteFunc(slices.Clone(r.deployments), func(d *record.Deployment) bool { return d.Retired })
	SortDeployments(r.service, out)
	return out
}

// abandon is StopServiceDeployment.
func (r *serviceSim) abandon() (ok bool) {
	r.copyService()
	primary, completed := *r.find(r.service.Primary), r.find(r.service.Completed)
	if completed != nil {
		completed = new(*completed)
	}
	if !Abandon(r.service, &primary, completed, r.uuid(), r.now) {
		return false
	}
	r.put(&primary, completed)
	return true
}

// history are the records of all deployments, the oldest first.
func (r *serviceSim) history() (out []ecs.ServiceDeployment) {
	v := r.view()
	for _, d := range r.deployments {
		out = append(out, History(r.service, d, v.Tasks))
	}
	return out
}

func (r *serviceSim) copyService() {
	c := *r.service
	c.Events = slices.Clone(c.Events)
	r.service = &c
}

func (r *serviceSim) digits() string { r.minted++; return fmt.Sprint(r.minted) }
func (r *serviceSim) uuid() string   { r.ids++; return fmt.Sprintf("%010d", r.ids) }

func (r *serviceSim) make(d *record.Deployment, provider string) (*record.Task, error) {
	if r.lost {
		return nil, fmt.Errorf("ECS was unable to assume the role")
	}
	definition := *d.Revision.TaskDefinition
	r.made[definition]++
	now, id := r.now, d.ID
	t := &record.Task{
		Scope: r.service.Scope, ID: fmt.Sprintf("%s/%d", definition, r.made[definition]), Cluster: "c", Service: "web",
		Status: fargo.TaskProvisioning, Desired: fargo.TaskRunning,
		Network: d.Revision.NetworkConfiguration.AwsvpcConfiguration, LoadBalancers: d.Revision.LoadBalancers,
		Intent: ecs.Task{StartedBy: &id, CreatedAt: &now, TaskDefinitionArn: d.Revision.TaskDefinition, CapacityProviderName: aws.NonZero(provider)},
	}
	if r.checked {
		t.HealthChecked = []string{"app"}
	}
	return t, nil
}

func (r *serviceSim) view() ServiceView {
	v := ServiceView{Alarm: func(name string) *record.Alarm { return r.alarms[name] }, Service: r.service, Groups: r.groups, Make: r.make, UUID: r.uuid, Nodes: r.nodes}
	for _, t := range r.tasks {
		v.Tasks = append(v.Tasks, ServiceTask{Task: t, Targets: r.targetsOf(t), Protected: r.now.Before(t.ProtectedUntil)})
	}
	for _, d := range r.deployments {
		if !d.Retired || d.ID == r.service.Completed {
			v.Deployments = append(v.Deployments, d)
		}
	}
	if d := r.find(r.service.Primary); d != nil {
		for _, z := range d.Revision.NetworkConfiguration.AwsvpcConfiguration.Subnets {
			v.Subnets = append(v.Subnets, ServiceSubnet{ID: z, Zone: z, Free: func() bool { return !r.full[z] }})
		}
	}
	return v
}

func (r *serviceSim) groups(string) GroupUse {
	return GroupUse{Exists: !r.groupGone, Zones: r.enabled}
}

func (r *serviceSim) targetsOf(t *record.Task) []*record.ELBTarget {
	var out []*record.ELBTarget
	for _, ref := range t.Targets {
		if target := r.targets[ref.Key()]; target != nil {
			out = append(out, target)
		}
	}
	return out
}

// plan carries out what the planner wants now, as the service controller does.
func (r *serviceSim) plan() ServiceChanges {
	c := PlanService(r.view(), r.now)
	r.put(c.Deployments...)
	if c.Service != nil {
		r.service = c.Service
	}
	for _, u := range c.Update {
		r.tasks[slices.IndexFunc(r.tasks, func(t *record.Task) bool { return t.ID == u.ID })] = u
	}
	r.tasks = append(r.tasks, c.Launch...)
	for _, ref := range c.Register {
		r.targets[ref.Key()] = &record.ELBTarget{Group: ref.Group, ID: ref.ID, Port: ref.Port, Zone: ref.Zone, RegisteredAt: r.now}
	}
	for _, ref := range c.Deregister {
		t := *r.targets[ref.Key()]
		t.DrainingSince = r.now
		r.targets[ref.Key()] = &t
	}
	return c
}

// place is the task controller: a new task gets its zone and its node, or ends.
func (r *serviceSim) place() (changed bool) {
	for i, t := range r.tasks {
		c := *t
		switch action, _ := NextTaskAction(t, false, r.now); action {
		case TaskPlace:
			var candidates []Candidate
			for _, z := range t.Network.Subnets {
				candidates = append(candidates, Candidate{
					Subnet: z, Zone: z, Prefix: netip.MustParsePrefix(fmt.Sprintf("10.%d.0.0/16", z[0])),
					Load:  r.count(func(o *record.Task) bool { return zoneOf(o) == z && *o.Intent.StartedBy == *t.Intent.StartedBy }),
					Taken: func(netip.Addr) bool { return r.full[z] },
				})
			}
			iface, zone, err := PlaceInterface(t, "eni-"+r.uuid(), candidates)
			if err != nil {
				c.Status, c.Desired, c.StopCode, c.StoppedReason, c.StoppedAt = fargo.TaskStopped, fargo.TaskStopped, fargo.StopTaskFailedToStart, err.Error(), r.now
			} else {
				c.Interface, c.Node, c.Status, c.Intent.AvailabilityZone = &iface, "node", fargo.TaskPending, &zone
			}
		case TaskAbandon:
			c.Status, c.StoppedAt = fargo.TaskStopped, r.now
		default:
			continue
		}
		r.tasks[i], changed = &c, true
	}
	return changed
}

func zoneOf(t *record.Task) string { return aws.Value(t.Intent.AvailabilityZone) }

// settle plans until nothing more is wanted, letting no time pass.
func (r *serviceSim) settle(t interface{ Fatalf(string, ...any) }) (next time.Time) {
	for range 200 {
		c := r.plan()
		placed := r.place()
		if !placed && c.Service == nil && len(c.Deployments)+len(c.Launch)+len(c.Update)+len(c.Register)+len(c.Deregister) == 0 {
			return c.Next
		}
	}
	t.Fatalf("the plan does not come to rest:\n%s", r)
	return time.Time{}
}

// edit replaces a task by a changed copy.
func (r *serviceSim) edit(t *record.Task, change func(*record.Task)) {
	c := *t
	if c.Report != nil {
		c.Report = new(*t.Report)
	}
	change(&c)
	r.tasks[slices.Index(r.tasks, t)] = &c
}

// report is what a node reports of a task.
func (r *serviceSim) report(t *record.Task, status fargo.TaskStatus) {
	r.edit(t, func(c *record.Task) {
		if c.Report == nil {
			c.Report = &desired.TaskReport{Containers: []desired.ContainerReport{{Name: "app"}}}
		}
		c.Report.Status = status
		switch status {
		case fargo.TaskRunning:
			c.Report.StartedAt = r.now
		case fargo.TaskStopped:
			c.Report.StoppedAt = r.now
		}
		if status.Ending() && c.Desired != fargo.TaskStopped {
			c.Desired, c.StopCode, c.StoppedReason = fargo.TaskStopped, fargo.StopEssentialContainerExited, "Essential container in task exited"
		}
	})
}

// health sets the results of a task's health checks, the load balancer's and the
// container's.
func (r *serviceSim) health(t *record.Task, healthy bool) {
	state, container := elbv2.TargetHealthStateEnumUnhealthy, desired.Unhealthy
	if healthy {
		state, container = elbv2.TargetHealthStateEnumHealthy, desired.Healthy
	}
	for _, target := range r.targetsOf(t) {
		if target.DrainingSince.IsZero() {
			c := *target
			c.Health = &elbv2.TargetHealth{State: state, Description: new("Request timed out")}
			r.targets[target.Key()] = &c
		}
	}
	if t.Report != nil {
		r.edit(t, func(c *record.Task) {
			c.Report.Containers = []desired.ContainerReport{{Name: "app", Health: container}}
		})
	}
}

// drained ends the draining of a task's targets.
func (r *serviceSim) drained(t *record.Task) {
	maps.DeleteFunc(r.targets, func(_ string, target *record.ELBTarget) bool {
		return !target.DrainingSince.IsZero() && slices.Contains(r.targetsOf(t), target)
	})
}

// advance moves a task one step on in its life, as a node and a load balancer
// would.
func (r *serviceSim) advance(t *record.Task) {
	switch {
	case t.Stopped() || t.Node == "":
	case t.Held():
		r.drained(t)
	case t.Desired == fargo.TaskStopped || r.broken[*t.Intent.TaskDefinitionArn]:
		r.report(t, fargo.TaskStopped)
	case t.LastStatus().Before(fargo.TaskRunning):
		r.report(t, fargo.TaskRunning)
	default:
		r.health(t, true)
	}
}

func (r *serviceSim) healthOf(t *record.Task) Health {
	grace := time.Duration(aws.Value(r.service.Service.HealthCheckGracePeriodSeconds)) * time.Second
	return EvaluateHealth(t, r.targetsOf(t), r.groups, grace, 1, r.now).Health
}

func (r *serviceSim) count(pass func(*record.Task) bool) int {
	n := 0
	for _, t := range r.tasks {
		if t.Desired == fargo.TaskRunning && !t.Stopped() && pass(t) {
			n++
		}
	}
	return n
}

func all(*record.Task) bool                       { return true }
func (r *serviceSim) healthy(t *record.Task) bool { return r.healthOf(t) == Healthy }

// working tasks run and are not known to be unhealthy, though they may not count as
// healthy yet.
func (r *serviceSim) working(t *record.Task) bool {
	return t.LastStatus() == fargo.TaskRunning && r.healthOf(t) != Unhealthy
}

// String draws the service: a line for each deployment, and one for its tasks.
func (r *serviceSim) String() string {
	var b strings.Builder
	if s := r.service.Status(); s != "ACTIVE" {
		fmt.Fprintln(&b, s)
	}
	for _, d := range r.current() {
		status := "ACTIVE"
		if d.ID == r.service.Primary {
			status = fmt.Sprintf("PRIMARY desired=%d", (&servicePlan{ServiceView: r.view(), s: r.service}).desired())
		}
		fmt.Fprintf(&b, "%s %s %s failed=%d: %s\n", *d.Revision.TaskDefinition, status, d.Rollout, d.FailedTasks, d.Reason)
		for _, t := range r.tasks {
			if *t.Intent.StartedBy == d.ID && !t.Stopped() {
				fmt.Fprintf(&b, "  %-6s %s\n", t.ID, r.draw(t))
			}
		}
	}
	return b.String()
}

func (r *serviceSim) draw(t *record.Task) string {
	words := []string{cmp.Or(zoneOf(t), "-"), string(t.LastStatus()), aws.Value(t.Intent.CapacityProviderName)}
	if t.Desired == fargo.TaskRunning {
		words = append(words, map[Health]string{Healthy: "healthy", Unhealthy: "unhealthy"}[r.healthOf(t)])
		if r.now.Before(t.ProtectedUntil) {
			words = append(words, "protected")
		}
	} else {
		words = append(words, "to stop: "+t.StoppedReason)
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}
