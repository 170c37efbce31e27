package plan

import (
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// EvaluateComposite gives the state of a composite alarm: ALARM when its rule holds.
// trigger is the child that changed last, nil when none is known.
// Sources: CloudWatch user guide, "Create a composite alarm"; recorded, of the data.
func EvaluateComposite(a *record.Alarm, children AlarmStates, trigger *record.Alarm) record.AlarmState {
	state := record.AlarmState{Value: cloudwatch.StateValueOk, Reason: "The rule of the alarm evaluated to FALSE."}
	rule, err := ParseAlarmRule(*a.Composite.AlarmRule)
	if err != nil {
		return a.State // PutCompositeAlarm has refused it
	}
	if rule.Holds(children) {
		state.Value, state.Reason = cloudwatch.StateValueAlarm, "The rule of the alarm evaluated to TRUE."
	}
	if trigger == nil {
		return state
	}
	state.Reason = trigger.ARN() + " transitioned to " + string(trigger.State.Value) + " at " + trigger.State.At.UTC().Format("Monday 02 January, 2006 15:04:05 MST")
	state.Data = jsonText(map[string]any{"triggeringAlarms": []any{map[string]any{
		"arn": trigger.ARN(), "state": map[string]any{"value": trigger.State.Value, "timestamp": alarmTime(trigger.State.At)},
	}}})
	return state
}

// AlarmSuppression tells why the actions of a composite alarm wait; by is empty when they do
// not. The answer holds until a time, zero for as long as the suppressor stays as it is.
// Source: CloudWatch user guide, "Composite alarm action suppression".
func AlarmSuppression(a, suppressor *record.Alarm, pace fargo.Pace, now time.Time) (by cloudwatch.ActionsSuppressedBy, until time.Time) {
	c := a.Composite
	if c == nil || c.ActionsSuppressor == nil || suppressor == nil {
		return "", time.Time{}
	}
	if suppressor.State.Value == cloudwatch.StateValueAlarm {
		return cloudwatch.ActionsSuppressedByAlarm, time.Time{}
	}
	seconds := func(n *int32) time.Duration { return pace.Of(time.Duration(aws.Value(n)) * time.Second) }
	if left := suppressor.State.LeftAlarm; !left.IsZero() {
		if until := left.Add(seconds(c.ActionsSuppressorExtensionPeriod)); now.Before(until) {
			return cloudwatch.ActionsSuppressedByExtensionPeriod, until
		}
		if left.After(a.State.At) { // it has waited for the suppressor
			return "", time.Time{}
		}
	}
	if until := a.State.At.Add(seconds(c.ActionsSuppressorWaitPeriod)); now.Before(until) {
		return cloudwatch.ActionsSuppressedByWaitPeriod, until
	}
	return "", time.Time{}
}
