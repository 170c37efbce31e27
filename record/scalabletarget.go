package record

import (
	"time"

	"fargo"
	autoscaling "fargo/aws/applicationautoscaling"
)

// ScalableTarget is a service whose desired count Application Auto Scaling may change.
//
// The API writes Target, Tags and LimitsAt; scheduled actions write the limits in Target,
// and LimitsAt, too. The scaling controller writes the rest.
type ScalableTarget struct {
	Scope  fargo.Scope
	Target autoscaling.ScalableTarget
	Tags   map[string]string `json:",omitempty"`
	// LimitsAt is when the limits were given last, and FittedAt which of them the capacity
	// has been moved inside of.
	LimitsAt time.Time
	FittedAt time.Time `json:",omitzero"`
	// Last is the last change of the capacity.
	Last ScalingStep `json:",omitzero"`
}

// Key is the target's place in the store.
func (t *ScalableTarget) Key() string {
	return ScalingKey(t.Scope, t.Target.ServiceNamespace, *t.Target.ResourceId, t.Target.ScalableDimension)
}

// ScalingKey is where what belongs to a scalable target is in the store: names follow it.
func ScalingKey(scope fargo.Scope, namespace autoscaling.ServiceNamespace, resource string, dimension autoscaling.ScalableDimension, names ...string) string {
	return scope.Key(append([]string{string(namespace), resource, string(dimension)}, names...)...)
}

// ScalingStep is a change of the capacity of a scalable target.
type ScalingStep struct {
	Activity string // the key of the activity
	// From is the capacity before: before the first of several steps that were made within
	// each other's cooldowns.
	From, To int
	// Cooldown is how long to wait when the service has the capacity.
	Cooldown time.Duration `json:",omitzero"`
	// Fulfilled is when it had it; zero while it does not.
	Fulfilled time.Time `json:",omitzero"`
}

// UnderWay reports whether the service does not have the capacity yet.
func (s ScalingStep) UnderWay() bool { return s.Activity != "" && s.Fulfilled.IsZero() }
