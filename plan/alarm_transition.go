package plan

import (
	"encoding/json"
	"fmt"
	"time"

	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/aws/protocol"
	"fargo/record"
)

// NewAlarm gives an alarm the state of one that has not been evaluated (recorded), which
// calls for no actions.
func NewAlarm(a record.Alarm, now time.Time) *record.Alarm {
	a.State = record.AlarmState{Value: cloudwatch.StateValueInsufficientData, Reason: "Unchecked: Initial alarm creation", At: now}
	a.Acted = record.AlarmActed{Value: a.State.Value, At: now}
	return &a
}

// AlarmTransition gives an alarm the state that it is in now, and the item of its history;
// nil when the state is as it was.
// Source: recorded answers of DescribeAlarmHistory.
func AlarmTransition(a *record.Alarm, to record.AlarmState, now time.Time) (*record.Alarm, *record.AlarmHistory) {
	next := *a
	from := a.State
	to.At, to.LeftAlarm = from.At, from.LeftAlarm
	if to.Value != from.Value {
		to.At = now
		if from.Value == cloudwatch.StateValueAlarm {
			to.LeftAlarm = now
		}
	}
	next.State = to
	if to.Value == from.Value {
		return &next, nil
	}
	next.Previous = from
	return &next, alarmHistory(a, now, 0, cloudwatch.HistoryItemTypeStateUpdate,
		fmt.Sprintf("Alarm updated from %s to %s", from.Value, to.Value),
		map[string]any{"version": "1.0", "oldState": historyState(from), "newState": historyState(to)})
}

func historyState(s record.AlarmState) map[string]any {
	out := map[string]any{"stateValue": s.Value, "stateReason": s.Reason}
	if s.Data != "" {
		out["stateReasonData"] = json.RawMessage(s.Data)
	}
	return out
}

func alarmHistory(a *record.Alarm, now time.Time, number int, kind cloudwatch.HistoryItemType, summary string, data any) *record.AlarmHistory {
	return &record.AlarmHistory{Scope: a.Scope, Number: number, Item: cloudwatch.AlarmHistoryItem{
		AlarmName: new(a.Name()), AlarmType: a.Type(), Timestamp: &now, HistoryItemType: kind, HistorySummary: &summary, HistoryData: new(jsonText(data)), // what SetAlarmState gave as JSON is JSON
	}}
}

// AlarmConfigured is the item of history for an alarm that was created, updated or deleted:
// what is "Create", "Update" or "Delete".
// Source: CloudWatch API, DescribeAlarmHistory; the data's form is inferred.
func AlarmConfigured(a *record.Alarm, what string, now time.Time) *record.AlarmHistory {
	shape := any(a.Metric)
	if a.Metric == nil {
		shape = a.Composite
	}
	detail, err := protocol.EventDetail(shape)
	if err != nil {
		panic(err) // an alarm always has JSON
	}
	done := map[string]string{"Create": "created", "Update": "updated", "Delete": "deleted"}[what]
	return alarmHistory(a, now, 0, cloudwatch.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q %s", a.Name(), done),
		map[string]any{"version": "1.0", "type": what, done + "Alarm": json.RawMessage(detail)})
}

// AlarmAction is the item of history for an action that was carried out, or could not be
// because of failed. number tells apart the actions of one time.
func AlarmAction(a *record.Alarm, action string, failed error, number int, now time.Time) *record.AlarmHistory {
	data := map[string]any{"actionState": "Succeeded", "notificationResource": action, "stateUpdateTimestamp": a.State.At.UnixMilli()}
	summary := "Successfully executed action " + action
	if failed != nil {
		summary = "Failed to execute action " + action + ". Received error: \"" + failed.Error() + "\""
		data["actionState"], data["error"] = "Failed", failed.Error()
	}
	return alarmHistory(a, now, number, cloudwatch.HistoryItemTypeAction, summary, data)
}

// AlarmEvent is what CloudWatch sends when an alarm has got into another state; nil when it
// has not.
// Source: CloudWatch user guide, "Alarm events and EventBridge".
func AlarmEvent(before, after *record.Alarm) *SentEvent {
	if before == nil || after == nil || before.State.Value == after.State.Value {
		return nil
	}
	id := eventID(after.ARN(), after.State.At)
	return &SentEvent{id, "aws.cloudwatch", "CloudWatch Alarm State Change", after.Scope, []string{after.ARN()}, AlarmDetail(after)}
}

