package plan

import (
	"fmt"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/record"
)

// GroupUse is what a service knows of a target group.
type GroupUse struct {
	Exists bool
	IPv6   bool // its targets are IPv6 addresses
	// Zones are those that the group's load balancer is enabled in; there are none
	// when no listener forwards to the group.
	Zones []string
}

// registrationTime is how long a new target may be out of use before its task is
// unhealthy: it keeps a service whose new tasks all have such targets from starting
// and stopping tasks without a pause. ECS takes some time as well, but does not
// document it: the value is our own.
const registrationTime = 10 * time.Second

// targetsVerdict is what the targets of a running task say about it. It is healthy
// when it is so in every target group.
// Source: ECS developer guide, "Use load balancing to distribute Amazon ECS service
// traffic".
func targetsVerdict(t *record.Task, targets []*record.ELBTarget, groups func(arn string) GroupUse, pace fargo.Pace, now time.Time) Verdict {
	all := Verdict{Health: Healthy}
	if len(t.Targets) != len(t.LoadBalancers) {
		all.Health = HealthPending // not registered yet
	}
	for _, ref := range t.Targets {
		var target *record.ELBTarget
		if i := slices.IndexFunc(targets, func(o *record.ELBTarget) bool { return o.Key() == ref.Key() }); i >= 0 {
			target = targets[i]
		}
		switch v := targetVerdict(t, ref, target, groups(ref.Group), pace, now); v.Health {
		case Unhealthy:
			return v
		case HealthPending:
			all.Health = HealthPending
			if all.Event == "" {
				all.Event = v.Event
			}
			if all.Next.IsZero() || !v.Next.IsZero() && v.Next.Before(all.Next) {
				all.Next = v.Next
			}
		}
	}
	return all
}

// targetVerdict is what one target of a task says about it. target is nil when it is
// not registered any more.
// Source: ECS developer guide, "Amazon ECS service event messages", on targets and
// target groups that are not found.
func targetVerdict(t *record.Task, ref record.TargetRef, target *record.ELBTarget, use GroupUse, pace fargo.Pace, now time.Time) Verdict {
	failed := Verdict{Health: Unhealthy, Reason: fmt.Sprintf("Task failed ELB health checks in (target-group %s)", ref.Group)}
	notFound := func(what string) string {
		return fmt.Sprintf("task set (%s) (task %s) is not healthy in target-group (%s) due to %s IS NOT FOUND.", aws.Value(t.Intent.StartedBy), t.ID, ref.Group, what)
	}
	switch {
	case !use.Exists: // another task would be no better
		return Verdict{Event: notFound("TARGET GROUP")}
	case target == nil:
		failed.Event = notFound("TARGET")
		return failed
	}
	shown := TargetHealth(target, use.Zones)
	event := fmt.Sprintf("(task %s) (port %d) is unhealthy in (target-group %s) due to (reason %s).", t.ID, ref.Port, ref.Group, aws.Value(shown.Description))
	health, helpless := shownHealth(shown, len(use.Zones) > 0)
	settles := target.RegisteredAt.Add(pace.Of(registrationTime))
	unused := shown.State == elbv2.TargetHealthStateEnumUnused
	switch {
	case unused && now.Before(settles):
		return Verdict{Next: settles}
	case health == Unhealthy:
		failed.Event = event
		return failed
	case helpless && !t.Settled:
		return Verdict{Health: health, Event: event}
	}
	return Verdict{Health: health}
}

// shownHealth is the health of a task with a target of which DescribeTargetHealth
// shows h. inUse says whether a listener forwards to the target's group; helpless,
// that what keeps a task from being healthy is neither the task nor a matter of time.
//
//   - A target that is unhealthy and drains is unhealthy.
//     Source: NLB user guide, "Draining interval for unhealthy targets".
//   - One that gets no requests though its group does is unhealthy as well: ECS
//     replaces its task.
//     Source: public reports of the event that says so of tasks in a zone that their
//     load balancer lacks, and of the circuit breaker that it sets off.
//   - While the whole group is out of use, tasks keep running, and a deployment waits
//     until there is a listener again. AWS's then waits without a word; that there is
//     an event is our own.
//     Source: aws/containers-roadmap issue 2196.
func shownHealth(h elbv2.TargetHealth, inUse bool) (_ Health, helpless bool) {
	switch h.State {
	case elbv2.TargetHealthStateEnumHealthy:
		return Healthy, false
	case elbv2.TargetHealthStateEnumUnhealthy, elbv2.TargetHealthStateEnumUnhealthyDraining:
		return Unhealthy, false
	case elbv2.TargetHealthStateEnumUnavailable: // it gets requests
		if h.Reason == elbv2.TargetHealthReasonEnumTargetHealthCheckDisabled {
			return Healthy, false
		}
	case elbv2.TargetHealthStateEnumUnused:
		if inUse || h.Reason != elbv2.TargetHealthReasonEnumTargetNotInUse {
			return Unhealthy, false
		}
		return HealthPending, true
	}
	return HealthPending, false
}
