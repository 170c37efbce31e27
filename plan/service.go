package plan

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/record"
)

// ServiceView is what the service scheduler sees of one service.
type ServiceView struct {
	Service *record.Service
	// Deployments are those that are not retired, and the one that was completed
	// last, in any order.
	Deployments []*record.Deployment
	Tasks       []ServiceTask // all that are kept, ended ones too, oldest first
	Nodes       int           // machines, for DAEMON services
	// Subnets are those that tasks of the primary deployment may be in.
	Subnets []ServiceSubnet
	// Groups tells how a target group is used.
	Groups func(arn string) GroupUse
	// Alarm finds an alarm of CloudWatch by its name; nil when there is none. nil: there are
	// none at all.
	Alarm func(name string) *record.Alarm
	Pace  fargo.Pace
	// Make makes a new task of a deployment, of a capacity provider or "" for
	// none; nobody knows it yet. An error is the reason why ECS cannot launch it.
	Make func(d *record.Deployment, provider string) (*record.Task, error)
	UUID func() string // an event's id
}

// ServiceSubnet is a subnet that a service's tasks may be in.
type ServiceSubnet struct {
	ID, Zone string
	Free     func() bool // whether an address is free in it
}

// ServiceTask is a task of a service.
type ServiceTask struct {
	Task      *record.Task
	Targets   []*record.ELBTarget // where it is registered now
	Protected bool                // against scale-in and deployments
}

// ServiceChanges is what should change. Tasks, deployments and services are new
// values, to be put in place of the old ones.
type ServiceChanges struct {
	Service     *record.Service // nil: as it is
	Deployments []*record.Deployment
	Launch      []*record.Task
	Update      []*record.Task // with other desired status, or taken note of
	// Register and Deregister are targets to add, and to begin to drain.
	Register   []record.TargetRef
	Deregister []record.TargetRef
	// Next is when to look again though nothing happens; zero for never.
	Next time.Time
}

// PlanService decides what a service needs now. It never lets more than
// maximumPercent of the desired count be wanted to run, and never stops a
// healthy task when that would leave fewer than minimumHealthyPercent.
func PlanService(v ServiceView, now time.Time) ServiceChanges {
	p := newServicePlan(v, now)
	p.observe()
	switch p.s.Status() {
	case "DRAINING":
		p.drain()
	case "ACTIVE":
		p.configure()
		p.breakCircuit()
		p.heedAlarms()
		p.strategy().advance()
		p.conclude()
		p.rebalance()
		p.sayWaiting()
	}
	p.keepTargets()
	return p.changes()
}

// servicePlan is a plan in the making: copies of the service and its deployments,
// and its tasks sorted into what they are to the plan.
type servicePlan struct {
	ServiceView
	s   *record.Service
	now time.Time

	deployments []*record.Deployment // the primary one first, then the newest first
	tasks       []*member
	launched    []*record.Task
	providers   map[string]map[string]int // tasks of each deployment by capacity provider
	register    []record.TargetRef
	deregister  []record.TargetRef
	draining    map[string]int // tasks of each deployment that begin to leave their target groups
	next        time.Time
	changed     bool // the service itself
	failing     bool // the circuit breaker is about to end the newest deployment
	sick        int  // unhealthy tasks of the newest deployment that were stopped
	steady      bool // it has what it should have, all healthy
	shrunk      bool // tasks more than desired are being stopped
	lost        bool // a task of the newest deployment ended before it was healthy
}

func newServicePlan(v ServiceView, now time.Time) *servicePlan {
	s := *v.Service
	s.Events = slices.Clone(s.Events)
	p := &servicePlan{ServiceView: v, s: &s, now: now, providers: map[string]map[string]int{}, draining: map[string]int{}}
	for _, d := range v.Deployments {
		c := *d
		p.deployments = append(p.deployments, &c)
	}
	SortDeployments(&s, p.deployments)
	return p
}

// member is a task with its health. task is replaced by a copy when it is to
// change.
type member struct {
	ServiceTask
	task    *record.Task
	changed bool
	Verdict
}

func (m *member) edit() *record.Task {
	if !m.changed {
		c := *m.task
		m.task, m.changed = &c, true
	}
	return m.task
}

// wanted: it runs or is on its way to, and nobody has asked it to stop.
func (m *member) wanted() bool { return m.task.Desired == fargo.TaskRunning && !m.task.Stopped() }

func (m *member) deployment() string { return aws.Value(m.task.Intent.StartedBy) }

func (p *servicePlan) requeue(at time.Time) {
	if !at.IsZero() && (p.next.IsZero() || at.Before(p.next)) {
		p.next = at
	}
}

