package record

import (
	"time"

	"fargo"
	autoscaling "fargo/aws/applicationautoscaling"
)

// ScheduledAction is a scheduled action of a scalable target. The API writes it; when it has
// been carried out is a [ScheduleRun].
type ScheduledAction struct {
	Scope  fargo.Scope
	Action autoscaling.ScheduledAction
	// Since is when its schedule began to count: it was made or changed.
	Since time.Time
}

// Key is the action's place in the store.
func (a *ScheduledAction) Key() string { return a.TargetKey() + "/" + *a.Action.ScheduledActionName }

// TargetKey is that of the action's scalable target.
func (a *ScheduledAction) TargetKey() string {
	return ScalingKey(a.Scope, a.Action.ServiceNamespace, *a.Action.ResourceId, a.Action.ScalableDimension)
}
