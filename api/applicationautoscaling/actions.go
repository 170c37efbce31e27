package applicationautoscaling

import (
	"fargo"
	"fargo/api"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "AWS Application Auto Scaling".
var Actions = &api.Actions{
	Prefix:      "application-autoscaling",
	TagOnCreate: "application-autoscaling:TagResource",
	Tags: func(r store.Reader, arn string) map[string]string {
		a, _ := fargo.ParseARN(arn)
		t, err := targetByARN(r, a.Scope(), arn)
		if err != nil {
			return nil
		}
		return t.Tags
	},
	Rows: map[string]api.Row{
		"RegisterScalableTarget": onTarget(func(in *autoscaling.RegisterScalableTargetInput) (autoscaling.ServiceNamespace, autoscaling.ScalableDimension) {
			return in.ServiceNamespace, in.ScalableDimension
		}).Tags(func(in *autoscaling.RegisterScalableTargetInput) map[string]string { return in.Tags }).Creates(),
		"DeregisterScalableTarget": onTarget(func(in *autoscaling.DeregisterScalableTargetInput) (autoscaling.ServiceNamespace, autoscaling.ScalableDimension) {
			return in.ServiceNamespace, in.ScalableDimension
		}),
		"PutScalingPolicy": onTarget(func(in *autoscaling.PutScalingPolicyInput) (autoscaling.ServiceNamespace, autoscaling.ScalableDimension) {
			return in.ServiceNamespace, in.ScalableDimension
		}),
		"DeleteScalingPolicy": onTarget(func(in *autoscaling.DeleteScalingPolicyInput) (autoscaling.ServiceNamespace, autoscaling.ScalableDimension) {
			return in.ServiceNamespace, in.ScalableDimension
		}),
		"PutScheduledAction": onTarget(func(in *autoscaling.PutScheduledActionInput) (autoscaling.ServiceNamespace, autoscaling.ScalableDimension) {
			return in.ServiceNamespace, in.ScalableDimension
		}),
		"DeleteScheduledAction": onTarget(func(in *autoscaling.DeleteScheduledActionInput) (autoscaling.ServiceNamespace, autoscaling.ScalableDimension) {
			return in.ServiceNamespace, in.ScalableDimension
		}),
		"DescribeScalableTargets":   api.AnyResource[any](),
		"DescribeScalingPolicies":   api.AnyResource[any](),
		"DescribeScheduledActions":  api.AnyResource[any](),
		"DescribeScalingActivities": api.AnyResource[any](),
		"TagResource": named(func(in *autoscaling.TagResourceInput) *string { return in.ResourceARN }).
			Tags(func(in *autoscaling.TagResourceInput) map[string]string { return in.Tags }),
		"UntagResource": named(func(in *autoscaling.UntagResourceInput) *string { return in.ResourceARN }).
			Key("aws:TagKeys", func(_ *api.Query, in *autoscaling.UntagResourceInput) []string { return in.TagKeys }),
		"ListTagsForResource": named(func(in *autoscaling.ListTagsForResourceInput) *string { return in.ResourceARN }),
	},
}

// onTarget is the row of an operation on a scalable target. AWS's refusals name no one
// target.
func onTarget[In any](of func(*In) (autoscaling.ServiceNamespace, autoscaling.ScalableDimension)) api.Rule[In] {
	return api.On(func(q *api.Query, _ *In) []string {
		return []string{q.ARN("application-autoscaling", "scalable-target/*")}
	}).Key("application-autoscaling:service-namespace", func(_ *api.Query, in *In) []string {
		namespace, _ := of(in)
		return []string{string(namespace)}
	}).Key("application-autoscaling:scalable-dimension", func(_ *api.Query, in *In) []string {
		_, dimension := of(in)
		return []string{string(dimension)}
	})
}

func named[In any](arn func(*In) *string) api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return api.Given(arn(in)) })
}
