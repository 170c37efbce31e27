package main

import (
	"context"
	"errors"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/desired"
	"fargo/logs"
	"fargo/plan"
)

// performanceLogs are the log events of Container Insights.
type performanceLogs struct{ store *logs.Store }

// PutPerformance implements [control.PerformanceLogs].
func (p performanceLogs) PutPerformance(ctx context.Context, scope fargo.Scope, cluster, source string, number uint64, events []plan.PerformanceEvent) error {
	byStream := map[string][]desired.LogEvent{}
	for _, e := range events {
		byStream[e.Stream] = append(byStream[e.Stream], desired.LogEvent{Timestamp: e.At.UnixMilli(), Message: e.Text})
	}
	var errs []error
	for stream, all := range byStream {
		batch := desired.LogBatch{
			Target: desired.LogTarget{Account: scope.Account, Region: scope.Region, Group: plan.PerformanceGroup(cluster), Stream: stream},
			Source: source, From: int64(number) - 1, To: int64(number), Events: all,
		}
		errs = append(errs, p.append(ctx, scope, batch))
	}
	return errors.Join(errs...)
}

// append adds a batch, to a group and a stream that are made if they are not there.
func (p performanceLogs) append(ctx context.Context, scope fargo.Scope, batch desired.LogBatch) error {
	_, err := p.store.Append(ctx, batch)
	if !errdefs.IsNotFound(err) {
		return err
	}
	group := logs.Group{Name: batch.Target.Group, Class: "STANDARD", RetentionDays: plan.PerformanceRetention}
	if err := p.store.CreateGroup(ctx, scope, group); err != nil && !errors.Is(err, logs.ErrGroupExists) {
		return err
	}
	if err := p.store.CreateStream(ctx, scope, group.Name, batch.Target.Stream); err != nil && !errors.Is(err, logs.ErrStreamExists) {
		return err
	}
	_, err = p.store.Append(ctx, batch)
	return err
}
