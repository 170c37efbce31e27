package plan

import (
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/desired"
)

const insightsNamespace = "ECS/ContainerInsights"

// gigabyte is what CloudWatch's unit of storage counts in.
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
	of, enhanced := end.Sub(m.Start), enhancedInsights(t.Cluster)
	at, used := insightGroups(t), taskInsights(t, m, of)
	cluster, parts := at[:1], at[1:]
	if enhanced {
		inTask := narrower(parts, MetricDimension{"TaskId", t.Task.ID})
		parts = slices.Concat(parts, inTask)
		at = slices.Concat(at, inTask)
		used = append(used, enhancedTaskInsights(t, m, of)...)
	}
	data := insightData(t.Task.Scope, p, used, at...)
	for i := range m.Volumes {
		data = append(data, volumeInsights(t, &m.Volumes[i], p)...)
	}
	for i := range m.Containers {
		c := &m.Containers[i]
		own := narrower(parts, MetricDimension{"ContainerName", c.Name})
		if enhanced {
			data = append(data, insightData(t.Task.Scope, p, containerInsights(t, c, of), slices.Concat(cluster, own)...)...)
			data = append(data, insightData(t.Task.Scope, p, containerNetworkInsights(t, m, of), at...)...)
			data = append(data, insightData(t.Task.Scope, p, restartInsights(c), slices.Concat(at, own)...)...)
		} else {
			data = append(data, insightData(t.Task.Scope, p, restartInsights(c), at...)...)
		}
	}
	return data
}

// narrower are lists of dimensions, each with one more.
func narrower(at [][]MetricDimension, d MetricDimension) [][]MetricDimension {
	all := make([][]MetricDimension, len(at))
	for i := range at {
		all[i] = append(slices.Clone(at[i]), d)
	}
	return all
}

// taskInsights are the metrics of tasks that either kind has.
func taskInsights(t *MeasuredTask, m *desired.TaskMeasurement, of time.Duration) []insight {
	cpu, memory := t.Reserved()
	used := []insight{
		{"CpuUtilized", "None", unitsUsed(m.CPU, of)},
		{"CpuReserved", "None", cpu},
		{"MemoryUtilized", "Megabytes", mebibytes(m.Memory)},
		{"MemoryReserved", "Megabytes", memory / (1 << 20)},
		{"StorageReadBytes", "Bytes", float64(m.Read)},
		{"StorageWriteBytes", "Bytes", float64(m.Written)},
	}
	if received, sent, ok := traffic(m, of); ok {
		used = append(used, insight{"NetworkRxBytes", "Bytes/Second", received}, insight{"NetworkTxBytes", "Bytes/Second", sent})
	}
	if m.Storage > 0 {
		used = append(used,
			insight{"EphemeralStorageUtilized", "Gigabytes", float64(m.StorageUsed) / gigabyte},
			insight{"EphemeralStorageReserved", "Gigabytes", float64(m.Storage) / gigabyte})
	}
	return used
}

// enhancedTaskInsights are those that only enhanced observability has.
func enhancedTaskInsights(t *MeasuredTask, m *desired.TaskMeasurement, of time.Duration) []insight {
	cpu, memory := t.Reserved()
	used := []insight{
		{"TaskCpuUtilization", "Percent", percentage(unitsUsed(m.CPU, of), cpu)},
		{"TaskMemoryUtilization", "Percent", percentage(float64(m.Memory), memory)},
	}
	if m.Storage > 0 {
		used = append(used, insight{"TaskEphemeralStorageUtilization", "Percent", percentage(float64(m.StorageUsed), float64(m.Storage))})
	}
	if len(m.Volumes) > 0 {
		used = append(used, insight{"TaskEBSFilesystemUtilization", "Percent", percentage(volumesUsage(m))})
	}
	return used
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

// containerInsights are the metrics of one container. ContainerCpuUtilization has the
// dimensions of all others: the guide gives it those of tasks, which is taken for a mistake.
func containerInsights(t *MeasuredTask, c *desired.ContainerMeasurement, of time.Duration) []insight {
	cpu, memory := t.containerReserved(c.Name)
	used := []insight{
		{"ContainerCpuUtilized", "None", unitsUsed(c.CPU, of)},
		{"ContainerCpuReserved", "None", cpu},
		{"ContainerCpuUtilization", "Percent", percentage(unitsUsed(c.CPU, of), cpu)},
		{"ContainerMemoryUtilized", "Megabytes", mebibytes(c.Memory)},
		{"ContainerMemoryReserved", "Megabytes", memory / (1 << 20)},
		{"ContainerMemoryUtilization", "Percent", percentage(float64(c.Memory), memory)},
		{"ContainerStorageReadBytes", "Bytes", float64(c.Read)},
		{"ContainerStorageWriteBytes", "Bytes", float64(c.Written)},
	}
	switch c.Health {
	case desired.Healthy:
		used = append(used, insight{"UnHealthyContainerHealthStatus", "Count", 0})
	case desired.Unhealthy:
		used = append(used, insight{"UnHealthyContainerHealthStatus", "Count", 1})
	}
	return used
}

// containerNetworkInsights are what goes through a task's interface for one of its
// containers. The guide gives them the dimensions of tasks: of all containers together.
func containerNetworkInsights(t *MeasuredTask, m *desired.TaskMeasurement, of time.Duration) []insight {
	received, sent, ok := t.containerTraffic(m, of)
	if !ok {
		return nil
	}
	return []insight{{"ContainerNetworkRxBytes", "Bytes/Second", received}, {"ContainerNetworkTxBytes", "Bytes/Second", sent}}
}

// traffic is what has come and gone through a task's interface, in bytes a second, if it has
// one.
func traffic(m *desired.TaskMeasurement, of time.Duration) (received, sent float64, ok bool) {
	n := m.Network
	if n == nil || of <= 0 {
		return 0, 0, false
	}
	return float64(n.Received) / of.Seconds(), float64(n.Sent) / of.Seconds(), true
}

// containerTraffic is the part of [traffic] that counts for each of a task's containers. The
// interface is of all of them, and nobody knows whose packets those are: AWS gives them
// equal parts. Source: amazon-ecs-agent, agent/stats/task_linux.go.
func (t *MeasuredTask) containerTraffic(m *desired.TaskMeasurement, of time.Duration) (received, sent float64, ok bool) {
	received, sent, ok = traffic(m, of)
	containers := float64(max(1, len(t.Task.Intent.Containers)))
	return received / containers, sent / containers, ok
}

// restartInsights are nothing for a container without a restart policy. AWS counts the
// restarts of a period too: its agent sends how many there were since it last sent.
// Source: amazon-ecs-agent, agent/stats/queue.go.
func restartInsights(c *desired.ContainerMeasurement) []insight {
	if c.Restarts == nil {
		return nil
	}
	return []insight{{"RestartCount", "Count", float64(*c.Restarts)}}
}

// insightGroups are the dimensions of what a task is part of, its cluster first.
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
