package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/elbv2"
)

// rehearsal is one service with its tasks, and a world that does to them what a
// test wants. Time is a number.
type rehearsal struct {
	service *fargo.Service
	tasks   []*fargo.Task
	targets map[string]*fargo.ELBTarget
	now     time.Time
	ids     int
	group   string // target group, "" for none
	broken  map[string]bool
}

func newRehearsal(desired, minimum, maximum int, breaker bool) *rehearsal {
	r := &rehearsal{now: time.Unix(1_700_000_000, 0), targets: map[string]*fargo.ELBTarget{}, broken: map[string]bool{}}
	r.service = &fargo.Service{
		Scope: fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}, Cluster: "c",
		Service: ecs.Service{
			ServiceName: new("web"), Status: new("ACTIVE"), DesiredCount: new(int32(desired)),
			DeploymentConfiguration: &ecs.DeploymentConfiguration{
				MinimumHealthyPercent: new(int32(minimum)), MaximumPercent: new(int32(maximum)),
				DeploymentCircuitBreaker: &ecs.DeploymentCircuitBreaker{Enable: &breaker, Rollback: &breaker},
			},
		},
	}
	r.deploy("v1")
	return r
}

func (r *rehearsal) deploy(definition string) *fargo.Deployment {
	r.service.Service.TaskDefinition = &definition
	return NewDeployment(r.service, ecs.ServiceRevision{TaskDefinition: &definition}, r.digits(), r.uuid(), r.now)
}

func (r *rehearsal) digits() string { r.ids++; return fmt.Sprintf("%019d", r.ids) }
func (r *rehearsal) uuid() string   { r.ids++; return fmt.Sprintf("uuid-%d", r.ids) }

func (r *rehearsal) make(d *fargo.Deployment) (*fargo.Task, error) {
	r.ids++
	now, id := r.now, d.ID
	t := &fargo.Task{
		Scope: r.service.Scope, ID: fmt.Sprintf("t%03d", r.ids), Cluster: "c", Service: "web",
		Status: fargo.TaskPending, Desired: fargo.TaskRunning,
		Interface: &fargo.Interface{Address: netip.AddrFrom4([4]byte{10, 0, byte(r.ids >> 8), byte(r.ids)})},
		Intent:    ecs.Task{StartedBy: &id, CreatedAt: &now, AvailabilityZone: new(string(rune('a' + r.ids%3))), TaskDefinitionArn: d.Revision.TaskDefinition},
	}
	if r.group != "" {
		t.LoadBalancers = []ecs.LoadBalancer{{TargetGroupArn: &r.group, ContainerName: new("app"), ContainerPort: new(int32(80))}}
	}
	return t, nil
}

func (r *rehearsal) view() ServiceView {
	v := ServiceView{Service: r.service, Make: r.make, NewID: r.digits, UUID: r.uuid, Nodes: 1}
	for _, t := range r.tasks {
		st := ServiceTask{Task: t}
		for _, ref := range t.Targets {
			if target := r.targets[ref.Key()]; target != nil {
				st.Targets = append(st.Targets, target)
			}
		}
		v.Tasks = append(v.Tasks, st)
	}
	return v
}

// plan carries out what the planner wants now.
func (r *rehearsal) plan() ServiceChanges {
	c := PlanService(r.view(), r.now)
	if c.Service != nil {
		r.service = c.Service
	}
	for _, u := range c.Update {
		i := slices.IndexFunc(r.tasks, func(t *fargo.Task) bool { return t.ID == u.ID })
		r.tasks[i] = u
	}
	r.tasks = append(r.tasks, c.Launch...)
	for _, ref := range c.Register {
		r.targets[ref.Key()] = &fargo.ELBTarget{Group: ref.Group, ID: ref.ID, Port: ref.Port, RegisteredAt: r.now}
	}
	for _, ref := range c.Deregister {
		t := *r.targets[ref.Key()]
		t.DrainingSince = r.now
		r.targets[ref.Key()] = &t
	}
	return c
}

// settle plans until nothing more is wanted, letting no time pass.
func (r *rehearsal) settle(t interface{ Fatalf(string, ...any) }) {
	for range 200 {
		c := r.plan()
		if c.Service == nil && len(c.Launch)+len(c.Update)+len(c.Register)+len(c.Deregister) == 0 {
			return
		}
	}
	t.Fatalf("the plan does not come to rest:\n%s", r)
}

