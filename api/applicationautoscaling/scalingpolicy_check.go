package applicationautoscaling

import (
	"slices"

	"fargo/aws"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/plan"
)

// maxSteps is how many step adjustments a policy may have.
// Source: Application Auto Scaling user guide, "Quotas".
const maxSteps = 20

// checkPolicy refuses a policy that cannot be.
func checkPolicy(p *autoscaling.ScalingPolicy, in *autoscaling.PutScalingPolicyInput) error {
	step, tracking := p.StepScalingPolicyConfiguration, p.TargetTrackingScalingPolicyConfiguration
	switch {
	case p.PolicyType == autoscaling.PolicyTypePredictiveScaling || in.PredictiveScalingPolicyConfiguration != nil:
		return notImplemented("predictive scaling")
	case p.PolicyType == autoscaling.PolicyTypeStepScaling && (step == nil || tracking != nil):
		return invalid("StepScalingPolicyConfiguration, and no other configuration, is required for policies of type StepScaling.")
	case p.PolicyType == autoscaling.PolicyTypeTargetTrackingScaling && (tracking == nil || step != nil):
		return invalid("TargetTrackingScalingPolicyConfiguration, and no other configuration, is required for policies of type TargetTrackingScaling.")
	case step != nil:
		return checkStep(step)
	}
	return checkTracking(tracking)
}

// checkStep holds the rules of step adjustments: ranges without gaps that do not overlap.
// Source: Application Auto Scaling user guide, "Step adjustments".
func checkStep(c *autoscaling.StepScalingPolicyConfiguration) error {
	switch {
	case c.AdjustmentType == "":
		return invalid("AdjustmentType is required for policies of type StepScaling.")
	case len(c.StepAdjustments) == 0:
		return invalid("At least one StepAdjustment is required for policies of type StepScaling.")
	case len(c.StepAdjustments) > maxSteps:
		return invalid("A policy can have at most %d step adjustments.", maxSteps)
	case c.MinAdjustmentMagnitude != nil && c.AdjustmentType != autoscaling.AdjustmentTypePercentChangeInCapacity:
		return invalid("MinAdjustmentMagnitude is only supported for the adjustment type PercentChangeInCapacity.")
	case aws.Value(c.Cooldown) < 0:
		return invalid("Cooldown must be at least 0.")
	}
	steps := slices.Clone(c.StepAdjustments)
	slices.SortFunc(steps, func(a, b autoscaling.StepAdjustment) int {
		switch {
		case a.MetricIntervalLowerBound == nil && b.MetricIntervalLowerBound == nil:
			return 0
		case a.MetricIntervalLowerBound == nil:
			return -1
		case b.MetricIntervalLowerBound == nil:
			return 1
		case *a.MetricIntervalLowerBound < *b.MetricIntervalLowerBound:
			return -1
		}
		return 1
	})
	for i, s := range steps {
		low, high := s.MetricIntervalLowerBound, s.MetricIntervalUpperBound
		switch {
		case low != nil && high != nil && *low >= *high:
			return invalid("The lower bound of a step adjustment must be less than its upper bound.")
		case high == nil && i < len(steps)-1, low == nil && i > 0:
			return invalid("There can be one step adjustment without a lower bound and one without an upper bound, at the ends.")
		case i > 0 && *low != *steps[i-1].MetricIntervalUpperBound:
			return invalid("Step adjustments cannot overlap or have gaps between them.")
		}
	}
	return nil
}

// trackable are the predefined metrics of services of ECS.
// Source: Application Auto Scaling API, PredefinedMetricSpecification.
var trackable = []autoscaling.MetricType{
	autoscaling.MetricTypeECSServiceAverageCPUUtilization, autoscaling.MetricTypeECSServiceAverageMemoryUtilization, autoscaling.MetricTypeALBRequestCountPerTarget,
}

func checkTracking(c *autoscaling.TargetTrackingScalingPolicyConfiguration) error {
	predefined, custom := c.PredefinedMetricSpecification, c.CustomizedMetricSpecification
	switch {
	case (predefined == nil) == (custom == nil):
		return invalid("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified.")
	case !(*c.TargetValue > 0):
		return invalid("TargetValue must be greater than 0.")
	case aws.Value(c.ScaleOutCooldown) < 0 || aws.Value(c.ScaleInCooldown) < 0:
		return invalid("ScaleOutCooldown and ScaleInCooldown must be at least 0.")
	case custom != nil:
		return checkCustom(custom)
	}
	switch kind := predefined.PredefinedMetricType; {
	case kind == autoscaling.MetricTypeECSServiceAverageCPUUtilizationHighResolution || kind == autoscaling.MetricTypeECSServiceAverageMemoryUtilizationHighResolution:
		return notImplemented("the predefined metric type " + string(kind))
	case !slices.Contains(trackable, kind):
		return invalid("The predefined metric type %s is not supported for the service namespace ecs.", kind)
	case kind != autoscaling.MetricTypeALBRequestCountPerTarget && predefined.ResourceLabel != nil:
		return invalid("ResourceLabel is only supported for the predefined metric type ALBRequestCountPerTarget.")
	case kind == autoscaling.MetricTypeALBRequestCountPerTarget:
		if balancer, _ := plan.SplitResourceLabel(aws.Value(predefined.ResourceLabel)); balancer == "" {
			return invalid("ResourceLabel must have the form app/<load-balancer-name>/<load-balancer-id>/targetgroup/<target-group-name>/<target-group-id>.")
		}
	}
	return nil
}

// checkCustom holds the rules of a metric of one's own.
func checkCustom(c *autoscaling.CustomizedMetricSpecification) error {
	single := c.MetricName != nil || c.Namespace != nil || c.Statistic != "" || c.Dimensions != nil || c.Unit != nil
	if len(c.Metrics) == 0 {
		if c.MetricName == nil || c.Namespace == nil || c.Statistic == "" {
			return invalid("MetricName, Namespace and Statistic, or Metrics, are required in CustomizedMetricSpecification.")
		}
		return nil
	}
	if single {
		return invalid("Metrics cannot be specified with MetricName, Namespace, Dimensions, Statistic or Unit.")
	}
	returned, metrics, ids := 0, 0, map[string]bool{}
	for _, q := range c.Metrics {
		switch {
		case (q.MetricStat == nil) == (q.Expression == nil):
			return invalid("Exactly one of MetricStat and Expression must be specified for %s.", *q.Id)
		case ids[*q.Id]:
			return invalid("The id %s is used twice in Metrics.", *q.Id)
		}
		ids[*q.Id] = true
		if q.MetricStat != nil {
			metrics++
		}
		if aws.ValueOr(q.ReturnData, true) {
			returned++
		}
	}
	if returned != 1 || metrics == 0 {
		return invalid("Metrics must have at least one metric, and exactly one that has ReturnData true.")
	}
	return nil
}
