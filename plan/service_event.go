package plan

import (
	"fmt"
	"strings"

	"fargo"
	"fargo/aws/ecs"
)

// event adds to the service's events, newest first. An empty message is none;
// one that says again what the newest says is not worth repeating.
// Source: ECS developer guide, "Amazon ECS service event messages".
func (p *servicePlan) event(message string) {
	if message == "" {
		return
	}
	full := "(service " + p.s.Name() + ") " + message
	if len(p.s.Events) > 0 && *p.s.Events[0].Message == full {
		return
	}
	e := ecs.ServiceEvent{Id: new(p.UUID()), CreatedAt: new(p.now), Message: &full}
	p.s.Events = append([]ecs.ServiceEvent{e}, p.s.Events...)
	if len(p.s.Events) > fargo.ServiceEvents {
		p.s.Events = p.s.Events[:fargo.ServiceEvents]
	}
	p.changed = true
}

func startedEvent(tasks []*fargo.Task) string {
	if len(tasks) == 0 {
		return ""
	}
	ids := make([]string, len(tasks))
	for i, t := range tasks {
		ids[i] = t.ID
	}
	return fmt.Sprintf("has started %d tasks: %s.", len(tasks), taskList(ids))
}

func stoppedEvent(tasks []*member) string {
	var ids []string
	for _, m := range tasks {
		if m.task.LastStatus() == fargo.TaskRunning || m.task.LastStatus() == fargo.TaskDeactivating {
			ids = append(ids, m.task.ID)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return fmt.Sprintf("has stopped %d running tasks: %s.", len(ids), taskList(ids))
}

func taskList(ids []string) string {
	return "(task " + strings.Join(ids, ") (task ") + ")"
}

// unhealthyEvent says why a task is being replaced.
func unhealthyEvent(m *member) string {
	for _, t := range m.Targets {
		if t.Health != nil && t.Health.State == "unhealthy" {
			return fmt.Sprintf("(task %s) (port %d) is unhealthy in (target-group %s) due to (reason %s)", m.task.ID, t.Port, t.Group, str(t.Health.Description))
		}
	}
	return fmt.Sprintf("(task %s) failed container health checks.", m.task.ID)
}

func targetsEvent(verb, group string, n int) string {
	return fmt.Sprintf("%s %d targets in (target-group %s)", verb, n, group)
}
