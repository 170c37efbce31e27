package plan

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// AlarmDatapoint is the statistic of an alarm's metric over one period.
type AlarmDatapoint struct {
	Start   time.Time // of the period
	Value   float64
	Samples float64
}

// AlarmRange is where the datapoints of an evaluation are: Count periods, of which the last
// one ends at End.
type AlarmRange struct {
	End    time.Time
	Period time.Duration
	Count  int
}

// Start is when the first period of the range begins.
func (r AlarmRange) Start() time.Time { return r.End.Add(-time.Duration(r.Count) * r.Period) }

// extraPeriods is how many periods more than its evaluation periods an alarm looks back.
// Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data",
// whose example looks at five for three. AWS does not tell how many they are otherwise.
const extraPeriods = 2

// AlarmPeriod is the period of an alarm's metric or metrics.
func AlarmPeriod(a *cloudwatch.MetricAlarm) time.Duration {
	seconds := aws.Value(a.Period)
	for _, q := range a.Metrics {
		if q.MetricStat != nil {
			seconds = max(seconds, aws.Value(q.MetricStat.Period))
		}
		seconds = max(seconds, aws.Value(q.Period))
	}
	return time.Duration(seconds) * time.Second
}

// AlarmInterval is how often an alarm is evaluated.
// Source: CloudWatch user guide, "Using Amazon CloudWatch alarms": each minute, every 10
// seconds for periods below a minute, and each hour when more than a day is looked at.
func AlarmInterval(a *cloudwatch.MetricAlarm) time.Duration {
	period := AlarmPeriod(a)
	switch {
	case period < time.Minute:
		return 10 * time.Second
	case period*time.Duration(aws.Value(a.EvaluationPeriods)) > 24*time.Hour:
		return time.Hour
	}
	return time.Minute
}

// alarmDelay is how long data may take to arrive before the alarm looks at their period:
// a sixth of the interval of evaluation, within bounds. It is our own.
const (
	leastAlarmDelay = 2 * time.Second
	mostAlarmDelay  = 10 * time.Second
)

func alarmDelay(interval time.Duration) time.Duration {
	return min(mostAlarmDelay, max(leastAlarmDelay, interval/6))
}

// AlarmRangeAt is what an evaluation at a time looks at, and when the next one is due. The
// pace divides the interval and the periods, which are whole seconds, as metrics are kept.
func AlarmRangeAt(a *cloudwatch.MetricAlarm, now time.Time, pace fargo.Pace) (at AlarmRange, next time.Time) {
	interval := pace.WholeSeconds(AlarmInterval(a))
	delay := alarmDelay(interval)
	at = AlarmRange{
		End: now.Add(-delay).UTC().Truncate(interval), Period: pace.WholeSeconds(AlarmPeriod(a)),
		Count: int(aws.Value(a.EvaluationPeriods)) + extraPeriods,
	}
	return at, at.End.Add(interval + delay)
}

// AlarmEvaluation is what an evaluation has found.
type AlarmEvaluation struct {
	State  cloudwatch.StateValue
	Reason string
	Data   string // the reason in JSON
	// Values are those of the datapoints that were evaluated, the newest first.
	Values []float64
}

// EvaluateAlarm gives the state of an alarm on a metric, from the datapoints of its range,
// the oldest first and without those that are missing.
// Source: CloudWatch user guide, "Evaluating an alarm" and "Configuring how CloudWatch
// alarms treat missing data".
func EvaluateAlarm(alarm *record.Alarm, at AlarmRange, points []AlarmDatapoint, now time.Time) AlarmEvaluation {
	e := newAlarmEvaluator(alarm, at, points)
	state := e.decide()
	out := AlarmEvaluation{State: state, Reason: e.reason(state), Data: e.data(now)}
	for _, p := range e.real {
		out.Values = append(out.Values, p.Value)
	}
	return out
}

