package plan

import (
	"math"

	"fargo/aws"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
)

// step adds what a step scaling policy wants. An alarm whose values are not known, as after
// SetAlarmState without data, wants nothing.
// Source: Application Auto Scaling user guide, "Step scaling policies".
func (p *scalingPlan) step(v ScalingPolicyView) {
	c := v.Policy.Policy.StepScalingPolicyConfiguration
	for _, a := range v.Alarms {
		if !a.inAlarm() || a.Alarm.Metric == nil || len(a.Values) == 0 {
			continue
		}
		m := a.Alarm.Metric
		by, ok := stepFor(c.StepAdjustments, aggregate(c.MetricAggregationType, a.Values)-*m.Threshold, above(m.ComparisonOperator))
		if !ok {
			continue
		}
		base := p.base()
		made := proposal{capacity: adjusted(c, base, by), cooldown: c.Cooldown, policy: *v.Policy.Policy.PolicyName, alarm: a.Alarm.Name()}
		switch {
		case made.capacity > base:
			p.out = append(p.out, made)
		case adjusted(c, p.Desired, by) < p.Desired:
			made.capacity = adjusted(c, p.Desired, by)
			p.in = append(p.in, made)
		}
	}
}

func aggregate(how autoscaling.MetricAggregationType, values []float64) float64 {
	out := values[0]
	for _, v := range values[1:] {
		switch how {
		case autoscaling.MetricAggregationTypeMinimum:
			out = min(out, v)
		case autoscaling.MetricAggregationTypeMaximum:
			out = max(out, v)
		default:
			out += v
		}
	}
	if how != autoscaling.MetricAggregationTypeMinimum && how != autoscaling.MetricAggregationTypeMaximum {
		out /= float64(len(values))
	}
	return out
}

// above reports whether values above the threshold breach it.
func above(o cloudwatch.ComparisonOperator) bool {
	return o == cloudwatch.ComparisonOperatorGreaterThanThreshold || o == cloudwatch.ComparisonOperatorGreaterThanOrEqualToThreshold
}

// stepFor is the adjustment for a distance from the threshold. The bound that is nearer to the
// threshold belongs to the step, the other one to the next.
func stepFor(steps []autoscaling.StepAdjustment, distance float64, above bool) (int, bool) {
	for _, s := range steps {
		low, high := aws.ValueOr(s.MetricIntervalLowerBound, math.Inf(-1)), aws.ValueOr(s.MetricIntervalUpperBound, math.Inf(1))
		if above && low <= distance && distance < high || !above && low < distance && distance <= high {
			return int(*s.ScalingAdjustment), true
		}
	}
	return 0, false
}

// adjusted is the capacity after an adjustment.
// Source: Application Auto Scaling user guide, "Scaling adjustment types".
func adjusted(c *autoscaling.StepScalingPolicyConfiguration, capacity, by int) int {
	switch c.AdjustmentType {
	case autoscaling.AdjustmentTypeExactCapacity:
		return max(0, by)
	case autoscaling.AdjustmentTypePercentChangeInCapacity:
		change := float64(capacity) * float64(by) / 100
		n := int(change) // towards zero
		switch {
		case change > 0 && change < 1:
			n = 1
		case change < 0 && change > -1:
			n = -1
		}
		if least := int(aws.Value(c.MinAdjustmentMagnitude)); least > 0 {
			switch {
			case by > 0:
				n = max(n, least)
			case by < 0:
				n = min(n, -least)
			}
		}
		return max(0, capacity+n)
	}
	return max(0, capacity+by)
}
