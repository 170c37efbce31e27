package plan

import (
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/desired"
)

const insightsNamespace = "ECS/ContainerInsights"

// gigabyte is what CloudWatch's unit of ephemeral storage counts in.
const gigabyte = 1 << 30

// insight is a metric of Container Insights, as one of its samples.
type insight struct {
	name, unit string
	value      float64
}

// insightsOfTask are the metrics of Container Insights that a task's measurement is: of its
// cluster, its service and its family, and with the enhanced kind also of the task and its
// containers.
// Source: CloudWatch user guide, "Amazon ECS Container Insights metrics" and "… with
// enhanced observability metrics".
func insightsOfTask(t *MeasuredTask, m *desired.TaskMeasurement, end time.Time, p MetricPeriod) []Datum {
	of := end.Sub(m.Start)
	cpu, memory := t.Reserved()
	used := []insight{
		{"CpuUtilized", "None", unitsUsed(m.CPU, of)},
		{"CpuReserved", "None", cpu},
		{"MemoryUtilized", "Megabytes", mebibytes(m.Memory)},
		{"MemoryReserved", "Megabytes", memory / (1 << 20)},
		{"StorageReadBytes", "Bytes", float64(m.Read)},
		{"StorageWriteBytes", "Bytes", float64(m.Written)},
	}
	if n := m.Network; n != nil && of > 0 {
		used = append(used,
			insight{"NetworkRxBytes", "Bytes/Second", float64(n.Received) / of.Seconds()},
			insight{"NetworkTxBytes", "Bytes/Second", float64(n.Sent) / of.Seconds()})
	}
	if m.Storage > 0 {
		used = append(used,
			insight{"EphemeralStorageUtilized", "Gigabytes", float64(m.StorageUsed) / gigabyte},
			insight{"EphemeralStorageReserved", "Gigabytes", float64(m.Storage) / gigabyte})
	}
	data := insightData(t.Task.Scope, p, used, insightGroups(t)...)
	if enhancedInsights(t.Cluster) {
		data = append(data, enhancedData(t, m, of, p)...)
	}
	return data
}

// enhancedData are the metrics that only enhanced observability has.
func enhancedData(t *MeasuredTask, m *desired.TaskMeasurement, of time.Duration, p MetricPeriod) []Datum {
	cpu, memory := t.Reserved()
	groups := insightGroups(t)
	task := slices.Concat(groups[len(groups)-1], []MetricDimension{{"TaskId", t.Task.ID}})
	at := append(slices.Clone(groups), task)
	used := []insight{
		{"TaskCpuUtilization", "Percent", percentage(unitsUsed(m.CPU, of), cpu)},
		{"TaskMemoryUtilization", "Percent", percentage(float64(m.Memory), memory)},
	}
	if m.Storage > 0 {
		used = append(used, insight{"TaskEphemeralStorageUtilization", "Percent", percentage(float64(m.StorageUsed), float64(m.Storage))})
	}
	data := insightData(t.Task.Scope, p, used, at...)
	for i := range m.Containers {
		data = append(data, containerData(t, &m.Containers[i], of, p, task)...)
	}
	return data
}

// containerReserved is what a container may use: CPU units, and bytes of memory. One without
// limits of its own may use what its task may.
func (t *MeasuredTask) containerReserved(name string) (cpu, memory float64) {
	cpu, memory = t.Reserved()
	for _, d := range t.Task.Intent.Containers {
		if aws.Value(d.Name) != name {
			continue
		}
		if own := number(d.Cpu); own > 0 {
			cpu = float64(own)
		}
		if own := number(d.Memory); own > 0 {
			memory = float64(own << 20)
		}
	}
	return cpu, memory
}

// containerData are the metrics of one container.
func containerData(t *MeasuredTask, c *desired.ContainerMeasurement, of time.Duration, p MetricPeriod, task []MetricDimension) []Datum {
	cpu, memory := t.containerReserved(c.Name)
	name := MetricDimension{"ContainerName", c.Name}
	at := [][]MetricDimension{
		{{"ClusterName", t.Task.Cluster}, name},
		slices.Concat(task, []MetricDimension{name}),
	}
	if t.Task.Service != "" {
		at = append(at, slices.Concat(serviceDimensions(t), []MetricDimension{name}))
	}
	return insightData(t.Task.Scope, p, []insight{
		{"ContainerCpuUtilized", "None", unitsUsed(c.CPU, of)},
		{"ContainerCpuReserved", "None", cpu},
		{"ContainerCpuUtilization", "Percent", percentage(unitsUsed(c.CPU, of), cpu)},
		{"ContainerMemoryUtilized", "Megabytes", mebibytes(c.Memory)},
		{"ContainerMemoryReserved", "Megabytes", memory / (1 << 20)},
		{"ContainerMemoryUtilization", "Percent", percentage(float64(c.Memory), memory)},
		{"ContainerStorageReadBytes", "Bytes", float64(c.Read)},
		{"ContainerStorageWriteBytes", "Bytes", float64(c.Written)},
	}, at...)
}

// insightGroups are the dimensions of what a task is part of, its cluster first and the
// narrowest last.
func insightGroups(t *MeasuredTask) [][]MetricDimension {
	groups := [][]MetricDimension{
		{{"ClusterName", t.Task.Cluster}},
		{{"ClusterName", t.Task.Cluster}, {"TaskDefinitionFamily", t.Family}},
	}
	if t.Task.Service != "" {
		groups = append(groups, serviceDimensions(t))
	}
	return groups
}

// insightData are samples of a period, once for each list of dimensions.
func insightData(scope fargo.Scope, p MetricPeriod, samples []insight, at ...[]MetricDimension) []Datum {
	data := make([]Datum, 0, len(samples)*len(at))
	for _, dimensions := range at {
		for _, s := range samples {
			data = append(data, Datum{
				Scope: scope, Namespace: insightsNamespace, Name: s.name, Dimensions: dimensions, Unit: s.unit,
				Time: p.Start, HighResolution: p.High, Values: []float64{s.value},
			})
		}
	}
	return data
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// percentage is 0 of what has no limit.
func percentage(used, of float64) float64 {
	if of <= 0 {
		return 0
	}
	return 100 * used / of
}
