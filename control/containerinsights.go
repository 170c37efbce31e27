package control

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"fargo"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// InsightCounter counts each minute what the clusters with Container Insights have.
type InsightCounter struct {
	DB          *store.DB
	Metrics     Metrics
	Performance PerformanceLogs
	// Pace divides the minute.
	Pace   fargo.Pace
	Logger *slog.Logger
}

// insightSource is the source of the counts, as [Metrics] has it.
const insightSource = "container-insights"

// Run counts until ctx ends. A period in which it does not run is not counted.
func (c *InsightCounter) Run(ctx context.Context) error {
	for {
		_, next := plan.InsightPeriod(time.Now(), c.Pace)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(next)):
		}
		if err := c.count(ctx, next); err != nil && ctx.Err() == nil {
			c.Logger.Error("what clusters have is not counted", "err", err)
		}
	}
}

// count puts what there is at the end of a period. The number is of that end: one that has
// been counted, by a process before, is not counted again.
func (c *InsightCounter) count(ctx context.Context, end time.Time) error {
	view := c.DB.View()
	p, _ := plan.InsightPeriod(end, c.Pace)
	var data []plan.Datum
	var failed []error
	for cluster := range store.Clusters.All(view) {
		if plan.ContainerInsights(cluster) && *cluster.Cluster.Status == "ACTIVE" {
			tasks, services := clusterCounts(view, cluster)
			data = append(data, plan.InsightCounts(cluster, tasks, services, p)...)
			events := plan.CountEvents(cluster, tasks, services, end)
			failed = append(failed, c.Performance.PutPerformance(ctx, cluster.Scope, *cluster.Cluster.ClusterName, insightSource, uint64(end.Unix()), events))
		}
	}
	if len(data) > 0 {
		failed = append(failed, c.Metrics.PutMetrics(ctx, insightSource, uint64(end.Unix()), data))
	}
	return errors.Join(failed...)
}

// clusterCounts counts a cluster's running tasks, and what its active services have.
func clusterCounts(r store.Reader, c *record.Cluster) (running int, services []plan.ServiceCounts) {
	within := c.Scope.Key(*c.Cluster.ClusterName, "")
	for t := range store.Tasks.Prefix(r, within) {
		if t.LastStatus() == fargo.TaskRunning {
			running++
		}
	}
	for s := range store.Services.Prefix(r, within) {
		if s.Status() != "ACTIVE" {
			continue
		}
		counts := plan.ServiceCounts{Service: s, Desired: int(store.DesiredCount(r, s))}
		var tasks []plan.ServiceTask
		for t := range store.Tasks.By(r, store.TaskByService, s.Key()) {
			tasks = append(tasks, plan.ServiceTask{Task: t})
		}
		has, coming := plan.TaskCounts("", tasks)
		counts.Running, counts.Pending = int(has), int(coming)
		for d := range store.Deployments.By(r, store.ByService, s.Key()) {
			if !d.Retired {
				counts.Deployments++
			}
		}
		services = append(services, counts)
	}
	return running, services
}