// alarmEvaluator is an evaluation in the making.
type alarmEvaluator struct {
	alarm *cloudwatch.MetricAlarm
	was   cloudwatch.StateValue
	at    AlarmRange
	n, m  int // evaluation periods, and datapoints to alarm
	// real are the datapoints that are evaluated, the newest first, and breaching those of
	// them that breach the threshold.
	real, breaching []AlarmDatapoint
	filled          int // missing datapoints that are evaluated
}

func newAlarmEvaluator(alarm *record.Alarm, at AlarmRange, points []AlarmDatapoint) *alarmEvaluator {
	a := alarm.Metric
	n := int(aws.Value(a.EvaluationPeriods))
	e := &alarmEvaluator{alarm: a, was: alarm.State.Value, at: at, n: n, m: int(aws.ValueOr(a.DatapointsToAlarm, int32(n)))}
	for _, p := range slices.Backward(points) {
		if len(e.real) < n {
			e.real = append(e.real, p)
		}
	}
	for _, p := range e.real {
		if Breaches(a.ComparisonOperator, p.Value, *a.Threshold) {
			e.breaching = append(e.breaching, p)
		}
	}
	e.filled = n - len(e.real)
	return e
}

// Breaches compares a value with a threshold.
func Breaches(operator cloudwatch.ComparisonOperator, value, threshold float64) bool {
	switch operator {
	case cloudwatch.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return value >= threshold
	case cloudwatch.ComparisonOperatorGreaterThanThreshold:
		return value > threshold
	case cloudwatch.ComparisonOperatorLessThanThreshold:
		return value < threshold
	case cloudwatch.ComparisonOperatorLessThanOrEqualToThreshold:
		return value <= threshold
	}
	return false
}

// The treatments of missing data. Source: CloudWatch API, PutMetricAlarm.
const (
	missingIsBreaching    = "breaching"
	missingIsNotBreaching = "notBreaching"
	missingIsIgnored      = "ignore"
)

// treatment is that of missing data; empty for the default. Alarms on DynamoDB's metrics
// always ignore it. Source: CloudWatch API, PutMetricAlarm, TreatMissingData.
func (e *alarmEvaluator) treatment() string {
	if aws.Value(e.alarm.Namespace) == "AWS/DynamoDB" {
		return missingIsIgnored
	}
	return aws.Value(e.alarm.TreatMissingData)
}

// decide gives the state. What AWS leaves open, only breaching datapoints, but too few and
// too new, keeps the state as it is.
func (e *alarmEvaluator) decide() cloudwatch.StateValue {
	treatment := e.treatment()
	breaching := len(e.breaching)
	if treatment == missingIsBreaching {
		breaching += e.filled
	}
	switch {
	case e.tooFewSamples():
		return e.was
	case breaching >= e.m:
		return cloudwatch.StateValueAlarm
	case e.filled == 0, treatment == missingIsBreaching, treatment == missingIsNotBreaching:
		return cloudwatch.StateValueOk
	case len(e.real) > len(e.breaching):
		return cloudwatch.StateValueOk
	case treatment == missingIsIgnored:
		return e.was
	case len(e.real) == 0:
		return cloudwatch.StateValueInsufficientData
	case e.age(e.real[len(e.real)-1]) >= e.m:
		return cloudwatch.StateValueAlarm
	}
	return e.was
}

// age is how many periods old a datapoint is: 1 for the newest there can be.
func (e *alarmEvaluator) age(p AlarmDatapoint) int { return int(e.at.End.Sub(p.Start) / e.at.Period) }

// tooFewSamples reports whether a percentile is one of so few samples that the alarm is not
// to be evaluated.
// Source: CloudWatch user guide, "Percentile-based CloudWatch alarms and low data samples".
func (e *alarmEvaluator) tooFewSamples() bool {
	if aws.Value(e.alarm.EvaluateLowSampleCountPercentile) != "ignore" || len(e.real) == 0 {
		return false
	}
	text, ok := strings.CutPrefix(aws.Value(e.alarm.ExtendedStatistic), "p")
	percent, err := strconv.ParseFloat(text, 64)
	if !ok || err != nil {
		return false
	}
	share := max(percent/100, 1-percent/100)
	if share >= 1 {
		return false
	}
	return e.real[0].Samples < 10/(1-share)
}
