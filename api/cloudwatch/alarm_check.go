package cloudwatch

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/metrics/expression"
	"fargo/plan"
)

func isJSON(text string) bool { return json.Valid([]byte(text)) }

// checkMetricAlarm refuses an alarm that cannot be.
func checkMetricAlarm(scope fargo.Scope, in *cloudwatch.PutMetricAlarmInput) error {
	switch {
	case in.EvaluationWindow != nil:
		return notImplemented("EvaluationWindow")
	case in.EvaluationCriteria != nil:
		return notImplemented("EvaluationCriteria (alarms on PromQL queries)")
	case in.EvaluationInterval != nil:
		return notImplemented("EvaluationInterval")
	case in.ThresholdMetricId != nil, isAnomaly(in.ComparisonOperator):
		return notImplemented("anomaly detection alarms")
	case in.EvaluationPeriods == nil:
		return invalid("The parameter EvaluationPeriods is required.")
	case in.ComparisonOperator == "":
		return invalid("The parameter ComparisonOperator is required.")
	case in.Threshold == nil:
		return invalid("PutMetricAlarm request should have valid Threshold parameter")
	case aws.Value(in.DatapointsToAlarm) > *in.EvaluationPeriods:
		return invalid("DatapointsToAlarm must be at most EvaluationPeriods.")
	case !slices.Contains([]string{"", "breaching", "notBreaching", "ignore", "missing"}, aws.Value(in.TreatMissingData)):
		return invalid("Option %s for parameter TreatMissingData is invalid.", *in.TreatMissingData)
	case !slices.Contains([]string{"", "evaluate", "ignore"}, aws.Value(in.EvaluateLowSampleCountPercentile)):
		return invalid("Option %s for parameter EvaluateLowSampleCountPercentile is invalid.", *in.EvaluateLowSampleCountPercentile)
	}
	if err := checkAlarmMetrics(scope, in); err != nil {
		return err
	}
	seconds := int32(plan.AlarmPeriod(&cloudwatch.MetricAlarm{Period: in.Period, Metrics: in.Metrics}) / time.Second)
	if err := checkWindow(seconds, *in.EvaluationPeriods); err != nil {
		return err
	}
	return checkAlarmActions(scope, in.OKActions, in.AlarmActions, in.InsufficientDataActions)
}

func isAnomaly(o cloudwatch.ComparisonOperator) bool {
	return o == cloudwatch.ComparisonOperatorGreaterThanUpperThreshold || o == cloudwatch.ComparisonOperatorLessThanLowerThreshold ||
		o == cloudwatch.ComparisonOperatorLessThanLowerOrGreaterThanUpperThreshold
}

// The longest windows of evaluation, in seconds. Source: CloudWatch API, PutMetricAlarm.
const (
	day  = 24 * 60 * 60
	week = 7 * day
)

func checkWindow(seconds, periods int32) error {
	window := int64(seconds) * int64(periods)
	switch {
	case seconds < 3600 && window > day:
		return invalid("EvaluationPeriods * Period must be <= 86400")
	case window > week:
		return invalid("EvaluationPeriods * Period must be <= 604800")
	}
	return nil
}

func checkAlarmPeriod(seconds int32) error {
	if seconds != 10 && seconds != 20 && seconds != 30 && (seconds <= 0 || seconds%60 != 0) {
		return invalid("Period must be 10, 20, 30 or a multiple of 60")
	}
	return nil
}

// extendedStatistics are those of alarms. Source: CloudWatch API, PutMetricAlarm,
// ExtendedStatistic.
var extendedStatistics = regexp.MustCompile(`^(p(\d{1,2}(\.\d{0,10})?|100)|IQM|(tm|wm|tc|ts)\d{1,2}(\.\d{0,10})?|(TM|WM|PR|TC|TS)\((\d+(\.\d+)?%?)?:(\d+(\.\d+)?%?)?\))$`)

// maxAlarmMetrics is how many metrics an alarm may have. Source: CloudWatch API,
// PutMetricAlarm.
const maxAlarmMetrics = 10

// checkAlarmMetrics refuses an alarm whose metric, or whose metrics, cannot be.
func checkAlarmMetrics(scope fargo.Scope, in *cloudwatch.PutMetricAlarmInput) error {
	single := in.MetricName != nil || in.Namespace != nil || in.Period != nil || in.Statistic != "" || in.ExtendedStatistic != nil || len(in.Dimensions) > 0
	switch {
	case len(in.Metrics) > 0 && single:
		return invalid("Metrics cannot be specified with MetricName, Dimensions, Period, Namespace, Statistic or ExtendedStatistic.")
	case len(in.Metrics) > 0:
		return checkQueries(scope, in.Metrics)
	case in.MetricName == nil || in.Namespace == nil:
		return invalid("Namespace and MetricName, or Metrics, are required.")
	case in.Period == nil:
		return invalid("The parameter Period is required.")
	case (in.Statistic == "") == (in.ExtendedStatistic == nil):
		return invalid("Exactly one of Statistic and ExtendedStatistic must be specified.")
	case in.ExtendedStatistic != nil && !extendedStatistics.MatchString(*in.ExtendedStatistic):
		return invalid("The value %s for parameter ExtendedStatistic is not supported.", *in.ExtendedStatistic)
	}
	return checkAlarmPeriod(*in.Period)
}

