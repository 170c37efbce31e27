package applicationautoscaling

import (
	"context"
	"slices"

	"github.com/google/uuid"

	"fargo"
	"fargo/api/page"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxPolicies is how many policies a target may have.
// Source: Application Auto Scaling user guide, "Quotas".
const maxPolicies = 50

// PutScalingPolicy makes a policy, or another one of it. A target tracking policy gets its
// two alarms, which keep their states when the policy changes.
func (s *Server) PutScalingPolicy(ctx context.Context, in *autoscaling.PutScalingPolicyInput) (*autoscaling.PutScalingPolicyOutput, error) {
	name := targetName{in.ServiceNamespace, *in.ResourceId, in.ScalableDimension}
	made := autoscaling.ScalingPolicy{
		PolicyName: in.PolicyName, ServiceNamespace: in.ServiceNamespace, ResourceId: in.ResourceId, ScalableDimension: in.ScalableDimension, PolicyType: in.PolicyType,
		StepScalingPolicyConfiguration: in.StepScalingPolicyConfiguration, TargetTrackingScalingPolicyConfiguration: in.TargetTrackingScalingPolicyConfiguration,
	}
	if made.PolicyType == "" {
		made.PolicyType = autoscaling.PolicyTypeStepScaling
	}
	if err := checkPolicy(&made, in); err != nil {
		return nil, err
	}
	out := &autoscaling.PutScalingPolicyOutput{Alarms: []autoscaling.Alarm{}}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		target, err := name.find(tx, scope)
		if err != nil {
			return err
		}
		p := &record.ScalingPolicy{Scope: scope, Policy: made}
		d := &p.Policy
		if old, ok := store.ScalingPolicies.Get(tx, p.Key()); ok {
			if old.Policy.PolicyType != d.PolicyType {
				return invalid("The type of a scaling policy cannot be changed.")
			}
			d.PolicyARN, d.CreationTime, d.Alarms = old.Policy.PolicyARN, old.Policy.CreationTime, old.Policy.Alarms
		} else {
			if n := len(slices.Collect(store.ScalingPolicies.Prefix(tx, target.Key()+"/"))); n >= maxPolicies {
				return autoscaling.LimitExceededException("A scalable target can have at most %d scaling policies.", maxPolicies)
			}
			d.CreationTime = new(now())
			d.PolicyARN = new(scope.ARN("autoscaling", "scalingPolicy:"+uuid.NewString()+":resource/"+string(name.namespace)+"/"+name.resource+":policyName/"+*in.PolicyName))
		}
		putAlarms(tx, p)
		store.ScalingPolicies.Put(tx, p)
		out.PolicyARN = d.PolicyARN
		out.Alarms = append(out.Alarms, d.Alarms...)
		return nil
	})
}

// putAlarms makes the alarms of a target tracking policy, or gives them what has changed.
func putAlarms(tx *store.Tx, p *record.ScalingPolicy) {
	d := &p.Policy
	if d.TargetTrackingScalingPolicyConfiguration == nil {
		return
	}
	at := now()
	alarms := plan.TrackingAlarms(d, [2]string{uuid.NewString(), uuid.NewString()})
	for i, m := range alarms {
		if len(d.Alarms) == len(alarms) {
			m.AlarmName = d.Alarms[i].AlarmName
		}
		m.AlarmConfigurationUpdatedTimestamp = &at
		m.OKActions, m.InsufficientDataActions = []string{}, []string{}
		a := plan.NewAlarm(record.Alarm{Scope: p.Scope, Metric: m}, at)
		m.AlarmArn = new(a.ARN())
		what := "Create"
		if old, ok := store.Alarms.Get(tx, a.Key()); ok {
			a.State, a.Previous, a.Acted, a.Tags, what = old.State, old.Previous, old.Acted, old.Tags, "Update"
		}
		store.Alarms.Put(tx, a)
		store.AlarmHistory.Put(tx, plan.AlarmConfigured(a, what, at))
	}
	if d.Alarms == nil {
		for _, m := range alarms {
			d.Alarms = append(d.Alarms, autoscaling.Alarm{AlarmName: m.AlarmName, AlarmARN: m.AlarmArn})
		}
	}
}

// DescribeScalingPolicies shows policies with the alarms that call them.
func (s *Server) DescribeScalingPolicies(ctx context.Context, in *autoscaling.DescribeScalingPoliciesInput) (*autoscaling.DescribeScalingPoliciesOutput, error) {
	view, scope := s.db.View(), scopeOf(ctx)
	prefix, err := listed(scope, in.ServiceNamespace, in.ResourceId, in.ScalableDimension)
	if err != nil {
		return nil, err
	}
	policies := wanted(store.ScalingPolicies.Prefix(view, prefix), func(p *record.ScalingPolicy) bool {
		return len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, *p.Policy.PolicyName)
	})
	found, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), policies, (*record.ScalingPolicy).Key)
	out := &autoscaling.DescribeScalingPoliciesOutput{ScalingPolicies: []autoscaling.ScalingPolicy{}, NextToken: next}
	for _, p := range found {
		shown := p.Policy
		if shown.Alarms == nil {
			shown.Alarms = callingAlarms(view, *shown.PolicyARN)
		}
		out.ScalingPolicies = append(out.ScalingPolicies, shown)
	}
	return out, err
}

// callingAlarms are the alarms that users have call a step scaling policy.
func callingAlarms(r store.Reader, policy string) []autoscaling.Alarm {
	out := []autoscaling.Alarm{}
	for a := range store.Alarms.By(r, store.AlarmByAction, policy) {
		out = append(out, autoscaling.Alarm{AlarmName: new(a.Name()), AlarmARN: new(a.ARN())})
	}
	return out
}

// DeleteScalingPolicy deletes a policy, with the alarms that were made for it.
func (s *Server) DeleteScalingPolicy(ctx context.Context, in *autoscaling.DeleteScalingPolicyInput) (*autoscaling.DeleteScalingPolicyOutput, error) {
	return &autoscaling.DeleteScalingPolicyOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		name := targetName{in.ServiceNamespace, *in.ResourceId, in.ScalableDimension}
		p, ok := store.ScalingPolicies.Get(tx, name.key(scope)+"/"+*in.PolicyName)
		if !ok {
			return autoscaling.ObjectNotFoundException("No scaling policy found for service namespace: %s, resource ID: %s, scalable dimension: %s, policy name: %s", name.namespace, name.resource, name.dimension, *in.PolicyName)
		}
		store.DeleteScalingPolicy(tx, p)
		return nil
	})
}
