package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/desired"
)

// watchedService is what of DescribeServices is drawn or explained.
type watchedService struct {
	ServiceName, ServiceArn, Status          string
	DesiredCount, RunningCount, PendingCount int
	Deployments                              []watchedDeployment
	LoadBalancers                            []struct {
		TargetGroupArn        string
		AdvancedConfiguration struct{ AlternateTargetGroupArn string }
	}
	Events []struct {
		CreatedAt float64
		Message   string
	}
}

type watchedDeployment struct {
	ID, Status, TaskDefinition, RolloutState, RolloutStateReason string
	RunningCount, PendingCount, FailedTasks                      int
}

// watchedTask is what of DescribeTasks is drawn or explained.
type watchedTask struct {
	TaskArn, TaskDefinitionArn, Group, LastStatus, DesiredStatus, HealthStatus, StopCode, StoppedReason string

	CPU, Memory string // units and MiB, or empty
	CreatedAt   float64
	Containers  []struct {
		Name, Reason string
		ExitCode     *int
	}
	Attributes  []struct{ Name, Value string }
	Attachments []struct {
		Details []struct{ Name, Value string }
	}
}

// watchedEvents is how many of a service's events are shown.
const watchedEvents = 5

// draw adds the service to a picture: its tasks as the timeline of a
// deployment, its counts, its deployments, what scales it, and its newest events.
func (s *watchedService) draw(b *strings.Builder, tasks []watchedTask, scaling *scalingFacts) {
	fmt.Fprintf(b, "%s  %s  desired %d  running %d  pending %d\n", s.ServiceName, s.Status, s.DesiredCount, s.RunningCount, s.PendingCount)
	tasks = slices.DeleteFunc(slices.Clone(tasks), func(t watchedTask) bool { return t.LastStatus == string(fargo.TaskStopped) })
	slices.SortFunc(tasks, func(a, b watchedTask) int {
		return cmp.Or(cmp.Compare(revision(a.TaskDefinitionArn), revision(b.TaskDefinitionArn)), cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.TaskArn, b.TaskArn))
	})
	cells := make([]string, len(tasks))
	for i, t := range tasks {
		cells[i] = t.cell()
	}
	fmt.Fprintf(b, "  %s\n", strings.Join(cells, " "))
	for _, d := range s.Deployments {
		fmt.Fprintf(b, "  %-7s %-4s %-11s running %d  pending %d  failed %d  %s\n", d.Status, revision(d.TaskDefinition), d.RolloutState,
			d.RunningCount, d.PendingCount, d.FailedTasks, d.RolloutStateReason)
	}
	scaling.draw(b)
	for _, u := range unreachable(tasks) {
		fmt.Fprintf(b, "  on Fargate these tasks would not start: there is no way to %s\n", u)
	}
	for _, e := range s.Events[:min(len(s.Events), watchedEvents)] {
		fmt.Fprintf(b, "  %s %s\n", time.Unix(0, int64(e.CreatedAt*1e9)).Format(time.TimeOnly), e.Message)
	}
}

// draw adds the limits, each policy with the states of its alarms, and the newest change.
func (f *scalingFacts) draw(b *strings.Builder) {
	if f.Target == nil {
		return
	}
	fmt.Fprintf(b, "  scaled from %d to %d", f.Target.MinCapacity, f.Target.MaxCapacity)
	for _, p := range f.Policies {
		var states []string
		for _, of := range p.Alarms {
			for _, a := range f.Alarms {
				if a.AlarmName == of.AlarmName {
					states = append(states, a.StateValue)
				}
			}
		}
		fmt.Fprintf(b, "  %s: %s", p.PolicyName, strings.Join(states, ", "))
	}
	b.WriteByte('\n')
	if i := slices.IndexFunc(f.Activities, func(a scalingActivity) bool { return len(a.NotScaledReasons) == 0 }); i >= 0 {
		a := &f.Activities[i]
		fmt.Fprintf(b, "  %s %s %s\n", time.Unix(0, int64(a.StartTime*1e9)).Format(time.TimeOnly), a.Description, a.StatusCode)
	}
}

// unreachable gives what tasks could not have reached on Fargate, each list of hosts
// once.
func unreachable(tasks []watchedTask) (hosts []string) {
	for _, t := range tasks {
		for _, a := range t.Attributes {
			if list := strings.ReplaceAll(a.Value, ",", ", "); a.Name == fargo.UnreachableAttribute && !slices.Contains(hosts, list) {
				hosts = append(hosts, list)
			}
		}
	}
	return hosts
}

// cell draws a task: [v2] runs, (v2) is on its way, -v2- is leaving; an
// exclamation mark is for one that fails its health checks.
func (t watchedTask) cell() string {
	v := revision(t.TaskDefinitionArn)
	if t.HealthStatus == string(desired.Unhealthy) {
		v += "!"
	}
	switch status := fargo.TaskStatus(t.LastStatus); {
	case status.Ending() || t.DesiredStatus == string(fargo.TaskStopped):
		return "-" + v + "-"
	case status == fargo.TaskRunning:
		return "[" + v + "]"
	}
	return "(" + v + ")"
}

// revision is "v3" for arn:aws:ecs:…:task-definition/web:3.
func revision(definition string) string {
	return "v" + definition[strings.LastIndexByte(definition, ':')+1:]
}
