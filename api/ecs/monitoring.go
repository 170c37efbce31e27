package ecs

import (
	"slices"

	"fargo/aws"
	"fargo/aws/ecs"
)

// What the resolution of metrics may be asked for. Source: ECS API, MetricConfiguration.
var (
	monitoredMetrics   = []string{"CPUUtilization", "MemoryUtilization"}
	metricsResolutions = []int32{20, 60}
)

// checkMonitoring refuses metrics that there are not, and resolutions.
func checkMonitoring(m *ecs.MonitoringConfiguration) error {
	if m == nil {
		return nil
	}
	seen := map[string]bool{}
	for _, c := range m.MetricConfigurations {
		if r := aws.Value(c.ResolutionSeconds); !slices.Contains(metricsResolutions, r) {
			return invalid("The metric resolution %d is not valid. Valid values are 20 and 60.", r)
		}
		for _, name := range c.MetricNames {
			switch {
			case !slices.Contains(monitoredMetrics, name):
				return invalid("The metric name %s is not valid. Valid values are CPUUtilization and MemoryUtilization.", name)
			case seen[name]:
				return invalid("The metric %s is configured more than once.", name)
			}
			seen[name] = true
		}
	}
	return nil
}