// observe evaluates the health of every task and takes note of those that became healthy or
// ended since the last time.
func (p *servicePlan) observe() {
	grace := time.Duration(aws.Value(p.s.Service.HealthCheckGracePeriodSeconds)) * time.Second
	for _, t := range p.Tasks {
		m := &member{ServiceTask: t, task: t.Task}
		if m.wanted() {
			m.Verdict = EvaluateHealth(t.Task, t.Targets, p.Groups, grace, p.Pace, p.now)
			p.requeue(m.Next)
			if t.Protected {
				p.requeue(t.Task.ProtectedUntil)
			}
		}
		p.tasks = append(p.tasks, m)
		d := p.find(m.deployment())
		if d != nil {
			resolveImages(d, t.Task)
		}
		if t.Task.LastStatus() == fargo.TaskRunning && p.s.Throttle.Failures > 0 && t.Task.Report.StartedAt.After(p.s.Throttle.Last) {
			p.s.Throttle, p.changed = record.Throttle{}, true
		}
		if m.Health == Healthy && !t.Task.Settled {
			m.edit().Settled = true
			if d != nil {
				d.FailedTasks = 0
				p.countHealthy(d)
			}
		}
		if t.Task.Desired == fargo.TaskStopped && !t.Task.Counted {
			m.edit().Counted = true
			p.countEnd(m, d)
		}
	}
}

// countEnd takes note of a task's end as soon as it has begun, before the task is
// replaced. One that ended by itself before it was
// healthy is a failure of its deployment, and to the circuit breaker one that
// failed its health checks later is too; one that never ran slows down the
// launches to come. What a user stops, or a lost node, is no failure.
// Source: ECS developer guide, "How the Amazon ECS deployment circuit breaker
// detects failures" and "Amazon ECS service throttle logic".
func (p *servicePlan) countEnd(m *member, d *record.Deployment) {
	t := m.task
	if t.StopCode == fargo.StopUserInitiated || t.StopCode == fargo.StopTerminationNotice || (t.StopCode == fargo.StopServiceSchedulerInitiated && !strings.HasPrefix(t.StoppedReason, "Task failed ")) {
		return
	}
	if d != nil {
		countFailure(d, t)
	}
	if d != nil && !t.Settled {
		d.FailedTasks++
		p.lost = p.lost || d.ID == p.primary().ID
	}
	if ran := t.Report != nil && !t.Report.StartedAt.IsZero(); !ran {
		p.throttle()
	}
}

func (p *servicePlan) find(id string) *record.Deployment {
	for _, d := range p.deployments {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// primary is what the service should become.
func (p *servicePlan) primary() *record.Deployment { return p.deployments[0] }

// of gives the tasks of deployment d (of any, for nil) that are wanted and pass.
func (p *servicePlan) of(d *record.Deployment, pass func(*member) bool) []*member {
	var out []*member
	for _, m := range p.tasks {
		if m.wanted() && (d == nil || m.deployment() == d.ID) && (pass == nil || pass(m)) {
			out = append(out, m)
		}
	}
	return out
}

func isHealthy(m *member) bool   { return m.Health == Healthy }
func isUnhealthy(m *member) bool { return m.Health == Unhealthy }

func mayBeHealthy(m *member) bool { return m.Health != Unhealthy }

// old passes the tasks of every deployment but the newest.
func (p *servicePlan) old() []*member {
	id := p.primary().ID
	return p.of(nil, func(m *member) bool { return m.deployment() != id })
}

// stop asks tasks to end.
func (p *servicePlan) stop(tasks []*member, reason string) {
	p.end(tasks, reason)
	p.sayStopped(tasks)
}

func (p *servicePlan) end(tasks []*member, reason string) {
	for _, m := range tasks {
		t := m.edit()
		t.Desired, t.StopCode, t.StoppedReason, t.StoppingAt = fargo.TaskStopped, fargo.StopServiceSchedulerInitiated, reason, p.now
	}
}

// drain ends a service that was deleted: it is INACTIVE once its tasks have left
// their targets and are being stopped.
// Source: ECS API, DeleteService.
func (p *servicePlan) drain() {
	if left := p.of(nil, nil); len(left) > 0 {
		p.stop(left, p.scalingReason())
	}
	for _, m := range p.tasks {
		if m.task.LastStatus().Before(fargo.TaskStopping) || m.task.Held() {
			return
		}
	}
	p.s.Service.Status = new("INACTIVE")
	p.s.InactiveAt, p.changed = p.now, true
	p.s.Primary = ""
	for _, d := range p.deployments {
		p.retire(d)
	}
}

// changes is the finished plan.
func (p *servicePlan) changes() ServiceChanges {
	c := ServiceChanges{Launch: p.launched, Register: p.register, Deregister: p.deregister, Next: p.next}
	if p.changed {
		c.Service = p.s
	}
	for _, m := range p.tasks {
		if m.changed {
			c.Update = append(c.Update, m.task)
		}
	}
	for _, d := range p.Deployments {
		if next := p.find(d.ID); !reflect.DeepEqual(d, next) {
			next.UpdatedAt = p.now
			c.Deployments = append(c.Deployments, next)
		}
	}
	return c
}

// Bounds are how few healthy and how many tasks a service may have during a
// deployment.
// Source: ECS API, DeploymentConfiguration: the lower bound is rounded up, the
// upper one down.
func Bounds(s *record.Service, desired int) (lower, upper int) {
	minimum, maximum := 100, 200
	if s.Daemon() {
		minimum, maximum = 0, 100
	}
	if c := s.Service.DeploymentConfiguration; c != nil {
		if c.MinimumHealthyPercent != nil {
			minimum = int(*c.MinimumHealthyPercent)
		}
		if c.MaximumPercent != nil && !s.Daemon() {
			maximum = int(*c.MaximumPercent)
		}
	}
	return (desired*minimum + 99) / 100, desired * maximum / 100
}