func (r *rehearsal) report(t *fargo.Task, status fargo.TaskStatus) {
	i := slices.Index(r.tasks, t)
	c := *t
	report := fargo.TaskReport{Status: status}
	if t.Report != nil {
		report = *t.Report
		report.Status = status
	}
	if status == fargo.TaskRunning {
		report.StartedAt = r.now
	}
	if status == fargo.TaskStopped {
		report.StoppedAt = r.now
		if c.Desired != fargo.TaskStopped {
			c.Desired, c.StopCode, c.StoppedReason = fargo.TaskStopped, fargo.StopEssentialContainerExited, "Essential container in task exited"
		}
	}
	c.Report = &report
	r.tasks[i] = &c
}

// health sets what the load balancer thinks of a task's targets.
func (r *rehearsal) health(t *fargo.Task, state elbv2.TargetHealthStateEnum) {
	for _, ref := range t.Targets {
		if old := r.targets[ref.Key()]; old != nil && old.DrainingSince.IsZero() {
			c := *old
			c.Health = &elbv2.TargetHealth{State: state, Description: new("Request timed out")}
			r.targets[ref.Key()] = &c
		}
	}
}

// advance moves a task one step on in its life: broken definitions' tasks die
// instead of running.
func (r *rehearsal) advance(t *fargo.Task) {
	switch {
	case t.Stopped():
	case t.Desired == fargo.TaskStopped && !t.Held():
		r.report(t, fargo.TaskStopped)
	case t.Held():
		for _, ref := range t.Targets {
			if target := r.targets[ref.Key()]; target != nil && !target.DrainingSince.IsZero() {
				delete(r.targets, ref.Key())
			}
		}
	case r.broken[*t.Intent.TaskDefinitionArn]:
		r.report(t, fargo.TaskStopped)
	case t.LastStatus().Before(fargo.TaskRunning):
		r.report(t, fargo.TaskRunning)
	case len(t.Targets) > 0:
		r.health(t, elbv2.TargetHealthStateEnumHealthy)
	}
}

// String draws the service as the module's timeline does.
func (r *rehearsal) String() string {
	var b strings.Builder
	for _, d := range r.service.Deployments {
		fmt.Fprintf(&b, "%s %s failed=%d %s\n", *d.Revision.TaskDefinition, d.Rollout, d.FailedTasks, d.Reason)
	}
	for _, t := range r.tasks {
		if !t.Stopped() {
			fmt.Fprintf(&b, "[%s %s %s]", *t.Intent.TaskDefinitionArn, t.LastStatus(), t.Desired)
		}
	}
	return b.String()
}

func (r *rehearsal) count(pass func(*fargo.Task) bool) int {
	n := 0
	for _, t := range r.tasks {
		if t.Desired == fargo.TaskRunning && !t.Stopped() && pass(t) {
			n++
		}
	}
	return n
}

func all(*fargo.Task) bool { return true }

func (r *rehearsal) healthy(t *fargo.Task) bool {
	var targets []*fargo.ELBTarget
	for _, ref := range t.Targets {
		if target := r.targets[ref.Key()]; target != nil {
			targets = append(targets, target)
		}
	}
	v, _, _ := Judge(t, targets, 0, 1, r.now)
	return v == Good
}

// ECS API, DeploymentConfiguration: running tasks never exceed maximumPercent,
// healthy ones never fall below minimumHealthyPercent by the scheduler's doing;
// and whatever was done to it, a service left alone becomes steady.
func TestServiceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRehearsal(rapid.IntRange(0, 8).Draw(t, "desired"), rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "minimum"),
			rapid.SampledFrom([]int{150, 200}).Draw(t, "maximum"), rapid.Bool().Draw(t, "breaker"))
		if rapid.Bool().Draw(t, "balanced") {
			r.group = "group"
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			r.disturb(t)
			r.checkedPlan(t)
		}
		r.broken = map[string]bool{}
		r.converge(t)
	})
}

func (r *rehearsal) disturb(t *rapid.T) {
	switch rapid.IntRange(0, 9).Draw(t, "what") {
	case 0:
		r.copyService()
		r.service.Service.DesiredCount = new(int32(rapid.IntRange(0, 8).Draw(t, "desired")))
	case 1:
		r.copyService()
		definition := fmt.Sprintf("v%d", rapid.IntRange(1, 4).Draw(t, "version"))
		r.broken[definition] = rapid.IntRange(0, 3).Draw(t, "broken") == 0
		r.deploy(definition)
	case 2:
		if len(r.tasks) > 0 {
			if task := r.draw(t); !task.Stopped() {
				r.report(task, fargo.TaskStopped)
			}
		}
	case 3:
		if len(r.tasks) > 0 {
			r.health(r.draw(t), elbv2.TargetHealthStateEnumUnhealthy)
		}
	default:
		r.now = r.now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "seconds")) * time.Second)
		if len(r.tasks) > 0 {
			r.advance(r.draw(t))
		}
	}
}

