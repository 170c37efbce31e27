package plan

import (
	"slices"

	"fargo/desired"
)

// volumeInsights are the metrics of a volume of EBS: of its own name, the task's family and
// its service, but not of the cluster. What the volume has is the size of its file system.
// Source: amazon-ecs-agent, agent/stats/engine_unix.go.
func volumeInsights(t *MeasuredTask, v *desired.VolumeMeasurement, p MetricPeriod) []Datum {
	groups := insightGroups(t)[1:]
	own := narrower(groups[:1], MetricDimension{"VolumeName", v.Volume})
	return insightData(t.Task.Scope, p, []insight{
		{"EBSFilesystemUtilized", "Gigabytes", float64(v.Used) / gigabyte},
		{"EBSFilesystemSize", "Gigabytes", float64(v.Size) / gigabyte},
	}, slices.Concat(groups, own)...)
}

// volumesUsage is how many bytes are in use of a task's volumes of EBS, and how many they
// have.
func volumesUsage(m *desired.TaskMeasurement) (used, size float64) {
	for _, v := range m.Volumes {
		used += float64(v.Used)
		size += float64(v.Size)
	}
	return used, size
}
