package plan

import (
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// MeasuredTask is a task that was measured, and what its metrics depend on.
type MeasuredTask struct {
	Task     *record.Task
	Family   string
	Revision string // of the task definition
	Cluster  *record.Cluster
}

// Reserved is what the task may use: CPU units, and bytes of memory; 0 without a limit.
func (t *MeasuredTask) Reserved() (cpu, memory float64) {
	return float64(number(t.Task.Intent.Cpu)), float64(number(t.Task.Intent.Memory) << 20)
}

// MetricPeriod is a period that a measurement ends, and the time that its data have.
type MetricPeriod struct {
	Start time.Time
	// High says that data are kept by the second: a period is shorter than a minute.
	High bool
}

// The periods of metrics. Source: ECS API, MetricConfiguration, resolutionSeconds.
const (
	metricPeriod     = time.Minute
	fineMetricPeriod = desired.FineResolution * time.Second
)

// periodOf is the period of a length at AWS's pace that ends at a time, if one does.
func periodOf(length time.Duration, end time.Time, pace fargo.Pace) (p MetricPeriod, ends bool) {
	length = pace.WholeSeconds(length)
	return MetricPeriod{Start: end.Add(-length), High: length < metricPeriod}, end.Equal(end.Truncate(length))
}

// TaskData are what a task's measurement is of CloudWatch's metrics. end is that of the
// measurement.
func TaskData(t *MeasuredTask, m *desired.TaskMeasurement, end time.Time, pace fargo.Pace) []Datum {
	data := utilization(t, m, end, pace)
	if p, ends := periodOf(metricPeriod, end, pace); ends && ContainerInsights(t.Cluster) {
		data = append(data, insightsOfTask(t, m, end, p)...)
	}
	return data
}

// EndsMinute reports whether a measurement that ends at a time is one of all tasks.
func EndsMinute(end time.Time, pace fargo.Pace) bool {
	_, ends := periodOf(metricPeriod, end, pace)
	return ends
}

// BalancersData are what load balancers' measurements are of CloudWatch's metrics. end is
// that of the measurement.
func BalancersData(measured []desired.BalancerMeasurement, end time.Time, pace fargo.Pace) []Datum {
	p, _ := periodOf(metricPeriod, end, pace)
	data := BalancerData(measured, p.Start, end.Sub(p.Start))
	for i := range data {
		data[i].HighResolution = p.High
	}
	return data
}

// The metrics of AWS/ECS. Source: ECS developer guide, "CloudWatch metrics".
const (
	cpuUtilization    = "CPUUtilization"
	memoryUtilization = "MemoryUtilization"
	ebsUtilization    = "EBSFilesystemUtilization"
)

// utilization is how much a service's task has used of what it may use, in percent.
// Source: ECS developer guide, "Amazon ECS service utilization metrics".
func utilization(t *MeasuredTask, m *desired.TaskMeasurement, end time.Time, pace fargo.Pace) (data []Datum) {
	if t.Task.Service == "" {
		return nil
	}
	dimensions := serviceDimensions(t)
	add := func(name string, used, reserved float64) {
		length := metricPeriod
		if metricResolution(t.Task.Monitoring, name) == desired.FineResolution {
			length = fineMetricPeriod
		}
		if p, ends := periodOf(length, end, pace); ends && reserved > 0 {
			data = append(data, Datum{
				Scope: t.Task.Scope, Namespace: "AWS/ECS", Name: name, Dimensions: dimensions, Unit: "Percent",
				Time: p.Start, HighResolution: p.High, Values: []float64{100 * used / reserved},
			})
		}
	}
	cpu, memory := t.Reserved()
	add(cpuUtilization, unitsUsed(m.CPU, end.Sub(m.Start)), cpu)
	add(memoryUtilization, float64(m.Memory), memory)
	used, size := volumesUsage(m)
	add(ebsUtilization, used, size)
	return data
}

// MetricResolution is how often the tasks of a service are measured, in seconds; 0 for each
// minute.
func MetricResolution(m *ecs.MonitoringConfiguration) int {
	if metricResolution(m, cpuUtilization) == desired.FineResolution || metricResolution(m, memoryUtilization) == desired.FineResolution {
		return desired.FineResolution
	}
	return 0
}

func metricResolution(m *ecs.MonitoringConfiguration, metric string) int {
	if m == nil {
		return 0
	}
	for _, c := range m.MetricConfigurations {
		if slices.Contains(c.MetricNames, metric) {
			return int(aws.Value(c.ResolutionSeconds))
		}
	}
	return 0
}

// unitsUsed is processor time as CPU units: 1024 are one processor all the time.
func unitsUsed(cpu, of time.Duration) float64 {
	if of <= 0 {
		return 0
	}
	return 1024 * float64(cpu) / float64(of)
}

func serviceDimensions(t *MeasuredTask) []MetricDimension {
	return []MetricDimension{{"ClusterName", t.Task.Cluster}, {"ServiceName", t.Task.Service}}
}

// ContainerInsights reports whether a cluster has Container Insights, of either kind.
func ContainerInsights(c *record.Cluster) bool {
	v := insightsSetting(c)
	return v == "enabled" || v == "enhanced"
}

func enhancedInsights(c *record.Cluster) bool { return insightsSetting(c) == "enhanced" }

func insightsSetting(c *record.Cluster) string {
	for _, s := range c.Cluster.Settings {
		if s.Name == ecs.ClusterSettingNameContainerInsights {
			return aws.Value(s.Value)
		}
	}
	return ""
}
