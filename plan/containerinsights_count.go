package plan

import (
	"time"

	"fargo"
	"fargo/record"
)

// ServiceCounts are what a service has at a time.
type ServiceCounts struct {
	Service                                *record.Service
	Desired, Running, Pending, Deployments int
}

// InsightCounts are the metrics of Container Insights that count what a cluster has: its
// running tasks, its services, and what those have. Task sets and container instances are
// none yet.
// Source: CloudWatch user guide, "Amazon ECS Container Insights metrics".
func InsightCounts(c *record.Cluster, tasks int, services []ServiceCounts, p MetricPeriod) []Datum {
	cluster := MetricDimension{"ClusterName", *c.Cluster.ClusterName}
	count := func(name string, n int) insight { return insight{name, "Count", float64(n)} }
	data := insightData(c.Scope, p, []insight{
		count("TaskCount", tasks), count("ServiceCount", len(services)), count("ContainerInstanceCount", 0),
	}, []MetricDimension{cluster})
	for _, s := range services {
		data = append(data, insightData(c.Scope, p, []insight{
			count("DesiredTaskCount", s.Desired), count("RunningTaskCount", s.Running), count("PendingTaskCount", s.Pending),
			count("DeploymentCount", s.Deployments), count("TaskSetCount", 0),
		}, []MetricDimension{cluster, {"ServiceName", s.Service.Name()}})...)
	}
	return data
}

// InsightPeriod is the period of such counts that ends at a time, or ended last before it.
func InsightPeriod(now time.Time, pace fargo.Pace) (p MetricPeriod, next time.Time) {
	length := pace.WholeSeconds(metricPeriod)
	end := now.Truncate(length)
	p, _ = periodOf(metricPeriod, end, pace)
	return p, end.Add(length)
}
