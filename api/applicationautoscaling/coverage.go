package applicationautoscaling

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "RegisterScalableTarget", Field: "RoleARN", Why: "the service-linked role is shown, as on AWS; scaling asks no policy"},
	{Operation: "RegisterScalableTarget", Field: "ServiceNamespace other than ecs", Why: "refused by name: there is nothing else to scale"},
	{Operation: "PutScalingPolicy", Field: "TargetTrackingScalingPolicyConfiguration.PredefinedMetricSpecification.ResourceLabel", Why: "the load balancer and the target group need not be there"},
	{Operation: "PutScalingPolicy", Field: "PredictiveScalingPolicyConfiguration", Why: "refused by name"},
}
