package cloudwatch

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// alarmPages are those of alarms and of their history. Source: CloudWatch API, MaxRecords.
var alarmPages = page.Rules{
	Default:  100,
	BadToken: func(string) error { return cloudwatch.InvalidNextToken("The next token is not valid.") },
}

// DescribeAlarms shows alarms by their names: those on metrics, unless others are asked for.
func (s *Server) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	if in.AlarmNames != nil && in.AlarmNamePrefix != nil {
		return nil, invalid("AlarmNames and AlarmNamePrefix are mutually exclusive.")
	}
	view, scope := s.db.View(), scopeOf(ctx)
	if in.ChildrenOfAlarmName != nil || in.ParentsOfAlarmName != nil {
		return describeRelatives(view, scope, in)
	}
	found, next, err := page.Of(alarmPages.Ask(in, in.NextToken, in.MaxRecords), asked(view, scope, in), (*record.Alarm).Key)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []cloudwatch.MetricAlarm{}, CompositeAlarms: []cloudwatch.CompositeAlarm{}, NextToken: next}
	for _, a := range found {
		if a.Metric != nil {
			out.MetricAlarms = append(out.MetricAlarms, metricAlarm(a))
		} else {
			out.CompositeAlarms = append(out.CompositeAlarms, s.compositeAlarm(view, a))
		}
	}
	return out, nil
}

// asked are the alarms that a call asks for, by their names.
func asked(r store.Reader, scope fargo.Scope, in *cloudwatch.DescribeAlarmsInput) iter.Seq[*record.Alarm] {
	types := in.AlarmTypes
	if len(types) == 0 {
		types = []cloudwatch.AlarmType{cloudwatch.AlarmTypeMetricAlarm}
	}
	return func(yield func(*record.Alarm) bool) {
		for a := range store.Alarms.Prefix(r, scope.Key(aws.Value(in.AlarmNamePrefix))) {
			wanted := slices.Contains(types, a.Type()) && (len(in.AlarmNames) == 0 || slices.Contains(in.AlarmNames, a.Name())) &&
				(in.StateValue == "" || a.State.Value == in.StateValue) &&
				(in.ActionPrefix == nil || slices.ContainsFunc(a.AllActions(), func(arn string) bool { return strings.HasPrefix(arn, *in.ActionPrefix) }))
			if wanted && !yield(a) {
				return
			}
		}
	}
}

// describeRelatives shows the alarms that a composite one depends on, or the composite ones
// that depend on an alarm: no more of them than who they are, and of the former their states.
// Source: CloudWatch API, DescribeAlarms, ChildrenOfAlarmName and ParentsOfAlarmName.
func describeRelatives(r store.Reader, scope fargo.Scope, in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
	only := cloudwatch.DescribeAlarmsInput{ChildrenOfAlarmName: in.ChildrenOfAlarmName, ParentsOfAlarmName: in.ParentsOfAlarmName}
	if in.ChildrenOfAlarmName != nil && in.ParentsOfAlarmName != nil || in.AlarmNames != nil || in.AlarmNamePrefix != nil || in.AlarmTypes != nil || in.StateValue != "" || in.ActionPrefix != nil {
		return nil, invalid("ChildrenOfAlarmName and ParentsOfAlarmName cannot be used with other parameters than MaxRecords and NextToken.")
	}
	var relatives []*record.Alarm
	if name := in.ChildrenOfAlarmName; name != nil {
		parent, ok := store.Alarms.Get(r, scope.Key(*name))
		if !ok {
			return nil, cloudwatch.ResourceNotFound("There is no alarm %s.", *name)
		}
		for _, child := range parent.Children {
			if a, ok := store.Alarms.Get(r, scope.Key(child)); ok {
				relatives = append(relatives, a)
			}
		}
	} else {
		relatives = slices.Collect(store.Alarms.By(r, store.AlarmByChild, scope.Key(*in.ParentsOfAlarmName)))
	}
	found, next, err := page.Of(alarmPages.Ask(&only, in.NextToken, in.MaxRecords), slices.Values(relatives), (*record.Alarm).Key)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.DescribeAlarmsOutput{MetricAlarms: []cloudwatch.MetricAlarm{}, CompositeAlarms: []cloudwatch.CompositeAlarm{}, NextToken: next}
	for _, a := range found {
		state, at := cloudwatch.StateValue(""), (*time.Time)(nil)
		if in.ChildrenOfAlarmName != nil {
			state, at = a.State.Value, &a.State.At
		}
		if a.Metric != nil {
			out.MetricAlarms = append(out.MetricAlarms, cloudwatch.MetricAlarm{AlarmName: new(a.Name()), AlarmArn: new(a.ARN()), StateValue: state, StateUpdatedTimestamp: at})
		} else {
			out.CompositeAlarms = append(out.CompositeAlarms, cloudwatch.CompositeAlarm{AlarmName: new(a.Name()), AlarmArn: new(a.ARN()), StateValue: state, StateUpdatedTimestamp: at})
		}
	}
	return out, nil
}

// metricAlarm shows an alarm on a metric, with its state.
func metricAlarm(a *record.Alarm) cloudwatch.MetricAlarm {
	m := *a.Metric
	m.StateValue, m.StateReason, m.StateReasonData = a.State.Value, &a.State.Reason, aws.NonZero(a.State.Data)
	m.StateUpdatedTimestamp, m.StateTransitionedTimestamp = &a.State.At, &a.State.At
	return m
}