// AlarmInvocation is what a function is given that is an alarm's action.
// Source: recorded.
func AlarmInvocation(a *record.Alarm, now time.Time) string {
	return jsonText(map[string]any{
		"source": "aws.cloudwatch", "alarmArn": a.ARN(), "accountId": a.Scope.Account, "region": a.Scope.Region,
		"time": alarmTime(now), "alarmData": AlarmDetail(a),
	})
}

// alarmDetail is what CloudWatch tells of a change of state.
// Source: CloudWatch user guide, "Alarm events and EventBridge"; recorded, of what is given
// to functions.
type alarmDetail struct {
	AlarmName     string             `json:"alarmName"`
	State         alarmDetailState   `json:"state"`
	PreviousState alarmDetailState   `json:"previousState"`
	Configuration alarmConfiguration `json:"configuration"`
}

type alarmDetailState struct {
	Value      cloudwatch.StateValue `json:"value"`
	Reason     string                `json:"reason"`
	ReasonData string                `json:"reasonData,omitempty"`
	Timestamp  string                `json:"timestamp"`
}

type alarmConfiguration struct {
	Description string        `json:"description,omitempty"`
	Metrics     []alarmMetric `json:"metrics,omitempty"`
	Rule        string        `json:"alarmRule,omitempty"`
	Suppressor  string        `json:"actionsSuppressor,omitempty"`
	Wait        *int32        `json:"actionsSuppressorWaitPeriod,omitempty"`
	Extension   *int32        `json:"actionsSuppressorExtensionPeriod,omitempty"`
}

type alarmMetric struct {
	ID         string           `json:"id"`
	Expression string           `json:"expression,omitempty"`
	Label      string           `json:"label,omitempty"`
	MetricStat *alarmMetricStat `json:"metricStat,omitempty"`
	ReturnData bool             `json:"returnData"`
}

type alarmMetricStat struct {
	Metric alarmMetricName `json:"metric"`
	Period int32           `json:"period"`
	Stat   string          `json:"stat"`
	Unit   string          `json:"unit,omitempty"`
}

type alarmMetricName struct {
	Namespace  string            `json:"namespace"`
	Name       string            `json:"name"`
	Dimensions map[string]string `json:"dimensions"`
}

// AlarmDetail is the detail of the event that CloudWatch sends of a change of state, and what
// it gives to functions as alarmData.
func AlarmDetail(a *record.Alarm) json.RawMessage {
	d := alarmDetail{AlarmName: a.Name(), State: detailState(a.State), PreviousState: detailState(a.Previous)}
	if c := a.Composite; c != nil {
		d.Configuration = alarmConfiguration{
			Description: aws.Value(c.AlarmDescription), Rule: aws.Value(c.AlarmRule), Suppressor: aws.Value(c.ActionsSuppressor),
			Wait: c.ActionsSuppressorWaitPeriod, Extension: c.ActionsSuppressorExtensionPeriod,
		}
	} else {
		d.Configuration = alarmConfiguration{Description: aws.Value(a.Metric.AlarmDescription), Metrics: alarmMetrics(a)}
	}
	return json.RawMessage(jsonText(d))
}

func detailState(s record.AlarmState) alarmDetailState {
	return alarmDetailState{s.Value, s.Reason, s.Data, alarmTime(s.At)}
}

func alarmMetrics(a *record.Alarm) (out []alarmMetric) {
	m := a.Metric
	if len(m.Metrics) == 0 {
		stat := string(m.Statistic)
		if stat == "" {
			stat = aws.Value(m.ExtendedStatistic)
		}
		return []alarmMetric{{
			ID: eventID(a.ARN()), ReturnData: true,
			MetricStat: &alarmMetricStat{alarmMetricName{aws.Value(m.Namespace), aws.Value(m.MetricName), dimensionMap(m.Dimensions)}, aws.Value(m.Period), stat, string(m.Unit)},
		}}
	}
	for _, q := range m.Metrics {
		made := alarmMetric{ID: aws.Value(q.Id), Expression: aws.Value(q.Expression), Label: aws.Value(q.Label), ReturnData: aws.ValueOr(q.ReturnData, true)}
		if s := q.MetricStat; s != nil {
			name := alarmMetricName{aws.Value(s.Metric.Namespace), aws.Value(s.Metric.MetricName), dimensionMap(s.Metric.Dimensions)}
			made.MetricStat = &alarmMetricStat{name, aws.Value(s.Period), aws.Value(s.Stat), string(s.Unit)}
		}
		out = append(out, made)
	}
	return out
}

func dimensionMap(in []cloudwatch.Dimension) map[string]string {
	out := map[string]string{}
	for _, d := range in {
		out[aws.Value(d.Name)] = aws.Value(d.Value)
	}
	return out
}
