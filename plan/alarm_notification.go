package plan

import (
	"fmt"
	"strings"
	"time"

	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// regionNames are the names of regions in notifications. Others have their codes.
// Source: AWS General Reference, "AWS service endpoints".
var regionNames = map[string]string{
	"us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)", "us-west-2": "US West (Oregon)",
	"ca-central-1": "Canada (Central)", "sa-east-1": "South America (Sao Paulo)",
	"eu-west-1": "EU (Ireland)", "eu-west-2": "EU (London)", "eu-west-3": "EU (Paris)", "eu-central-1": "EU (Frankfurt)", "eu-north-1": "EU (Stockholm)",
	"ap-south-1": "Asia Pacific (Mumbai)", "ap-southeast-1": "Asia Pacific (Singapore)", "ap-southeast-2": "Asia Pacific (Sydney)",
	"ap-northeast-1": "Asia Pacific (Tokyo)", "ap-northeast-2": "Asia Pacific (Seoul)", "ap-northeast-3": "Asia Pacific (Osaka)",
}

func regionName(code string) string {
	if name := regionNames[code]; name != "" {
		return name
	}
	return code
}

// alarmNotification is what a topic of SNS is sent by an alarm.
// Source: recorded, of alarms on a metric; the rest is inferred.
type alarmNotification struct {
	AlarmName               string
	AlarmDescription        *string
	AWSAccountID            string `json:"AWSAccountId"`
	UpdatedTimestamp        string `json:"AlarmConfigurationUpdatedTimestamp"`
	NewStateValue           cloudwatch.StateValue
	NewStateReason          string
	StateChangeTime         string
	Region                  string
	AlarmARN                string `json:"AlarmArn"`
	OldStateValue           cloudwatch.StateValue
	OKActions               []string
	AlarmActions            []string
	InsufficientDataActions []string
	Trigger                 *alarmTrigger `json:",omitempty"`
	AlarmRule               *string       `json:",omitempty"`
}

// alarmTrigger is what a notification has of the metric.
type alarmTrigger struct {
	MetricName         string                  `json:",omitempty"`
	Namespace          string                  `json:",omitempty"`
	StatisticType      string                  `json:",omitempty"`
	Statistic          string                  `json:",omitempty"`
	ExtendedStatistic  string                  `json:",omitempty"`
	Unit               *string                 `json:"Unit"`
	Dimensions         []notificationDimension `json:"Dimensions"`
	Period             int32
	EvaluationPeriods  int32
	DatapointsToAlarm  *int32 `json:",omitempty"`
	ComparisonOperator cloudwatch.ComparisonOperator
	Threshold          float64
	TreatMissingData   string
	LowSampleCount     string        `json:"EvaluateLowSampleCountPercentile"`
	Metrics            []alarmMetric `json:",omitempty"`
}

type notificationDimension struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

// AlarmNotification is the subject and the message that a topic is sent when an alarm has got
// into the state that it is in.
func AlarmNotification(a *record.Alarm) (subject, message string) {
	ok, alarm, insufficient := aws.List(a.Actions(cloudwatch.StateValueOk)), aws.List(a.Actions(cloudwatch.StateValueAlarm)), aws.List(a.Actions(cloudwatch.StateValueInsufficientData))
	n := alarmNotification{
		AlarmName: a.Name(), AWSAccountID: a.Scope.Account, NewStateValue: a.State.Value, NewStateReason: a.State.Reason, StateChangeTime: alarmTime(a.State.At),
		Region: regionName(a.Scope.Region), AlarmARN: a.ARN(), OldStateValue: a.Previous.Value, OKActions: ok, AlarmActions: alarm, InsufficientDataActions: insufficient,
	}
	updated := (*time.Time)(nil)
	if c := a.Composite; c != nil {
		n.AlarmDescription, n.AlarmRule, updated = c.AlarmDescription, c.AlarmRule, c.AlarmConfigurationUpdatedTimestamp
	} else {
		n.AlarmDescription, n.Trigger, updated = a.Metric.AlarmDescription, triggerOf(a), a.Metric.AlarmConfigurationUpdatedTimestamp
	}
	n.UpdatedTimestamp = alarmTime(aws.Value(updated))
	return fmt.Sprintf("%s: %q in %s", a.State.Value, a.Name(), regionName(a.Scope.Region)), jsonText(n)
}

func triggerOf(a *record.Alarm) *alarmTrigger {
	m := a.Metric
	t := &alarmTrigger{
		MetricName: aws.Value(m.MetricName), Namespace: aws.Value(m.Namespace), Unit: aws.NonZero(string(m.Unit)), Dimensions: []notificationDimension{},
		Period: int32(AlarmPeriod(m) / time.Second), EvaluationPeriods: aws.Value(m.EvaluationPeriods), DatapointsToAlarm: m.DatapointsToAlarm,
		ComparisonOperator: m.ComparisonOperator, Threshold: aws.Value(m.Threshold), TreatMissingData: aws.ValueOr(m.TreatMissingData, "missing"),
		LowSampleCount: aws.Value(m.EvaluateLowSampleCountPercentile),
	}
	for _, d := range m.Dimensions {
		t.Dimensions = append(t.Dimensions, notificationDimension{aws.Value(d.Value), aws.Value(d.Name)})
	}
	switch {
	case len(m.Metrics) > 0:
		t.Metrics = alarmMetrics(a)
	case m.Statistic != "":
		t.StatisticType, t.Statistic = "Statistic", strings.ToUpper(string(m.Statistic))
		if m.Statistic == cloudwatch.StatisticSampleCount {
			t.Statistic = "SAMPLE_COUNT"
		}
	default:
		t.StatisticType, t.ExtendedStatistic = "ExtendedStatistic", aws.Value(m.ExtendedStatistic)
	}
	return t
}
