package plan

import (
	"fmt"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/record"
)

// The texts of activities are those of the Application Auto Scaling user guide, "Scaling
// activities for Application Auto Scaling", and of the AWS CLI's examples.

func newActivity(t *record.ScalableTarget, id, cause string, now time.Time) *record.ScalingActivity {
	return &record.ScalingActivity{Scope: t.Scope, Activity: autoscaling.ScalingActivity{
		ActivityId: &id, ServiceNamespace: t.Target.ServiceNamespace, ResourceId: t.Target.ResourceId,
		ScalableDimension: t.Target.ScalableDimension, Cause: &cause, StartTime: &now,
	}}
}

// startSetting makes an activity one that has set the desired count.
func startSetting(a *autoscaling.ScalingActivity, to int) {
	a.Description = new(fmt.Sprintf("Setting desired count to %d.", to))
	a.StatusCode = autoscaling.ScalingActivityStatusCodeInProgress
	a.StatusMessage = new(fmt.Sprintf("Successfully set desired count to %d. Waiting for change to be fulfilled by ecs.", to))
}

// scalingTimeout is how long a change of capacity may take before it is said to be
// unfulfilled. It is our own: AWS does not document one.
const scalingTimeout = 30 * time.Minute

// FollowView is what is known of a service when a change of its capacity is followed.
type FollowView struct {
	Target   *record.ScalableTarget
	Activity *record.ScalingActivity // that of the last change
	Active   bool                    // whether there is such a service
	Desired  int
	Running  int // tasks of the service
	Pace     fargo.Pace
}

// FollowScaling gives what has become of the change of capacity that is under way; an activity
// of nil says that it still is, and is to be looked at again at next.
func FollowScaling(v FollowView, now time.Time) (target *record.ScalableTarget, activity *record.ScalingActivity, next time.Time) {
	last := v.Target.Last
	due := v.Activity.Activity.StartTime.Add(v.Pace.Of(scalingTimeout))
	var code autoscaling.ScalingActivityStatusCode
	var message string
	switch {
	case !v.Active:
		code, message = autoscaling.ScalingActivityStatusCodeUnfulfilled, "The service is not ACTIVE."
	case v.Desired != last.To:
		code, message = autoscaling.ScalingActivityStatusCodeOverridden, fmt.Sprintf("The desired count was set to %d meanwhile.", v.Desired)
	case v.Running == last.To, last.To > last.From && v.Running > last.To:
		code = autoscaling.ScalingActivityStatusCodeSuccessful
		message = fmt.Sprintf("Successfully set desired count to %d. Change successfully fulfilled by ecs.", last.To)
	case !now.Before(due):
		code, message = autoscaling.ScalingActivityStatusCodeUnfulfilled, fmt.Sprintf("Successfully set desired count to %d. The service has %d running tasks.", last.To, v.Running)
	default:
		return nil, nil, due
	}
	t, a := *v.Target, *v.Activity
	t.Last.Fulfilled = now
	if code != autoscaling.ScalingActivityStatusCodeSuccessful {
		t.Last = record.ScalingStep{}
	}
	a.Activity.StatusCode, a.Activity.StatusMessage, a.Activity.EndTime = code, &message, &now
	return &t, &a, time.Time{}
}

// OverrideActivity ends an activity that another one has taken the place of.
func OverrideActivity(a *record.ScalingActivity, now time.Time) *record.ScalingActivity {
	out := *a
	out.Activity.StatusCode, out.Activity.EndTime = autoscaling.ScalingActivityStatusCodeOverridden, &now
	return &out
}

// FitScaling moves a capacity inside of limits that have just been given.
// Source: Application Auto Scaling API, RegisterScalableTarget and PutScheduledAction.
func FitScaling(v ScalingView, now time.Time) ScalingDecision {
	target := *v.Target
	target.FittedAt = target.LimitsAt
	d := ScalingDecision{Desired: v.Desired, Target: &target}
	least, most := aws.Value(target.Target.MinCapacity), aws.Value(target.Target.MaxCapacity)
	cause := ""
	switch {
	case v.Desired < int(least):
		d.Desired, cause = int(least), fmt.Sprintf("minimum capacity was set to %d", least)
	case v.Desired > int(most):
		d.Desired, cause = int(most), fmt.Sprintf("maximum capacity was set to %d", most)
	default:
		return d
	}
	d.Activity = newActivity(&target, v.UUID(), cause, now)
	startSetting(&d.Activity.Activity, d.Desired)
	target.Last = record.ScalingStep{Activity: d.Activity.Key(), From: v.Desired, To: d.Desired}
	return d
}

// SetDesiredCount gives a service the desired count that an activity has set, and an event,
// under an id, that says so. The service's other intent stays.
// Source: of the text, events of services as AWS was seen to write them.
func SetDesiredCount(s *record.Service, desired int, because *record.ScalingActivity, id string, now time.Time) *record.Service {
	next := *s
	next.Service.DesiredCount = new(int32(desired))
	next.Events = slices.Clone(s.Events)
	addEvent(&next, id, fmt.Sprintf("%s Cause: %s", *because.Activity.StatusMessage, *because.Activity.Cause), now)
	return &next
}

// ScalableTargetKey is where the scalable target of a service is in the store, if it is one.
func ScalableTargetKey(s *record.Service) string {
	return record.ScalingKey(s.Scope, autoscaling.ServiceNamespaceEcs, "service/"+s.Cluster+"/"+s.Name(), autoscaling.ScalableDimensionEcsServiceDesiredCount)
}