func (r *rehearsal) draw(t *rapid.T) *fargo.Task {
	return r.tasks[rapid.IntRange(0, len(r.tasks)-1).Draw(t, "task")]
}

func (r *rehearsal) copyService() {
	c := *r.service
	c.Deployments = slices.Clone(c.Deployments)
	r.service = &c
}

// checkedPlan plans once and holds the scheduler to its bounds.
func (r *rehearsal) checkedPlan(t *rapid.T) {
	before, healthy, working := r.count(all), r.count(r.healthy), r.count(r.working)
	c := r.plan()
	lower, upper := Bounds(r.service, r.service.DesiredCount())
	after := r.count(all)
	if len(c.Launch) > 0 && after > upper {
		t.Fatalf("%d tasks wanted, at most %d allowed (%d before):\n%s", after, upper, before, r)
	}
	if left := r.count(r.healthy); left < healthy && left < lower {
		t.Fatalf("%d healthy tasks left of %d, at least %d needed:\n%s", left, healthy, lower, r)
	}
	if left := r.count(r.working); left < working && left < lower {
		t.Fatalf("%d working tasks left of %d, at least %d needed:\n%s", left, working, lower, r)
	}
}

// working tasks run and are not known to be bad, though they may not count as
// healthy yet.
func (r *rehearsal) working(t *fargo.Task) bool {
	var targets []*fargo.ELBTarget
	for _, ref := range t.Targets {
		if target := r.targets[ref.Key()]; target != nil {
			targets = append(targets, target)
		}
	}
	v, _, _ := Judge(t, targets, 0, 1, r.now)
	return t.LastStatus() == fargo.TaskRunning && v != Bad
}

// converge lets everything go well and demands that the service becomes steady
// with healthy tasks of its newest deployment only.
func (r *rehearsal) converge(t interface{ Fatalf(string, ...any) }) {
	if r.service.Deployments[0].Rollout == ecs.DeploymentRolloutStateFailed {
		r.copyService()
		r.deploy("fixed")
	}
	if lower, upper := Bounds(r.service, r.service.DesiredCount()); lower >= upper {
		// Nothing can move: the user does what the event says.
		r.copyService()
		r.service.Service.DeploymentConfiguration = &ecs.DeploymentConfiguration{}
	}
	for range 400 {
		r.now = r.now.Add(time.Minute)
		for _, task := range slices.Clone(r.tasks) {
			if slices.Contains(r.tasks, task) {
				r.advance(task)
			}
		}
		r.settle(t)
		if !r.service.SteadyAt.IsZero() {
			break
		}
	}
	d := r.service.Deployments[0]
	fresh := r.count(func(task *fargo.Task) bool { return *task.Intent.StartedBy == d.ID && r.healthy(task) })
	if r.service.SteadyAt.IsZero() || len(r.service.Deployments) != 1 || fresh != r.service.DesiredCount() || r.count(all) != fresh || d.Rollout != ecs.DeploymentRolloutStateCompleted {
		t.Fatalf("not steady:\n%s", r)
	}
}

// ECS developer guide, circuit breaker: a deployment whose tasks never run ends
// FAILED after the threshold, and the last completed revision comes back.
func TestBreakerEnds(t *testing.T) {
	for _, desired := range []int{1, 3, 10, 25} {
		r := newRehearsal(desired, 100, 200, true)
		r.settle(t)
		r.converge(t)
		r.copyService()
		r.broken["v2"] = true
		r.deploy("v2")
		threshold, _ := Breaker(r.service.Service.DeploymentConfiguration, desired)
		for range 40 {
			r.settle(t)
			if len(r.service.Deployments) > 0 && r.service.Deployments[0].RollbackOf != "" {
				break
			}
			r.now = r.now.Add(time.Hour)
			for _, task := range slices.Clone(r.tasks) {
				r.advance(task)
			}
		}
		d := r.service.Deployments[0]
		if *d.Revision.TaskDefinition != "v1" || d.RollbackOf == "" {
			t.Fatalf("desired %d: no way back after %d failures:\n%s", desired, threshold, r)
		}
		if healthy := r.count(r.healthy); healthy != desired {
			t.Errorf("desired %d: %d healthy tasks after the rollback", desired, healthy)
		}
		r.converge(t)
	}
}
