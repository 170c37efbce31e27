package record

import (
	"strconv"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/cloudwatch"
)

// Alarm is an alarm of CloudWatch: on a metric, or composite.
//
// The API writes Metric, Composite, Tags and Children, and lets State begin. The alarm controller
// writes State, Previous and Acted; SetAlarmState writes the former two too, until the next evaluation.
type Alarm struct {
	Scope fargo.Scope
	// Metric and Composite are what the user wants; one of them is nil. The state in them
	// is not kept: it is an answer.
	Metric    *cloudwatch.MetricAlarm    `json:",omitzero"`
	Composite *cloudwatch.CompositeAlarm `json:",omitzero"`
	Tags      []cloudwatch.Tag           `json:",omitempty"`
	// Children are the names of the alarms that a composite one depends on.
	Children []string `json:",omitempty"`

	State AlarmState
	// Previous is the state before it.
	Previous AlarmState `json:",omitzero"`
	// Acted is the transition whose actions have been carried out.
	Acted AlarmActed `json:",omitzero"`
}

// AlarmState is the state of an alarm, and why.
type AlarmState struct {
	Value  cloudwatch.StateValue
	Reason string
	Data   string    `json:",omitempty"` // in JSON, for machines
	At     time.Time // when the value changed last
	// LeftAlarm is when the state was last ALARM and became another.
	LeftAlarm time.Time `json:",omitzero"`
}

// AlarmActed is the transition of an alarm that its actions were carried out for.
type AlarmActed struct {
	Value cloudwatch.StateValue
	At    time.Time // of the transition
}

// HasActed reports whether the actions for the state that the alarm is in have been carried
// out.
func (a *Alarm) HasActed() bool {
	return a.Acted.Value == a.State.Value && a.Acted.At.Equal(a.State.At)
}

// Key is the alarm's place in the store.
func (a *Alarm) Key() string { return a.Scope.Key(a.Name()) }

// Name is the alarm's name.
func (a *Alarm) Name() string {
	if a.Metric != nil {
		return *a.Metric.AlarmName
	}
	return *a.Composite.AlarmName
}

// ARN is the alarm's full name.
func (a *Alarm) ARN() string { return a.Scope.ARN("cloudwatch", "alarm:"+a.Name()) }

// Type is the alarm's type, as DescribeAlarms is asked for it.
func (a *Alarm) Type() cloudwatch.AlarmType {
	if a.Metric != nil {
		return cloudwatch.AlarmTypeMetricAlarm
	}
	return cloudwatch.AlarmTypeCompositeAlarm
}

// ActionsEnabled reports whether the alarm's actions are carried out.
func (a *Alarm) ActionsEnabled() bool {
	if a.Metric != nil {
		return aws.ValueOr(a.Metric.ActionsEnabled, true)
	}
	return aws.ValueOr(a.Composite.ActionsEnabled, true)
}

// Actions are the ARNs of what is to be done when the alarm gets into a state.
func (a *Alarm) Actions(state cloudwatch.StateValue) []string {
	ok, alarm, insufficient := a.actions()
	switch state {
	case cloudwatch.StateValueOk:
		return ok
	case cloudwatch.StateValueAlarm:
		return alarm
	}
	return insufficient
}

// AllActions are those for every state.
func (a *Alarm) AllActions() (all []string) {
	ok, alarm, insufficient := a.actions()
	return append(append(append(all, ok...), alarm...), insufficient...)
}

func (a *Alarm) actions() (ok, alarm, insufficient []string) {
	if m := a.Metric; m != nil {
		return m.OKActions, m.AlarmActions, m.InsufficientDataActions
	}
	c := a.Composite
	return c.OKActions, c.AlarmActions, c.InsufficientDataActions
}

// AlarmHistory is an item of an alarm's history.
type AlarmHistory struct {
	Scope fargo.Scope
	// Number orders the items of one time.
	Number int
	Item   cloudwatch.AlarmHistoryItem
}

// Key is the item's place in the store.
func (h *AlarmHistory) Key() string {
	return h.Scope.Key(*h.Item.AlarmName, h.Item.Timestamp.UTC().Format("20060102T150405.000000000"), string(h.Item.HistoryItemType), strconv.Itoa(h.Number))
}
