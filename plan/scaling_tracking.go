package plan

import (
	"math"
	"slices"
	"strings"

	"fargo/aws"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
)

// The alarms of a target tracking policy: out when the metric is above its target for three
// minutes, in when it is below nine tenths of it for fifteen.
// Source: Application Auto Scaling user guide, "How target tracking scaling works"; alarms as
// AWS was seen to make them.
const (
	trackingPeriod     = 60
	trackingOutPeriods = 3
	trackingInPeriods  = 15
	trackingInShare    = 0.9
)

// The kinds of the two alarms, which are in their names.
const (
	alarmHigh = "AlarmHigh"
	alarmLow  = "AlarmLow"
)

func isTracking(p *autoscaling.ScalingPolicy, a ScalingAlarm, kind string) bool {
	return strings.HasPrefix(a.Alarm.Name(), "TargetTracking-"+*p.ResourceId+"-"+kind+"-")
}

// proportional is the capacity with which a metric that divides itself among it would be at
// its target.
// Source: Application Auto Scaling user guide, "How target tracking scaling works": in
// proportion to the metric, rounded up so as to have enough. The formula is inferred.
func proportional(capacity int, value, target float64) int {
	return int(min(math.MaxInt32, math.Ceil(float64(capacity)*value/target-1e-9)))
}

// trackOut adds what a target tracking policy wants when its metric is too high.
func (p *scalingPlan) trackOut(v ScalingPolicyView) {
	policy := &v.Policy.Policy
	c := policy.TargetTrackingScalingPolicyConfiguration
	for _, a := range v.Alarms {
		if isTracking(policy, a, alarmHigh) && a.inAlarm() && len(a.Values) > 0 {
			base := p.base()
			p.out = append(p.out, proposal{
				capacity: max(base+1, proportional(base, a.Values[0], *c.TargetValue)), cooldown: c.ScaleOutCooldown,
				policy: *policy.PolicyName, alarm: a.Alarm.Name(),
			})
		}
	}
}

// trackIn adds what target tracking policies want when their metrics are too low: nothing
// unless all of them that scale in do. The highest of the values counts, so that what is left
// is enough for all of them.
func (p *scalingPlan) trackIn() {
	var wanted []proposal
	for _, v := range p.Policies {
		policy := &v.Policy.Policy
		c := policy.TargetTrackingScalingPolicyConfiguration
		if c == nil || aws.Value(c.DisableScaleIn) {
			continue
		}
		i := slices.IndexFunc(v.Alarms, func(a ScalingAlarm) bool {
			return isTracking(policy, a, alarmLow) && a.inAlarm() && len(a.Values) > 0
		})
		if i < 0 {
			return
		}
		a := v.Alarms[i]
		wanted = append(wanted, proposal{
			capacity: proportional(p.Desired, slices.Max(a.Values), *c.TargetValue), cooldown: c.ScaleInCooldown,
			policy: *policy.PolicyName, alarm: a.Alarm.Name(),
		})
	}
	p.in = append(p.in, wanted...)
}

// TrackingAlarms are the alarms of a target tracking policy, high and low. uuids are in
// their names.
func TrackingAlarms(p *autoscaling.ScalingPolicy, uuids [2]string) [2]*cloudwatch.MetricAlarm {
	c := p.TargetTrackingScalingPolicyConfiguration
	high, low := trackedMetric(p), trackedMetric(p)
	for _, a := range []*cloudwatch.MetricAlarm{&high, &low} {
		a.AlarmDescription = new("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy " + *p.PolicyARN + ".")
		a.ActionsEnabled, a.AlarmActions = new(true), []string{*p.PolicyARN}
	}
	high.AlarmName = new("TargetTracking-" + *p.ResourceId + "-" + alarmHigh + "-" + uuids[0])
	high.ComparisonOperator, high.Threshold = cloudwatch.ComparisonOperatorGreaterThanThreshold, new(*c.TargetValue)
	high.EvaluationPeriods = new(int32(trackingOutPeriods))
	low.AlarmName = new("TargetTracking-" + *p.ResourceId + "-" + alarmLow + "-" + uuids[1])
	low.ComparisonOperator, low.Threshold = cloudwatch.ComparisonOperatorLessThanThreshold, new(*c.TargetValue*trackingInShare)
	low.EvaluationPeriods = new(int32(trackingInPeriods))
	return [2]*cloudwatch.MetricAlarm{&high, &low}
}

