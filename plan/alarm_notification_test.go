package plan

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// TestAlarmNotification has the message that was recorded of an alarm that has missing data
// breach, with the placeholders filled in.
func TestAlarmNotification(t *testing.T) {
	topics := []string{"arn:aws:sns:us-east-1:123456789012:t"}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := NewAlarm(record.Alarm{Scope: fargo.Scope{Account: "123456789012", Region: "us-east-1"}, Metric: &cloudwatch.MetricAlarm{
		AlarmName: new("a"), AlarmDescription: new("testing cloudwatch alarms"), AlarmConfigurationUpdatedTimestamp: &at, OKActions: topics, AlarmActions: topics,
		MetricName: new("my-metric101"), Namespace: new("n"), Statistic: cloudwatch.StatisticAverage, Unit: cloudwatch.StandardUnitSeconds, Period: new(int32(10)),
		EvaluationPeriods: new(int32(2)), Threshold: new(2.0), ComparisonOperator: cloudwatch.ComparisonOperatorGreaterThanThreshold, TreatMissingData: new("breaching"),
		Dimensions: []cloudwatch.Dimension{{Name: new("InstanceId"), Value: new("abc")}},
	}}, at)
	next, _ := AlarmTransition(a, record.AlarmState{Value: "ALARM", Reason: "Threshold Crossed: …"}, at.Add(time.Minute))
	subject, message := AlarmNotification(next)
	if subject != `ALARM: "a" in US East (N. Virginia)` {
		t.Errorf("subject %s", subject)
	}
	want := `{"AlarmName":"a","AlarmDescription":"testing cloudwatch alarms","AWSAccountId":"123456789012","AlarmConfigurationUpdatedTimestamp":"2026-01-02T03:04:05.000+0000",` +
		`"NewStateValue":"ALARM","NewStateReason":"Threshold Crossed: …","StateChangeTime":"2026-01-02T03:05:05.000+0000","Region":"US East (N. Virginia)",` +
		`"AlarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:a","OldStateValue":"INSUFFICIENT_DATA","OKActions":["arn:aws:sns:us-east-1:123456789012:t"],` +
		`"AlarmActions":["arn:aws:sns:us-east-1:123456789012:t"],"InsufficientDataActions":[],"Trigger":{"MetricName":"my-metric101","Namespace":"n","StatisticType":"Statistic",` +
		`"Statistic":"AVERAGE","Unit":"Seconds","Dimensions":[{"value":"abc","name":"InstanceId"}],"Period":10,"EvaluationPeriods":2,"ComparisonOperator":"GreaterThanThreshold",` +
		`"Threshold":2,"TreatMissingData":"breaching","EvaluateLowSampleCountPercentile":""}}`
	if d := cmp.Diff(want, message); d != "" {
		t.Error(d)
	}
}
