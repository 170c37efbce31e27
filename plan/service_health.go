package plan

import (
	"fmt"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/elbv2"
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

// EvaluateHealth says whether a service's task is healthy, by its container health
// checks and its targets. why is the reason to stop an Unhealthy task with. When the
// answer may change by time alone, it does so at next.
// Source: ECS developer guide, "Service definition parameters", on
// healthCheckGracePeriodSeconds and minimumHealthyPercent.
func EvaluateHealth(t *record.Task, targets []*record.ELBTarget, grace time.Duration, pace fargo.Pace, now time.Time) (h Health, why string, next time.Time) {
	if t.LastStatus() != fargo.TaskRunning || t.Report == nil {
		return HealthPending, "", time.Time{}
	}
	started := t.Report.StartedAt
	health := TaskHealth(t.Report.Containers, t.HealthChecked)
	bad := ""
	if len(t.HealthChecked) > 0 && health == ecs.HealthStatusUnhealthy {
		bad = "Task failed container health checks"
	}
	healthy := 0
	for _, target := range targets {
		switch {
		case target.Health == nil:
		case target.Health.State == elbv2.TargetHealthStateEnumHealthy:
			healthy++
		case target.Health.State == elbv2.TargetHealthStateEnumUnhealthy:
			bad = fmt.Sprintf("Task failed ELB health checks in (target-group %s)", target.Group)
		}
	}
	if bad != "" {
		if end := started.Add(pace.Of(grace)); now.Before(end) {
			return HealthPending, "", end
		}
		return Unhealthy, bad, time.Time{}
	}
	switch {
	case len(t.HealthChecked) > 0 && health != ecs.HealthStatusHealthy:
		return HealthPending, "", time.Time{}
	case len(t.LoadBalancers) > 0:
		if len(t.Targets) == len(t.LoadBalancers) && healthy == len(t.Targets) {
			return Healthy, "", time.Time{}
		}
		return HealthPending, "", time.Time{}
	case len(t.HealthChecked) == 0:
		if end := started.Add(pace.Of(settleTime)); now.Before(end) {
			return HealthPending, "", end
		}
	}
	return Healthy, "", time.Time{}
}
