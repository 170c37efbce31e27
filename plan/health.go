package plan

import (
	"slices"

	"fargo/aws/ecs"
	"fargo/desired"
)

// TaskHealth is a task's health: the worst of the named containers, which are
// its essential ones with a health check.
// Source: ECS developer guide, "Determine Amazon ECS task health using
// container health checks".
func TaskHealth(containers []desired.ContainerReport, checked []string) ecs.HealthStatus {
	unknown := len(checked) == 0
	for _, c := range containers {
		if !slices.Contains(checked, c.Name) {
			continue
		}
		switch c.Health {
		case desired.Healthy:
		case desired.Unhealthy:
			return ecs.HealthStatusUnhealthy
		default:
			unknown = true
		}
	}
	if unknown {
		return ecs.HealthStatusUnknown
	}
	return ecs.HealthStatusHealthy
}