// compositeAlarm shows a composite alarm, with its state and why its actions wait.
func (s *Server) compositeAlarm(r store.Reader, a *record.Alarm) cloudwatch.CompositeAlarm {
	c := *a.Composite
	c.StateValue, c.StateReason, c.StateReasonData = a.State.Value, &a.State.Reason, aws.NonZero(a.State.Data)
	c.StateUpdatedTimestamp, c.StateTransitionedTimestamp = &a.State.At, &a.State.At
	if c.ActionsSuppressor == nil || a.HasActed() {
		return c
	}
	suppressor, _ := store.AlarmOfRule(r, a.Scope, *c.ActionsSuppressor)
	if c.ActionsSuppressedBy, _ = plan.AlarmSuppression(a, suppressor, s.pace, time.Now()); c.ActionsSuppressedBy != "" {
		c.ActionsSuppressedReason = new("Actions suppressed by " + string(c.ActionsSuppressedBy))
	}
	return c
}

// DescribeAlarmsForMetric shows the alarms on a metric.
func (s *Server) DescribeAlarmsForMetric(ctx context.Context, in *cloudwatch.DescribeAlarmsForMetricInput) (*cloudwatch.DescribeAlarmsForMetricOutput, error) {
	out := &cloudwatch.DescribeAlarmsForMetricOutput{MetricAlarms: []cloudwatch.MetricAlarm{}}
	for a := range store.Alarms.Prefix(s.db.View(), scopeOf(ctx).Key("")) {
		if m := a.Metric; m != nil && watches(m, in) {
			out.MetricAlarms = append(out.MetricAlarms, metricAlarm(a))
		}
	}
	return out, nil
}

func watches(m *cloudwatch.MetricAlarm, in *cloudwatch.DescribeAlarmsForMetricInput) bool {
	names := func(namespace, name *string, dimensions []cloudwatch.Dimension) bool {
		return aws.Value(namespace) == *in.Namespace && aws.Value(name) == *in.MetricName && sameDimensions(dimensions, in.Dimensions)
	}
	if slices.ContainsFunc(m.Metrics, func(q cloudwatch.MetricDataQuery) bool {
		s := q.MetricStat
		return s != nil && names(s.Metric.Namespace, s.Metric.MetricName, s.Metric.Dimensions) && (in.Period == nil || *in.Period == aws.Value(s.Period))
	}) {
		return in.Statistic == "" && in.ExtendedStatistic == nil && in.Unit == ""
	}
	return names(m.Namespace, m.MetricName, m.Dimensions) && (in.Statistic == "" || in.Statistic == m.Statistic) &&
		(in.ExtendedStatistic == nil || *in.ExtendedStatistic == aws.Value(m.ExtendedStatistic)) &&
		(in.Period == nil || *in.Period == aws.Value(m.Period)) && (in.Unit == "" || in.Unit == m.Unit)
}

// sameDimensions compares dimensions, which have no order.
func sameDimensions(a, b []cloudwatch.Dimension) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(x cloudwatch.Dimension) bool {
		return !slices.ContainsFunc(b, func(y cloudwatch.Dimension) bool {
			return aws.Value(x.Name) == aws.Value(y.Name) && aws.Value(x.Value) == aws.Value(y.Value)
		})
	})
}

// DescribeAlarmHistory shows what has become of alarms, the newest first unless asked
// otherwise: of those on metrics, unless others are asked for.
func (s *Server) DescribeAlarmHistory(ctx context.Context, in *cloudwatch.DescribeAlarmHistoryInput) (*cloudwatch.DescribeAlarmHistoryOutput, error) {
	if in.AlarmContributorId != nil {
		return nil, notImplemented("alarms with several contributors")
	}
	types := in.AlarmTypes
	if len(types) == 0 {
		types = []cloudwatch.AlarmType{cloudwatch.AlarmTypeMetricAlarm}
	}
	prefix := scopeOf(ctx).Key("")
	if in.AlarmName != nil {
		prefix = scopeOf(ctx).Key(*in.AlarmName, "")
	}
	items := []*record.AlarmHistory{}
	for h := range store.AlarmHistory.Prefix(s.db.View(), prefix) {
		i := &h.Item
		if slices.Contains(types, i.AlarmType) && (in.AlarmName == nil || *i.AlarmName == *in.AlarmName) && (in.HistoryItemType == "" || i.HistoryItemType == in.HistoryItemType) &&
			(in.StartDate == nil || !i.Timestamp.Before(*in.StartDate)) && (in.EndDate == nil || !i.Timestamp.After(*in.EndDate)) {
			items = append(items, h)
		}
	}
	slices.SortFunc(items, func(a, b *record.AlarmHistory) int { return strings.Compare(historyKey(a), historyKey(b)) })
	descending := in.ScanBy != cloudwatch.ScanByTimestampAscending
	if descending {
		slices.Reverse(items)
	}
	found, next, err := page.Of(alarmPages.Ask(in, in.NextToken, in.MaxRecords).Descending(descending), slices.Values(items), historyKey)
	out := &cloudwatch.DescribeAlarmHistoryOutput{AlarmHistoryItems: []cloudwatch.AlarmHistoryItem{}, NextToken: next}
	for _, h := range found {
		out.AlarmHistoryItems = append(out.AlarmHistoryItems, h.Item)
	}
	return out, err
}

// historyKey orders items by their time.
func historyKey(h *record.AlarmHistory) string {
	return h.Item.Timestamp.UTC().Format("20060102T150405.000000000") + h.Key()
}
