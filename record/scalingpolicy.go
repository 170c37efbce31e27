package record

import (
	"fargo"
	autoscaling "fargo/aws/applicationautoscaling"
)

// ScalingPolicy is a policy of a scalable target. The API writes it; the names of the alarms
// that call a step scaling policy are looked up.
type ScalingPolicy struct {
	Scope  fargo.Scope
	Policy autoscaling.ScalingPolicy
}

// Key is the policy's place in the store.
func (p *ScalingPolicy) Key() string { return p.TargetKey() + "/" + *p.Policy.PolicyName }

// TargetKey is that of the policy's scalable target.
func (p *ScalingPolicy) TargetKey() string {
	return ScalingKey(p.Scope, p.Policy.ServiceNamespace, *p.Policy.ResourceId, p.Policy.ScalableDimension)
}
