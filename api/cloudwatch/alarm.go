package cloudwatch

import (
	"context"
	"time"

	"fargo"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// now is a time as alarms keep it.
func now() time.Time { return time.Now().UTC() }

// notImplemented names something that would change what happens, if Fargo knew how.
func notImplemented(what string) error { return invalid("Fargo does not implement %s.", what) }

// noAlarm is recorded: it has no text.
func noAlarm() error { return cloudwatch.ResourceNotFound("") }

func taggedAlarm(r store.Reader, scope fargo.Scope, name string) (*tags.Resource[cloudwatch.Tag], bool) {
	a, ok := store.Alarms.Get(r, scope.Key(name))
	if !ok {
		return nil, false
	}
	return tags.Of(store.Alarms, a, func(a *record.Alarm) *[]cloudwatch.Tag { return &a.Tags }), true
}

// PutMetricAlarm makes an alarm on a metric, or another one of it. Its state begins anew only
// when it is new.
func (s *Server) PutMetricAlarm(ctx context.Context, in *cloudwatch.PutMetricAlarmInput) (*cloudwatch.PutMetricAlarmOutput, error) {
	if err := checkMetricAlarm(scopeOf(ctx), in); err != nil {
		return nil, err
	}
	at := now()
	m := &cloudwatch.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: new(scopeOf(ctx).ARN(service, "alarm:"+*in.AlarmName)), AlarmDescription: in.AlarmDescription,
		AlarmConfigurationUpdatedTimestamp: &at, ActionsEnabled: new(aws.ValueOr(in.ActionsEnabled, true)),
		OKActions: aws.List(in.OKActions), AlarmActions: aws.List(in.AlarmActions), InsufficientDataActions: aws.List(in.InsufficientDataActions),
		MetricName: in.MetricName, Namespace: in.Namespace, Statistic: in.Statistic, ExtendedStatistic: in.ExtendedStatistic, Dimensions: in.Dimensions,
		Period: in.Period, Unit: in.Unit, EvaluationPeriods: in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm, Threshold: in.Threshold,
		ComparisonOperator: in.ComparisonOperator, TreatMissingData: in.TreatMissingData, EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile,
		Metrics: in.Metrics,
	}
	if in.Metrics == nil {
		m.Dimensions = aws.List(in.Dimensions)
	}
	return &cloudwatch.PutMetricAlarmOutput{}, s.putAlarm(ctx, &record.Alarm{Scope: scopeOf(ctx), Metric: m, Tags: in.Tags}, at)
}

// putAlarm stores an alarm in the place of the one of its name.
func (s *Server) putAlarm(ctx context.Context, made *record.Alarm, at time.Time) error {
	return s.update(ctx, func(tx *store.Tx, _ fargo.Scope) error {
		if made.Composite != nil {
			if err := checkChildren(tx, made); err != nil {
				return err
			}
		}
		old, ok := store.Alarms.Get(tx, made.Key())
		if !ok {
			if err := tagRules.Check(made.Tags); err != nil {
				return err
			}
			made = plan.NewAlarm(*made, at)
			store.Alarms.Put(tx, made)
			store.AlarmHistory.Put(tx, plan.AlarmConfigured(made, "Create", at))
			return nil
		}
		if old.Type() != made.Type() {
			return invalid("There is a %s with the name %s.", old.Type(), made.Name())
		}
		made.Tags, made.State, made.Previous, made.Acted = old.Tags, old.State, old.Previous, old.Acted
		store.Alarms.Put(tx, made)
		store.AlarmHistory.Put(tx, plan.AlarmConfigured(made, "Update", at))
		return nil
	})
}

// DeleteAlarms deletes alarms. Those that are not there do no harm; one that others depend on
// keeps all from being deleted.
func (s *Server) DeleteAlarms(ctx context.Context, in *cloudwatch.DeleteAlarmsInput) (*cloudwatch.DeleteAlarmsOutput, error) {
	return &cloudwatch.DeleteAlarmsOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		composites := 0
		for _, name := range in.AlarmNames {
			a, ok := store.Alarms.Get(tx, scope.Key(name))
			if !ok {
				continue
			}
			if a.Composite != nil {
				composites++
			}
			for range store.Alarms.By(tx, store.AlarmByChild, a.Key()) {
				return invalid("Cannot delete alarm %s as there are composite alarm(s) depending on it.", name)
			}
		}
		if composites > 1 {
			return invalid("At most one composite alarm can be deleted in one call.")
		}
		for _, name := range in.AlarmNames {
			if a, ok := store.Alarms.Get(tx, scope.Key(name)); ok {
				store.Alarms.Delete(tx, a.Key())
				store.AlarmHistory.Put(tx, plan.AlarmConfigured(a, "Delete", now()))
			}
		}
		return nil
	})
}

// SetAlarmState sets the state of an alarm, until it is evaluated again.
func (s *Server) SetAlarmState(ctx context.Context, in *cloudwatch.SetAlarmStateInput) (*cloudwatch.SetAlarmStateOutput, error) {
	if in.StateReasonData != nil && !isJSON(*in.StateReasonData) {
		return nil, cloudwatch.InvalidFormatFault("StateReasonData must be valid JSON.")
	}
	return &cloudwatch.SetAlarmStateOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		a, ok := store.Alarms.Get(tx, scope.Key(*in.AlarmName))
		if !ok {
			return noAlarm()
		}
		next, item := plan.AlarmTransition(a, record.AlarmState{Value: in.StateValue, Reason: *in.StateReason, Data: aws.Value(in.StateReasonData)}, now())
		store.Alarms.Put(tx, next)
		if item != nil {
			store.AlarmHistory.Put(tx, item)
		}
		return nil
	})
}

// EnableAlarmActions has alarms carry out their actions again.
func (s *Server) EnableAlarmActions(ctx context.Context, in *cloudwatch.EnableAlarmActionsInput) (*cloudwatch.EnableAlarmActionsOutput, error) {
	return &cloudwatch.EnableAlarmActionsOutput{}, s.enable(ctx, in.AlarmNames, true)
}

// DisableAlarmActions keeps alarms from carrying out their actions.
func (s *Server) DisableAlarmActions(ctx context.Context, in *cloudwatch.DisableAlarmActionsInput) (*cloudwatch.DisableAlarmActionsOutput, error) {
	return &cloudwatch.DisableAlarmActionsOutput{}, s.enable(ctx, in.AlarmNames, false)
}

func (s *Server) enable(ctx context.Context, names []string, enabled bool) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		for _, name := range names {
			a, ok := store.Alarms.Get(tx, scope.Key(name))
			if !ok || a.ActionsEnabled() == enabled {
				continue
			}
			next, at := *a, now()
			if a.Metric != nil {
				m := *a.Metric
				m.ActionsEnabled, m.AlarmConfigurationUpdatedTimestamp = &enabled, &at
				next.Metric = &m
			} else {
				c := *a.Composite
				c.ActionsEnabled, c.AlarmConfigurationUpdatedTimestamp = &enabled, &at
				next.Composite = &c
			}
			store.Alarms.Put(tx, &next)
			store.AlarmHistory.Put(tx, plan.AlarmConfigured(&next, "Update", at))
		}
		return nil
	})
}
