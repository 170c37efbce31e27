package ecs

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxDescribe is how many tasks one DescribeTasks takes.
const maxDescribe = 100

// DescribeTasks shows tasks, stopped ones for as long as they are kept.
func (s *Server) DescribeTasks(ctx context.Context, in *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	scope, view := api.CallFrom(ctx).Scope(), s.db.View()
	c, err := cluster(view, scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.Tasks) == 0 {
		return nil, invalid("Tasks cannot be empty.")
	}
	if len(in.Tasks) > maxDescribe {
		return nil, invalid("taskIds can have at most %d items.", maxDescribe)
	}
	withTags := slices.Contains(in.Include, ecs.TaskFieldTags)
	out := &ecs.DescribeTasksOutput{Tasks: make([]ecs.Task, 0, len(in.Tasks)), Failures: []ecs.Failure{}}
	for _, id := range in.Tasks {
		name, err := nameIn(c, taskIDs, id)
		if err != nil {
			return nil, err
		}
		t, ok := findTask(view, c, name)
		if !ok {
			out.Failures = append(out.Failures, missing(scope.ARN("ecs", "task/"+*c.Cluster.ClusterName+"/"+name)))
			continue
		}
		out.Tasks = append(out.Tasks, *taskView(t, withTags))
	}
	return out, nil
}

func findTask(r store.Reader, c *record.Cluster, name string) (*record.Task, bool) {
	return store.Tasks.Get(r, c.Scope.Key(*c.Cluster.ClusterName, name))
}

// StopTask asks for a task's end. The answer shows it still as it is.
func (s *Server) StopTask(ctx context.Context, in *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
	var stopped *record.Task
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		c, err := cluster(tx, scope, in.Cluster)
		if err != nil {
			return err
		}
		name, err := nameIn(c, taskIDs, *in.Task)
		if err != nil {
			return err
		}
		t, ok := findTask(tx, c, name)
		if !ok {
			return invalid("The referenced task was not found.")
		}
		stopped = t
		if t.Desired == fargo.TaskStopped {
			return nil
		}
		changed := *t
		changed.Desired, changed.StopCode, changed.StoppingAt = fargo.TaskStopped, fargo.StopUserInitiated, now
		changed.StoppedReason = "Task stopped by user"
		if in.Reason != nil && *in.Reason != "" {
			changed.StoppedReason = *in.Reason
		}
		changed.Version = plan.TaskVersion(t, &changed)
		store.Tasks.Put(tx, &changed)
		stopped = &changed
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.StopTaskOutput{Task: taskView(stopped, true)}, nil
}

// ListTasks gives the ARNs of a cluster's tasks that pass every filter given.
// Source: ECS API, ListTasks.
func (s *Server) ListTasks(ctx context.Context, in *ecs.ListTasksInput) (*ecs.ListTasksOutput, error) {
	scope, view := api.CallFrom(ctx).Scope(), s.db.View()
	c, err := cluster(view, scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	if in.StartedBy != nil && (in.Family != nil || in.ServiceName != nil || in.ContainerInstance != nil) {
		return nil, invalid("Cannot specify multiple filters")
	}
	if in.ContainerInstance != nil {
		return nil, invalid("The specified container instance was not found.")
	}
	service := ""
	if in.ServiceName != nil {
		if service, err = nameIn(c, serviceIDs, *in.ServiceName); err != nil {
			return nil, err
		}
		if _, ok := findService(view, c, service); !ok {
			return nil, ecs.ServiceNotFoundException("Service not found.")
		}
	}
	tasks := func(yield func(string) bool) {
		for t := range tasksIn(view, c) {
			if listed(t, service, in) && !yield(t.ARN()) {
				return
			}
		}
	}
	arns, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), tasks, page.Itself)
	return &ecs.ListTasksOutput{TaskArns: arns, NextToken: next}, err
}

// listed reports whether a task passes the filters; service is the name of the
// one asked for, "" for any. There are no daemons, so none of a daemon's tasks.
func listed(t *record.Task, service string, in *ecs.ListTasksInput) bool {
	desired := in.DesiredStatus
	if desired == "" {
		desired = ecs.DesiredStatusRunning
	}
	switch {
	case string(t.Desired) != string(desired):
		return false
	case in.LaunchType != "" && t.Intent.LaunchType != in.LaunchType:
		return false
	case in.StartedBy != nil && aws.Value(t.Intent.StartedBy) != *in.StartedBy:
		return false
	case service != "" && t.Service != service, in.DaemonName != nil:
		return false
	case in.Family != nil:
		family, _, err := splitDefinition(t.Scope, *t.Intent.TaskDefinitionArn)
		return err == nil && family == *in.Family
	}
	return true
}

// taskView is a task as clients see it, with its tags where they asked for them.
func taskView(t *record.Task, withTags bool) *ecs.Task {
	v := plan.TaskView(t)
	if !withTags {
		v.Tags = []ecs.Tag{}
	}
	return v
}

// launchedView is a task as RunTask shows it. Before a node has said anything of it,
// there is neither health nor a name in a runtime. Source: answers of AWS recorded in
// LocalStack's tests (test_ecs_task_service).
func launchedView(t *record.Task) *ecs.Task {
	v := taskView(t, true)
	if t.Report != nil {
		return v
	}
	v.HealthStatus = ""
	for i := range v.Containers {
		v.Containers[i].RuntimeId, v.Containers[i].HealthStatus = nil, ""
	}
	return v
}
