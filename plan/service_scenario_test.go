package plan

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/aws/cloudwatch"
	"fargo/aws/ecs"
	"fargo/record"
)

// TestServiceScenarios runs the scenarios in testdata/service. What comes of a command
// are the new events, then the service with its deployments and the tasks that have
// not stopped.
// Tasks are named by pattern: v1/2, v1/*, */*. The commands:
//
//	service OPTION…       a new service of v1
//	update [V] OPTION…    UpdateService; V, force and zones begin a deployment
//	run TASK…             those on their way are RUNNING
//	healthy TASK…         their health checks pass
//	sick TASK…            their health checks fail
//	failing TASK…         they begin to end by themselves
//	fail TASK…            they end by themselves
//	user-stop TASK…       StopTask
//	stopped               what was told to stop has stopped
//	drained               what was draining has drained
//	protect TIME TASK…    UpdateTaskProtection
//	unregister TASK…      their targets are deregistered and gone
//	balance ZONE…         the zones of the load balancer; with none, its listener is gone
//	delete-group          DeleteTargetGroup
//	alarm NAME STATE      an alarm of two minutes is in a state
//	full ZONE / free ZONE the zone's subnet has no address left, or has again
//	tick TIME             time passes
//	stop-deployment       StopServiceDeployment
//	delete                DeleteService
//	history               the records of the deployments
//
// The options: desired=N min=PERCENT max=PERCENT breaker=off|on|rollback
// threshold=TYPE:N reset=on|off
// alarms=NAME,… rollback-alarms=NAME,… grace=TIME strategy=PROVIDER:WEIGHT:BASE,… rebalance zones=a,b nodes=N target daemon checked force.
func TestServiceScenarios(t *testing.T) {
	scenarios(t, "testdata/service", func() func(*testing.T, string) string { return new(scenario).do })
}

type scenario struct {
	*serviceSim
}

func (s *scenario) do(t *testing.T, command string) string {
	words := strings.Fields(command)
	if words[0] == "service" {
		s.serviceSim = newServiceSim(1, 100, 200, false)
		s.options(t, words[1:])
		s.deploy("v1")
		return s.show(t, nil)
	}
	before := s.service.Events
	if words[0] == "history" {
		return s.records()
	}
	s.act(t, words[0], words[1:])
	return s.show(t, before)
}

func (s *scenario) act(t *testing.T, verb string, args []string) {
	switch verb {
	case "update":
		s.update(t, args)
	case "tick":
		s.now = s.now.Add(duration(t, args[0]))
	case "full", "free":
		s.full[args[0]] = verb == "full"
	case "protect":
		until := s.now.Add(duration(t, args[0]))
		s.each(t, args[1:], func(task *record.Task) { s.edit(task, func(c *record.Task) { c.ProtectedUntil = until }) })
	case "balance":
		s.enabled = args
	case "alarm":
		if s.alarms == nil {
			s.alarms = map[string]*record.Alarm{}
		}
		s.alarms[args[0]] = &record.Alarm{
			Metric: &cloudwatch.MetricAlarm{Period: new(int32(60)), EvaluationPeriods: new(int32(2))}, State: record.AlarmState{Value: cloudwatch.StateValue(args[1])},
		}
	case "delete-group":
		s.groupGone, s.targets = true, map[string]*record.ELBTarget{}
	case "stop-deployment":
		if !s.abandon() {
			t.Fatal("nothing to go back to")
		}
	case "delete":
		s.copyService()
		s.service.Service.Status, s.service.Service.DesiredCount = new("DRAINING"), new(int32(0))
	case "stopping", "stopped":
		s.each(t, []string{"*/*"}, func(task *record.Task) {
			if task.Desired == fargo.TaskStopped && !task.Held() {
				s.report(task, fargo.TaskStatus(strings.ToUpper(verb)))
			}
		})
	case "drained":
		s.each(t, []string{"*/*"}, s.drained)
	default:
		s.each(t, args, s.taskCommand(t, verb))
	}
}

// taskCommand is what a verb does to one task.
func (s *scenario) taskCommand(t *testing.T, verb string) func(*record.Task) {
	switch verb {
	case "run":
		return func(task *record.Task) {
			if task.LastStatus().Before(fargo.TaskRunning) {
				s.report(task, fargo.TaskRunning)
			}
		}
	case "healthy":
		return func(task *record.Task) { s.health(task, true) }
	case "sick":
		return func(task *record.Task) { s.health(task, false) }
	case "unregister":
		return func(task *record.Task) {
			for _, ref := range task.Targets {
				delete(s.targets, ref.Key())
			}
		}
	case "failing":
		return func(task *record.Task) { s.report(task, fargo.TaskDeprovisioning) }
	case "fail":
		return func(task *record.Task) { s.report(task, fargo.TaskStopped) }
	case "user-stop":
		return func(task *record.Task) {
			s.edit(task, func(c *record.Task) {
				c.Desired, c.StopCode, c.StoppedReason = fargo.TaskStopped, fargo.StopUserInitiated, "Task stopped by user"
			})
		}
	}
	t.Fatalf("unknown command %q", verb)
	return nil
}

