package record

import (
	"fargo"
	autoscaling "fargo/aws/applicationautoscaling"
)

// ScalingActivity is what Application Auto Scaling did, or did not do, to a scalable target.
// The scaling controller writes it.
type ScalingActivity struct {
	Scope    fargo.Scope
	Activity autoscaling.ScalingActivity
}

// Key is the activity's place in the store: those of a target are in the order of their
// beginning.
func (a *ScalingActivity) Key() string {
	return a.TargetKey() + "/" + a.Activity.StartTime.UTC().Format("20060102T150405.000000000") + "/" + *a.Activity.ActivityId
}

// TargetKey is that of the activity's scalable target.
func (a *ScalingActivity) TargetKey() string {
	return ScalingKey(a.Scope, a.Activity.ServiceNamespace, *a.Activity.ResourceId, a.Activity.ScalableDimension)
}
