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

// Verdict is what the service scheduler makes of a running task.
type Verdict int

// The verdicts.
const (
	Unsettled Verdict = iota // not known yet
	Good                     // counts as healthy
	Bad                      // must be replaced
)

// Judge says whether a service's task is healthy, by its container health
// checks and its targets. why is the reason to stop a Bad task with. When the
// verdict may change by time alone, it does so at next.
// Source: ECS developer guide, "Service definition parameters", on
// healthCheckGracePeriodSeconds and minimumHealthyPercent.
func Judge(t *record.Task, targets []*record.ELBTarget, grace time.Duration, pace fargo.Pace, now time.Time) (v Verdict, why string, next time.Time) {
	if t.LastStatus() != fargo.TaskRunning || t.Report == nil {
		return Unsettled, "", time.Time{}
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
			return Unsettled, "", end
		}
		return Bad, bad, time.Time{}
	}
	switch {
	case len(t.HealthChecked) > 0 && health != ecs.HealthStatusHealthy:
		return Unsettled, "", time.Time{}
	case len(t.LoadBalancers) > 0:
		if len(t.Targets) == len(t.LoadBalancers) && healthy == len(t.Targets) {
			return Good, "", time.Time{}
		}
		return Unsettled, "", time.Time{}
	case len(t.HealthChecked) == 0:
		if end := started.Add(pace.Of(settleTime)); now.Before(end) {
			return Unsettled, "", end
		}
	}
	return Good, "", time.Time{}
}