func (s *scenario) each(t *testing.T, patterns []string, do func(*record.Task)) {
	for _, p := range patterns {
		found := false
		for _, task := range slices.Clone(s.tasks) {
			ok, err := path.Match(p, task.ID)
			if err != nil {
				t.Fatal(err)
			}
			found = found || ok
			if ok && !task.Stopped() {
				do(task)
			}
		}
		if !found {
			t.Fatalf("no task is %q", p)
		}
	}
}

func (s *scenario) update(t *testing.T, args []string) {
	s.copyService()
	s.service.Throttle, s.service.Rebalance.Rest = record.Throttle{}, time.Time{}
	definition, anew := *s.find(s.service.Primary).Revision.TaskDefinition, false // as shown
	if len(args) > 0 && strings.HasPrefix(args[0], "v") {
		definition, anew, args = args[0], true, args[1:]
	}
	anew = s.options(t, args) || anew
	if anew {
		s.deploy(definition)
	}
}

// options sets what a call names; anew is whether that begins a deployment.
func (s *scenario) options(t *testing.T, options []string) (anew bool) {
	shape := &s.service.Service
	c := *shape.DeploymentConfiguration
	shape.DeploymentConfiguration = &c
	for _, o := range options {
		name, arg, _ := strings.Cut(o, "=")
		switch name {
		case "desired":
			shape.DesiredCount = new(int32(number32(t, arg)))
		case "min":
			c.MinimumHealthyPercent = new(int32(number32(t, arg)))
		case "max":
			c.MaximumPercent = new(int32(number32(t, arg)))
		case "breaker":
			c.DeploymentCircuitBreaker = &ecs.DeploymentCircuitBreaker{Enable: new(arg != "off"), Rollback: new(arg == "rollback")}
		case "threshold", "reset":
			b := *record.CompleteBreaker(c.DeploymentCircuitBreaker)
			if kind, n, ok := strings.Cut(arg, ":"); ok {
				b.ThresholdConfiguration = &ecs.ThresholdConfiguration{Type: ecs.ThresholdType(kind), Value: new(int32(number32(t, n)))}
			} else {
				b.ResetOnHealthyTask = new(arg == "on")
			}
			c.DeploymentCircuitBreaker = &b
		case "alarms", "rollback-alarms":
			c.Alarms = &ecs.DeploymentAlarms{AlarmNames: strings.Split(arg, ","), Enable: new(true), Rollback: new(name == "rollback-alarms")}
		case "grace":
			shape.HealthCheckGracePeriodSeconds = new(int32(duration(t, arg).Seconds()))
		case "strategy":
			s.strategy = providers(t, arg)
			if d := s.find(s.service.Primary); d != nil {
				d = new(*d)
				d.Template.CapacityProviderStrategy = s.strategy
				s.put(d)
			}
		case "rebalance":
			shape.AvailabilityZoneRebalancing = ecs.AvailabilityZoneRebalancingEnabled
			if arg == "off" {
				shape.AvailabilityZoneRebalancing = ecs.AvailabilityZoneRebalancingDisabled
			}
		case "zones":
			s.zones, anew = strings.Split(arg, ","), true
		case "nodes":
			s.nodes = number32(t, arg)
		case "daemon":
			shape.SchedulingStrategy, shape.DesiredCount = ecs.SchedulingStrategyDaemon, nil
		case "target":
			s.group = "tg"
		case "checked":
			s.checked = true
		case "force":
			anew = true
		default:
			t.Fatalf("unknown option %q", o)
		}
	}
	return anew
}

// show lets the planner come to rest and tells what came of it.
func (s *scenario) show(t *testing.T, before []ecs.ServiceEvent) string {
	next := s.settle(t)
	var b strings.Builder
	fresh := s.service.Events[:len(s.service.Events)-len(before)]
	for _, e := range slices.Backward(fresh) {
		fmt.Fprintln(&b, strings.TrimPrefix(*e.Message, "(service web) "))
	}
	b.WriteString(s.String())
	if !next.IsZero() {
		fmt.Fprintf(&b, "look again in %v\n", next.Sub(s.now))
	}
	return strings.TrimSpace(b.String())
}

func (s *scenario) records() string {
	var b strings.Builder
	for i, h := range s.history() {
		c := h.DeploymentCircuitBreaker
		fmt.Fprintf(&b, "%d %s, circuit breaker %s %d/%d", i+1, h.Status, c.Status, *c.FailureCount, *c.Threshold)
		if h.StatusReason != nil {
			fmt.Fprintf(&b, ": %s", *h.StatusReason)
		}
		b.WriteString("\n")
	}
	return strings.TrimSpace(b.String())
}

func number32(t *testing.T, s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func providers(t *testing.T, arg string) []ecs.CapacityProviderStrategyItem {
	var out []ecs.CapacityProviderStrategyItem
	for item := range strings.SplitSeq(arg, ",") {
		w := strings.Split(item, ":")
		out = append(out, ecs.CapacityProviderStrategyItem{
			CapacityProvider: &w[0], Weight: new(int32(number32(t, w[1]))), Base: new(int32(number32(t, w[2]))),
		})
	}
	return out
}

func duration(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