func checkQueries(scope fargo.Scope, in []cloudwatch.MetricDataQuery) error {
	metrics, returned, period, ids := 0, 0, int32(0), map[string]bool{}
	for _, q := range in {
		if ids[*q.Id] {
			return invalid("The id %s is used twice in Metrics.", *q.Id)
		}
		ids[*q.Id] = true
		if aws.ValueOr(q.ReturnData, true) {
			returned++
		}
		switch {
		case q.AccountId != nil && *q.AccountId != scope.Account:
			return notImplemented("metrics of other accounts")
		case (q.MetricStat == nil) == (q.Expression == nil):
			return invalid("Exactly one of MetricStat and Expression must be specified for %s.", *q.Id)
		case q.Expression != nil && strings.Contains(*q.Expression, "ANOMALY_DETECTION_BAND"):
			return notImplemented("anomaly detection alarms")
		case q.Expression != nil && strings.Contains(*q.Expression, "SEARCH"):
			return invalid("SEARCH cannot be used in alarms.")
		case q.Expression != nil:
			continue
		}
		if metrics++; metrics > maxAlarmMetrics {
			return invalid("Too many metrics in alarm, maximum is %s", strconv.Itoa(maxAlarmMetrics))
		}
		if err := checkAlarmPeriod(aws.Value(q.MetricStat.Period)); err != nil {
			return err
		}
		if period != 0 && period != *q.MetricStat.Period {
			return invalid("Metrics of an alarm must have the same period.")
		}
		period = *q.MetricStat.Period
	}
	switch {
	case returned != 1:
		return invalid("Exactly one of Metrics must have ReturnData true.")
	case metrics == 0:
		return notImplemented("alarms on expressions without a metric (Metrics Insights)")
	}
	return checkExpressions(scope, in, ids)
}

// checkExpressions refuses expressions that are none, or name queries that are not there.
func checkExpressions(scope fargo.Scope, in []cloudwatch.MetricDataQuery, ids map[string]bool) error {
	all, err := alarmQueries(scope, in)
	if err != nil {
		return err
	}
	for _, q := range all {
		if q.Expression == "" {
			continue
		}
		x, err := expression.Parse(q.Expression)
		if err != nil {
			return invalid("Error in expression '%s': %s", q.ID, err.Error())
		}
		for _, id := range x.References() {
			if !ids[id] {
				return invalid("The expression of %s names %s, which is not there.", q.ID, id)
			}
		}
	}
	return nil
}

func alarmQueries(scope fargo.Scope, in []cloudwatch.MetricDataQuery) (all []expression.Query, err error) {
	for i := range in {
		q, err := query(scope, "Metrics.member."+strconv.Itoa(i+1), &in[i])
		if err != nil {
			return nil, err
		}
		all = append(all, q)
	}
	return all, nil
}

// AlarmQueries are the queries of an alarm on several metrics or on an expression, each
// metric over a period.
func AlarmQueries(scope fargo.Scope, a *cloudwatch.MetricAlarm, period time.Duration) ([]expression.Query, error) {
	all, err := alarmQueries(scope, a.Metrics)
	for i := range all {
		all[i].Period = 0
		if all[i].Expression == "" {
			all[i].Period = period
		}
	}
	return all, err
}

// actionServices are those whose actions are carried out, or tried: SNS is reached only when
// it is forwarded.
var actionServices = []string{"sns", "lambda", "autoscaling"}

// checkAlarmActions refuses what cannot be an action.
func checkAlarmActions(scope fargo.Scope, lists ...[]string) error {
	for _, action := range slices.Concat(lists...) {
		a, ok := fargo.ParseARN(action)
		switch {
		case !ok:
			return invalid("Invalid arn syntax: %s", action)
		case a.Service == "ec2" || a.Service == "swf" || a.Service == "ssm" || a.Service == "ssm-incidents" || a.Service == "aiops":
			return notImplemented("alarm actions of " + a.Service)
		case !slices.Contains(actionServices, a.Service):
			return invalid("Unsupported AWS vendor %s", a.Service)
		case a.Region != scope.Region:
			return invalid("Invalid region %s specified. Only %s is supported.", a.Region, scope.Region)
		case a.Service == "autoscaling" && !strings.HasPrefix(a.Resource, "scalingPolicy:"):
			return invalid("Invalid arn syntax: %s", action)
		}
	}
	return nil
}
