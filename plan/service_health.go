package plan

import (
	"fmt"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/record"
)

// settleTime is how long a task without any health check must have been RUNNING
// before it counts as healthy.
// Source: ECS developer guide, "Deploy Amazon ECS services by replacing tasks".
const settleTime = 40 * time.Second

// Health says whether the service scheduler counts a running task as healthy.
type Health int

// The states of health.
const (
	HealthPending Health = iota // not known yet
	Healthy                     // counts as healthy
	Unhealthy                   // must be replaced
)

// Verdict is what a service makes of a task's health.
type Verdict struct {
	Health Health
	// Reason is why an Unhealthy task is stopped.
	Reason string
	// Event is what the service says of a task that is Unhealthy, or that only
	// somebody else can help to become healthy.
	Event string
	// Next is when the verdict may change by time alone; zero for never.
	Next time.Time
}

// EvaluateHealth says whether a service's task is healthy, by its container health
// checks and its targets, those of them that there are. groups tells how a target
// group is used.
// Source: ECS developer guide, "Service definition parameters", on
// healthCheckGracePeriodSeconds and minimumHealthyPercent.
func EvaluateHealth(t *record.Task, targets []*record.ELBTarget, groups func(arn string) GroupUse, grace time.Duration, pace fargo.Pace, now time.Time) Verdict {
	if t.LastStatus() != fargo.TaskRunning || t.Report == nil {
		return Verdict{}
	}
	started := t.Report.StartedAt
	balanced := targetsVerdict(t, targets, groups, pace, now)
	container := TaskHealth(t.Report.Containers, t.HealthChecked)
	failed := balanced
	if failed.Health != Unhealthy && len(t.HealthChecked) > 0 && container == ecs.HealthStatusUnhealthy {
		failed = Verdict{Unhealthy, "Task failed container health checks", fmt.Sprintf("(task %s) failed container health checks.", t.ID), time.Time{}}
	}
	if failed.Health == Unhealthy {
		if end := started.Add(pace.Of(grace)); now.Before(end) {
			return Verdict{Next: end}
		}
		return failed
	}
	switch {
	case len(t.HealthChecked) > 0 && container != ecs.HealthStatusHealthy:
		balanced.Health = HealthPending
	case len(t.LoadBalancers) == 0 && len(t.HealthChecked) == 0:
		if end := started.Add(pace.Of(settleTime)); now.Before(end) {
			return Verdict{Next: end}
		}
	}
	return balanced
}
