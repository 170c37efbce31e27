package store

import "fargo/record"

// ScalableTargets are those of Application Auto Scaling, by account, region, namespace,
// resource and dimension.
var ScalableTargets = NewTable("scalabletarget", (*record.ScalableTarget).Key)

// ScalingPolicyByARN is the index of scaling policies by their ARN.
const ScalingPolicyByARN = "arn"

// ScalingPolicies are the policies of scalable targets, by their target's key and their name.
var ScalingPolicies = NewTable("scalingpolicy", (*record.ScalingPolicy).Key,
	Index[record.ScalingPolicy]{ScalingPolicyByARN, func(p *record.ScalingPolicy) []string { return []string{*p.Policy.PolicyARN} }})

// ScheduledActions are those of scalable targets, by their target's key and their name.
var ScheduledActions = NewTable("scheduledaction", (*record.ScheduledAction).Key)

// ScalingActivities are what was done to scalable targets, by their target's key and time.
var ScalingActivities = NewTable("scalingactivity", (*record.ScalingActivity).Key)

// FindScalingPolicy finds a policy by its ARN, as alarms have it.
func FindScalingPolicy(r Reader, arn string) (*record.ScalingPolicy, bool) {
	for p := range ScalingPolicies.By(r, ScalingPolicyByARN, arn) {
		return p, true
	}
	return nil, false
}

// DeleteScalingPolicy deletes a policy, with the alarms that were made for it.
func DeleteScalingPolicy(tx *Tx, p *record.ScalingPolicy) {
	for _, a := range p.Policy.Alarms {
		Alarms.Delete(tx, p.Scope.Key(*a.AlarmName))
	}
	ScalingPolicies.Delete(tx, p.Key())
}

// DeleteScheduledAction deletes a scheduled action, with its last run.
func DeleteScheduledAction(tx *Tx, a *record.ScheduledAction) {
	ScheduledActions.Delete(tx, a.Key())
	ScheduleRuns.Delete(tx, *a.Action.ScheduledActionARN)
}

// DeleteScalableTarget deletes a scalable target, with its policies and scheduled actions.
// What was done to it stays known.
// Source: Application Auto Scaling API, DeregisterScalableTarget.
func DeleteScalableTarget(tx *Tx, t *record.ScalableTarget) {
	for p := range ScalingPolicies.Prefix(tx, t.Key()+"/") {
		DeleteScalingPolicy(tx, p)
	}
	for a := range ScheduledActions.Prefix(tx, t.Key()+"/") {
		DeleteScheduledAction(tx, a)
	}
	ScalableTargets.Delete(tx, t.Key())
}
