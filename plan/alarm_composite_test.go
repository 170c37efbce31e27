package plan

import (
	"encoding/json"
	"testing"
	"time"

	"fargo"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// alarmAt is an alarm that has been in a state since a number of seconds after alarmNow.
func alarmAt(name string, state cloudwatch.StateValue, seconds int) *record.Alarm {
	return &record.Alarm{
		Metric: &cloudwatch.MetricAlarm{AlarmName: &name}, State: record.AlarmState{Value: state, At: alarmNow.Add(time.Duration(seconds) * time.Second)},
		Scope: fargo.Scope{Account: "123456789012", Region: "us-east-1"},
	}
}

// TestAlarmSuppression: the composite alarm gets into ALARM at 0, waits for a minute, and for
// half a minute after its suppressor has left ALARM.
// Source: CloudWatch user guide, "Composite alarm action suppression".
func TestAlarmSuppression(t *testing.T) {
	composite := alarmAt("", "ALARM", 0)
	composite.Metric, composite.Composite = nil, &cloudwatch.CompositeAlarm{
		AlarmName: new("c"), ActionsSuppressor: new("s"), ActionsSuppressorWaitPeriod: new(int32(60)), ActionsSuppressorExtensionPeriod: new(int32(30)),
	}
	ok, inAlarm := alarmAt("s", "OK", -1000), alarmAt("s", "ALARM", 20)
	left := alarmAt("s", "OK", 40)
	left.State.LeftAlarm = left.State.At
	longAgo := alarmAt("s", "OK", -300)
	longAgo.State.LeftAlarm = longAgo.State.At
	for _, c := range []struct {
		name       string
		suppressor *record.Alarm
		at         int
		pace       fargo.Pace
		by         cloudwatch.ActionsSuppressedBy
		until      int
	}{
		{"waits for the suppressor", ok, 10, 1, "WaitPeriod", 60},
		{"has waited", ok, 60, 1, "", 0},
		{"waits less at another pace", ok, 2, 20, "WaitPeriod", 3},
		{"the suppressor is in ALARM", inAlarm, 300, 1, "Alarm", 0},
		{"the suppressor has left ALARM", left, 50, 1, "ExtensionPeriod", 70},
		{"and that is long enough ago", left, 70, 1, "", 0},
		{"it left long before", longAgo, 10, 1, "WaitPeriod", 60},
		{"the suppressor is gone", nil, 10, 1, "", 0},
	} {
		by, until := AlarmSuppression(composite, c.suppressor, c.pace, alarmNow.Add(time.Duration(c.at)*time.Second))
		want := time.Time{}
		if c.until != 0 {
			want = alarmNow.Add(time.Duration(c.until) * time.Second)
		}
		if by != c.by || !until.Equal(want) {
			t.Errorf("%s: %q until %s, want %q until %s", c.name, by, until, c.by, want)
		}
	}
}

// TestEvaluateComposite: the state follows the rule, and its reason names the child (recorded,
// of the data).
func TestEvaluateComposite(t *testing.T) {
	a := &record.Alarm{Composite: &cloudwatch.CompositeAlarm{AlarmName: new("c"), AlarmRule: new("ALARM(child) OR FALSE")}}
	child := alarmAt("child", "ALARM", 0)
	state := EvaluateComposite(a, func(string) cloudwatch.StateValue { return child.State.Value }, child)
	want := record.AlarmState{
		Value:  "ALARM",
		Reason: "arn:aws:cloudwatch:us-east-1:123456789012:alarm:child transitioned to ALARM at Wednesday 01 January, 2025 00:10:00 UTC",
		Data:   `{"triggeringAlarms":[{"arn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:child","state":{"timestamp":"2025-01-01T00:10:00.000+0000","value":"ALARM"}}]}`,
	}
	if state != want {
		t.Errorf("%+v\nwant\n%+v", state, want)
	}
	if state := EvaluateComposite(a, func(string) cloudwatch.StateValue { return "OK" }, nil); state.Value != "OK" {
		t.Errorf("%+v", state)
	}
}

// TestAlarmEvent: only another state is told of, with the one before.
func TestAlarmEvent(t *testing.T) {
	before := alarmAt("a", "OK", 0)
	after, item := AlarmTransition(before, record.AlarmState{Value: "ALARM", Reason: "r", Data: `{"version":"1.0"}`}, alarmNow.Add(time.Minute))
	e := AlarmEvent(before, after)
	if e == nil || e.Source != "aws.cloudwatch" || e.DetailType != "CloudWatch Alarm State Change" || e.Resources[0] != after.ARN() {
		t.Fatalf("%+v", e)
	}
	var detail struct {
		State, PreviousState struct{ Value, ReasonData, Timestamp string }
	}
	if err := json.Unmarshal(e.Detail, &detail); err != nil {
		t.Fatal(err)
	}
	if detail.State.Value != "ALARM" || detail.PreviousState.Value != "OK" || detail.State.ReasonData != `{"version":"1.0"}` || detail.State.Timestamp != "2025-01-01T00:11:00.000+0000" {
		t.Errorf("%s", e.Detail)
	}
	if *item.Item.HistorySummary != "Alarm updated from OK to ALARM" {
		t.Errorf("%s", *item.Item.HistorySummary)
	}
	same, item := AlarmTransition(after, record.AlarmState{Value: "ALARM", Reason: "other"}, alarmNow.Add(time.Hour))
	if AlarmEvent(after, same) != nil || item != nil || !same.State.At.Equal(after.State.At) || same.State.Reason != "other" {
		t.Errorf("%+v", same.State)
	}
}
