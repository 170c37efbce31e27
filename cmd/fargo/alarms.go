package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fargo"
	apicloudwatch "fargo/api/cloudwatch"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/control"
	"fargo/metrics"
	"fargo/metrics/expression"
	"fargo/plan"
)

// newAlarmEvaluator makes what evaluates alarms on the metrics that are kept here.
func newAlarmEvaluator(p *plane) *control.AlarmEvaluator {
	return &control.AlarmEvaluator{DB: p.db, Datapoints: alarmMetrics{p.metrics}.datapoints, Logger: p.log, Pace: p.pace}
}

// alarmMetrics are the metrics that alarms look at.
type alarmMetrics struct{ store *metrics.Store }

// datapoints is an AlarmEvaluator's Datapoints. Without a unit, samples of all units count.
func (m alarmMetrics) datapoints(ctx context.Context, scope fargo.Scope, a *cloudwatch.MetricAlarm, at plan.AlarmRange) ([]plan.AlarmDatapoint, error) {
	if len(a.Metrics) > 0 {
		return m.evaluated(ctx, scope, a, at)
	}
	name := string(a.Statistic)
	if name == "" {
		name = aws.Value(a.ExtendedStatistic)
	}
	statistic, err := metrics.ParseStatistic(name)
	if err != nil {
		return nil, fmt.Errorf("read the statistic of an alarm: %w", err)
	}
	metric := metrics.Metric{Scope: scope, Namespace: aws.Value(a.Namespace), Name: aws.Value(a.MetricName)}
	for _, d := range a.Dimensions {
		metric.Dimensions = append(metric.Dimensions, metrics.Dimension{Name: aws.Value(d.Name), Value: aws.Value(d.Value)})
	}
	series, err := m.store.Statistics(ctx, metrics.Query{Metric: metric, Unit: string(a.Unit), Start: at.Start(), End: at.End, Period: at.Period})
	if err != nil {
		return nil, fmt.Errorf("read the metric of an alarm: %w", err)
	}
	sets := map[time.Time]metrics.StatisticSet{}
	for _, s := range series {
		for _, p := range s.Points {
			if known, ok := sets[p.Start]; ok {
				p.StatisticSet = known.Merge(p.StatisticSet)
			}
			sets[p.Start] = p.StatisticSet
		}
	}
	var points []plan.AlarmDatapoint
	for start, set := range sets {
		if v, ok := statistic.Of(set); ok {
			points = append(points, plan.AlarmDatapoint{Start: start, Value: v, Samples: set.Count})
		}
	}
	slices.SortFunc(points, func(a, b plan.AlarmDatapoint) int { return a.Start.Compare(b.Start) })
	return points, nil
}

// evaluated are the datapoints of an alarm on an expression.
func (m alarmMetrics) evaluated(ctx context.Context, scope fargo.Scope, a *cloudwatch.MetricAlarm, at plan.AlarmRange) ([]plan.AlarmDatapoint, error) {
	queries, err := apicloudwatch.AlarmQueries(scope, a, at.Period)
	if err != nil {
		return nil, fmt.Errorf("read the metrics of an alarm: %w", err)
	}
	results, err := expression.Evaluate(ctx, m.store, expression.Request{Scope: scope, Queries: queries, Start: at.Start(), End: at.End, Now: at.End, Zone: time.UTC})
	if err != nil {
		return nil, fmt.Errorf("evaluate the metrics of an alarm: %w", err)
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("evaluate the metrics of an alarm: there are %d results", len(results))
	}
	var points []plan.AlarmDatapoint
	for i, start := range results[0].Times {
		points = append(points, plan.AlarmDatapoint{Start: time.Unix(start, 0).UTC(), Value: results[0].Values[i], Samples: 1})
	}
	slices.SortFunc(points, func(a, b plan.AlarmDatapoint) int { return a.Start.Compare(b.Start) })
	return points, nil
}