// trackedMetric is an alarm on the metric of a target tracking policy.
// Source: Application Auto Scaling API, PredefinedMetricSpecification.
func trackedMetric(p *autoscaling.ScalingPolicy) cloudwatch.MetricAlarm {
	c := p.TargetTrackingScalingPolicyConfiguration
	a := cloudwatch.MetricAlarm{Period: new(int32(trackingPeriod)), Statistic: cloudwatch.StatisticAverage}
	if m := c.CustomizedMetricSpecification; m != nil {
		if len(m.Metrics) > 0 {
			return cloudwatch.MetricAlarm{Metrics: trackedQueries(m.Metrics)}
		}
		a.Namespace, a.MetricName, a.Statistic, a.Unit = m.Namespace, m.MetricName, cloudwatch.Statistic(m.Statistic), cloudwatch.StandardUnit(aws.Value(m.Unit))
		for _, d := range m.Dimensions {
			a.Dimensions = append(a.Dimensions, cloudwatch.Dimension{Name: d.Name, Value: d.Value})
		}
		return a
	}
	m := c.PredefinedMetricSpecification
	if m.PredefinedMetricType == autoscaling.MetricTypeALBRequestCountPerTarget {
		balancer, group := SplitResourceLabel(aws.Value(m.ResourceLabel))
		a.Namespace, a.MetricName, a.Statistic = new("AWS/ApplicationELB"), new("RequestCountPerTarget"), cloudwatch.StatisticSum
		a.Dimensions = []cloudwatch.Dimension{{Name: new("TargetGroup"), Value: &group}, {Name: new("LoadBalancer"), Value: &balancer}}
		return a
	}
	a.Namespace, a.MetricName = new("AWS/ECS"), new("CPUUtilization")
	if m.PredefinedMetricType == autoscaling.MetricTypeECSServiceAverageMemoryUtilization {
		a.MetricName = new("MemoryUtilization")
	}
	cluster, service := ScaledService(*p.ResourceId)
	a.Dimensions = []cloudwatch.Dimension{{Name: new("ClusterName"), Value: &cluster}, {Name: new("ServiceName"), Value: &service}}
	return a
}

func trackedQueries(in []autoscaling.TargetTrackingMetricDataQuery) (out []cloudwatch.MetricDataQuery) {
	for _, q := range in {
		made := cloudwatch.MetricDataQuery{Id: q.Id, Expression: q.Expression, Label: q.Label, ReturnData: q.ReturnData}
		if s := q.MetricStat; s != nil {
			metric := cloudwatch.Metric{Namespace: s.Metric.Namespace, MetricName: s.Metric.MetricName}
			for _, d := range s.Metric.Dimensions {
				metric.Dimensions = append(metric.Dimensions, cloudwatch.Dimension{Name: d.Name, Value: d.Value})
			}
			made.MetricStat = &cloudwatch.MetricStat{Metric: &metric, Period: new(int32(trackingPeriod)), Stat: s.Stat, Unit: cloudwatch.StandardUnit(aws.Value(s.Unit))}
		}
		out = append(out, made)
	}
	return out
}

// ScaledService takes the resource id of a service apart: service/CLUSTER/SERVICE. Both are
// empty when it is none.
func ScaledService(resource string) (cluster, service string) {
	parts := strings.Split(resource, "/")
	if len(parts) != 3 || parts[0] != "service" {
		return "", ""
	}
	return parts[1], parts[2]
}

// SplitResourceLabel takes a resource label apart: app/NAME/ID/targetgroup/NAME/ID. Both are
// empty when it is none.
func SplitResourceLabel(label string) (balancer, group string) {
	parts := strings.Split(label, "/")
	if len(parts) != 6 || parts[0] != "app" || parts[3] != "targetgroup" || slices.Contains(parts, "") {
		return "", ""
	}
	return strings.Join(parts[:3], "/"), strings.Join(parts[3:], "/")
}
