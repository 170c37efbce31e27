package control

import (
	"context"
	"strconv"

	"fargo"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Metrics takes data of metrics.
type Metrics interface {
	// PutMetrics adds data of a source that numbers what it sends, upwards and from 1 on:
	// a number that it has is not added again.
	PutMetrics(ctx context.Context, source string, number uint64, data []plan.Datum) error
}

// PerformanceLogs takes the log events of Container Insights.
type PerformanceLogs interface {
	// PutPerformance adds events of a source that numbers what it sends, as
	// [Metrics.PutMetrics] does. The cluster's log group is made if there is none.
	PutPerformance(ctx context.Context, scope fargo.Scope, cluster, source string, number uint64, events []plan.PerformanceEvent) error
}

// PutMeasurements makes data of metrics of what a node has measured. Measurements of tasks
// that are forgotten, or are another node's by now, and of load balancers that are gone, are
// of nothing.
func (p *Plane) PutMeasurements(ctx context.Context, node string, m desired.Measurements) error {
	view := p.DB.View()
	var data []plan.Datum
	tasks := map[string]*plan.MeasuredTask{}
	for i := range m.Tasks {
		if t := measuredTask(view, node, m.Tasks[i].TaskARN); t != nil {
			tasks[m.Tasks[i].TaskARN] = t
			data = append(data, plan.TaskData(t, &m.Tasks[i], m.End, p.Pace)...)
		}
	}
	data = append(data, plan.BalancersData(m.Balancers, m.End, p.Pace)...)
	source := node + "/" + m.Sequence
	if err := p.Metrics.PutMetrics(ctx, source, m.Number, data); err != nil {
		return err
	}
	if p.Exporter != nil {
		p.Exporter.take(source, &m, tasks)
	}
	if !plan.EndsMinute(m.End, p.Pace) {
		return nil
	}
	return p.putPerformance(ctx, node, &m, tasks)
}

// putPerformance writes the performance events of tasks of clusters with Container Insights.
func (p *Plane) putPerformance(ctx context.Context, node string, m *desired.Measurements, tasks map[string]*plan.MeasuredTask) error {
	clusters := map[*record.Cluster][]plan.PerformanceEvent{}
	for i := range m.Tasks {
		if t := tasks[m.Tasks[i].TaskARN]; t != nil && plan.ContainerInsights(t.Cluster) {
			clusters[t.Cluster] = append(clusters[t.Cluster], plan.TaskEvents(t, &m.Tasks[i], m.End, node)...)
		}
	}
	for c, events := range clusters {
		if err := p.Performance.PutPerformance(ctx, c.Scope, *c.Cluster.ClusterName, node+"/"+m.Sequence, m.Number, events); err != nil {
			return err
		}
	}
	return nil
}

// measuredTask is a task of a node's, with what its metrics depend on; nil for none.
func measuredTask(r store.Reader, node, arn string) *plan.MeasuredTask {
	t, ok := taskByARN(r, arn)
	if !ok || t.Node != node {
		return nil
	}
	c, ok := store.Clusters.Get(r, t.Scope.Key(t.Cluster))
	if !ok {
		return nil
	}
	m := &plan.MeasuredTask{Task: t, Cluster: c}
	if d, ok := store.TaskDefinitionByARN(r, *t.Intent.TaskDefinitionArn); ok {
		m.Family, m.Revision = *d.Definition.Family, strconv.Itoa(int(*d.Definition.Revision))
	}
	return m
}
