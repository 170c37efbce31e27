package plan

import (
	"fmt"
	"strings"
	"time"

	"fargo/aws"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/record"
	"fargo/schedule"
)

// StepScheduledAction decides about a scheduled action of Application Auto Scaling: what is
// not given a start is first due a period after it was made.
// Source: Application Auto Scaling API, PutScheduledAction.
func StepScheduledAction(a *record.ScheduledAction, run *record.ScheduleRun, now time.Time) ScheduleStep {
	d := &a.Action
	x, err := schedule.Parse(*d.Schedule)
	if err != nil {
		return ScheduleStep{} // PutScheduledAction has refused it
	}
	zone, err := time.LoadLocation(aws.Value(d.Timezone))
	if err != nil {
		return ScheduleStep{}
	}
	start, first := a.Since, a.Since
	if d.StartTime != nil && !x.IsAt() && d.StartTime.After(start) {
		start = *d.StartTime
		first = start.Add(-1) // the start may be due itself
	}
	step := stepSchedule(x, start, lastRun(run, a.Since, first), zone, now)
	if d.EndTime != nil && !x.IsAt() {
		step = step.before(*d.EndTime)
	}
	return step
}

// ScheduledScaling gives a scalable target the limits of an action that is due, and what is
// told of that. target is nil when the limits cannot be, or may not change.
func ScheduledScaling(t *record.ScalableTarget, a *record.ScheduledAction, id string, now time.Time) (target *record.ScalableTarget, activity *record.ScalingActivity) {
	if s := t.Target.SuspendedState; s != nil && aws.Value(s.ScheduledScalingSuspended) {
		return nil, nil
	}
	least, most := a.Action.ScalableTargetAction.MinCapacity, a.Action.ScalableTargetAction.MaxCapacity
	activity = newActivity(t, id, "scheduled action name "+*a.Action.ScheduledActionName+" was triggered", now)
	var set []string
	next := *t
	if least != nil {
		next.Target.MinCapacity = least
		set = append(set, fmt.Sprintf("min capacity to %d", *least))
	}
	if most != nil {
		next.Target.MaxCapacity = most
		set = append(set, fmt.Sprintf("max capacity to %d", *most))
	}
	limits := strings.Join(set, " and ")
	d := &activity.Activity
	d.Description, d.EndTime = new("Setting "+limits), &now
	if *next.Target.MinCapacity > *next.Target.MaxCapacity {
		d.StatusCode = autoscaling.ScalingActivityStatusCodeFailed
		d.StatusMessage = new(fmt.Sprintf("Failed to set %s. Reason: the minimum capacity would be %d and the maximum capacity %d.", limits, *next.Target.MinCapacity, *next.Target.MaxCapacity))
		return nil, activity
	}
	next.LimitsAt = now
	d.StatusCode, d.StatusMessage = autoscaling.ScalingActivityStatusCodeSuccessful, new("Successfully set "+limits)
	return &next, activity
}
