package plan

import (
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// ScalingView is what the decision about a scalable target sees.
type ScalingView struct {
	Target   *record.ScalableTarget
	Policies []ScalingPolicyView
	Desired  int // the service's desired count
	// Deploying is set while the service's deployment is under way.
	Deploying bool
	Pace      fargo.Pace // divides cooldowns
	// Newest is the activity that began last, nil for none.
	Newest *record.ScalingActivity
	UUID   func() string // an activity's id
}

// ScalingPolicyView is a policy with the alarms that call it.
type ScalingPolicyView struct {
	Policy *record.ScalingPolicy
	Alarms []ScalingAlarm
}

// ScalingAlarm is an alarm that calls a policy.
type ScalingAlarm struct {
	Alarm *record.Alarm
	// Values are the datapoints that its state was found from, the newest first; none when
	// nobody knows.
	Values []float64
}

// inAlarm reports whether the alarm calls its policies.
func (a ScalingAlarm) inAlarm() bool {
	return a.Alarm.State.Value == cloudwatch.StateValueAlarm && a.Alarm.ActionsEnabled()
}

// ScalingDecision is what should change.
type ScalingDecision struct {
	Desired  int                     // the service's desired count; as it was, for no change
	Target   *record.ScalableTarget  // nil: as it is
	Activity *record.ScalingActivity // nil: there is none to tell of
}

// PlanScaling decides the capacity of a scalable target from the alarms that call its
// policies now. The policy that wants most capacity is followed, out before in. A capacity
// outside of the limits, which a user has set, is brought inside only on the way that a policy
// wants to go.
// Sources: Application Auto Scaling user guide, "How scaling policies work" and "Define
// cooldown periods"; ECS developer guide, "Automatically scale your Amazon ECS service".
func PlanScaling(v ScalingView, now time.Time) ScalingDecision {
	p := &scalingPlan{ScalingView: v, now: now}
	for _, policy := range v.Policies {
		if policy.Policy.Policy.StepScalingPolicyConfiguration != nil {
			p.step(policy)
		} else {
			p.trackOut(policy)
		}
	}
	p.trackIn()
	return p.conclude()
}

// scalingPlan is a decision in the making.
type scalingPlan struct {
	ScalingView
	now     time.Time
	out, in []proposal
}

// proposal is a capacity that a policy wants.
type proposal struct {
	capacity int
	cooldown *int32 // seconds
	policy   string
	alarm    string
}

// cooldownDefault is that of ECS services. Source: Application Auto Scaling API,
// TargetTrackingScalingPolicyConfiguration and StepScalingPolicyConfiguration.
const cooldownDefault = 300

func (p *scalingPlan) limits() (least, most int) {
	t := &p.Target.Target
	return int(aws.Value(t.MinCapacity)), int(aws.Value(t.MaxCapacity))
}

// cooling reports whether the last change waits for its capacity, or its cooldown has not
// expired.
func (p *scalingPlan) cooling() bool {
	l := p.Target.Last
	return l.UnderWay() || l.Activity != "" && p.now.Before(l.Fulfilled.Add(p.Pace.Of(l.Cooldown)))
}

// base is the capacity that a scale-out begins from: what a scale-out that has not cooled
// down added is part of what the next one adds.
func (p *scalingPlan) base() int {
	if l := p.Target.Last; p.cooling() && l.To > l.From && l.To == p.Desired {
		return l.From
	}
	return p.Desired
}

func most(proposals []proposal) proposal {
	return slices.MaxFunc(proposals, func(a, b proposal) int { return a.capacity - b.capacity })
}

func (p *scalingPlan) conclude() ScalingDecision {
	least, limit := p.limits()
	suspended := p.Target.Target.SuspendedState
	if suspended == nil {
		suspended = &autoscaling.SuspendedState{}
	}
	switch {
	case len(p.out) > 0:
		best := most(p.out)
		to := min(limit, max(least, best.capacity))
		switch {
		case aws.Value(suspended.DynamicScalingOutSuspended):
		case to > p.Desired:
			return p.scale(to, best)
		case p.Desired >= limit:
			return p.notScaled(best, autoscaling.NotScaledReason{Code: new("AlreadyAtMaxCapacity"), MaxCapacity: p.Target.Target.MaxCapacity})
		}
	case len(p.in) > 0:
		best := most(p.in)
		to := min(limit, max(least, best.capacity))
		switch {
		case aws.Value(suspended.DynamicScalingInSuspended), p.Deploying, p.cooling():
		case to < p.Desired:
			return p.scale(to, best)
		case p.Desired <= least:
			return p.notScaled(best, autoscaling.NotScaledReason{Code: new("AlreadyAtMinCapacity"), MinCapacity: p.Target.Target.MinCapacity})
		default:
			return p.notScaled(best, autoscaling.NotScaledReason{Code: new("AutoScalingAnticipatedFlapping")})
		}
	}
	return ScalingDecision{Desired: p.Desired}
}

// scale changes the capacity.
func (p *scalingPlan) scale(to int, because proposal) ScalingDecision {
	a := p.activity(because)
	startSetting(&a.Activity, to)
	from := p.Desired
	if to > p.Desired {
		from = p.base()
	}
	target := *p.Target
	target.Last = record.ScalingStep{
		Activity: a.Key(), From: from, To: to,
		Cooldown: time.Duration(aws.ValueOr(because.cooldown, cooldownDefault)) * time.Second,
	}
	return ScalingDecision{Desired: to, Target: &target, Activity: a}
}

// notScaled tells why nothing changes, unless that has been told last.
func (p *scalingPlan) notScaled(because proposal, reason autoscaling.NotScaledReason) ScalingDecision {
	a := p.activity(because)
	d := ScalingDecision{Desired: p.Desired}
	a.Activity.Description = new("Attempting to scale due to alarm triggered")
	a.Activity.StatusCode = autoscaling.ScalingActivityStatusCodeFailed
	a.Activity.EndTime = &p.now
	a.Activity.NotScaledReasons = []autoscaling.NotScaledReason{reason}
	if n := p.Newest; n != nil && aws.Value(n.Activity.Cause) == *a.Activity.Cause && len(n.Activity.NotScaledReasons) == 1 && *n.Activity.NotScaledReasons[0].Code == *reason.Code {
		return d
	}
	d.Activity = a
	return d
}

func (p *scalingPlan) activity(because proposal) *record.ScalingActivity {
	return newActivity(p.Target, p.UUID(), "monitor alarm "+because.alarm+" in state ALARM triggered policy "+because.policy, p.now)
}
