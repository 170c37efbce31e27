package ecs

import (
	"context"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// Task scale-in protection. Source: ECS API, UpdateTaskProtection.
const (
	maxProtected      = 10
	defaultProtection = 120  // minutes
	maxProtection     = 2880 // minutes
	maxGetProtected   = 100
)

// UpdateTaskProtection keeps tasks of services from scale-in and deployments
// for a while, or lets go of them.
func (s *Server) UpdateTaskProtection(ctx context.Context, in *ecs.UpdateTaskProtectionInput) (*ecs.UpdateTaskProtectionOutput, error) {
	minutes := aws.ValueOr(in.ExpiresInMinutes, defaultProtection)
	switch {
	case len(in.Tasks) == 0 || len(in.Tasks) > maxProtected:
		return nil, invalid("Tasks should have between 1 and %d elements.", maxProtected)
	case minutes < 1 || minutes > maxProtection:
		return nil, invalid("expiresInMinutes should be between 1 and %d.", maxProtection)
	}
	out := &ecs.UpdateTaskProtectionOutput{}
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		out.ProtectedTasks, out.Failures = []ecs.ProtectedTask{}, []ecs.Failure{}
		c, err := cluster(tx, scope, in.Cluster)
		if err != nil {
			return err
		}
		for _, id := range in.Tasks {
			t, failure, err := protectable(tx, c, id)
			if err != nil {
				return err
			}
			if failure != nil {
				out.Failures = append(out.Failures, *failure)
				continue
			}
			changed := *t
			changed.ProtectedUntil = time.Time{}
			if aws.Value(in.ProtectionEnabled) {
				if blocks(tx, t, now) {
					out.Failures = append(out.Failures, ecs.Failure{Arn: new(t.ARN()), Reason: new("DEPLOYMENT_BLOCKED")})
					continue
				}
				changed.ProtectedUntil = now.Add(time.Duration(minutes) * time.Minute)
			}
			store.Tasks.Put(tx, &changed)
			out.ProtectedTasks = append(out.ProtectedTasks, protectionView(&changed, now))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// protectable finds a task that can be protected: one of a service, running.
func protectable(r store.Reader, c *record.Cluster, id string) (*record.Task, *ecs.Failure, error) {
	name, err := nameIn(c, taskIDs, id)
	if err != nil {
		return nil, nil, err
	}
	t, ok := findTask(r, c, name)
	arn := c.Scope.ARN("ecs", "task/"+*c.Cluster.ClusterName+"/"+name)
	switch {
	case !ok:
		return nil, new(missing(arn)), nil
	case t.Service == "" || t.Desired == fargo.TaskStopped:
		return nil, &ecs.Failure{Arn: &arn, Reason: new("TASK_NOT_VALID")}, nil
	}
	return t, nil, nil
}

// blocks reports whether protecting a task would leave its service with more
// protected tasks than it should have: its deployment could not come to an end.
// Source: ECS developer guide, "Protect your Amazon ECS tasks from being
// terminated by scale-in events".
func blocks(r store.Reader, t *record.Task, now time.Time) bool {
	s, ok := store.Services.Get(r, t.ServiceKey())
	if !ok {
		return false
	}
	protected := 1
	for o := range store.Tasks.By(r, store.TaskByService, t.ServiceKey()) {
		if o.ID != t.ID && o.Desired == fargo.TaskRunning && !o.Stopped() && now.Before(o.ProtectedUntil) {
			protected++
		}
	}
	return protected > int(store.DesiredCount(r, s))
}

func protectionView(t *record.Task, now time.Time) ecs.ProtectedTask {
	v := ecs.ProtectedTask{TaskArn: new(t.ARN()), ProtectionEnabled: new(now.Before(t.ProtectedUntil))}
	if *v.ProtectionEnabled {
		v.ExpirationDate = &t.ProtectedUntil
	}
	return v
}

// GetTaskProtection shows which tasks are protected, of those named or of all
// the cluster's services.
func (s *Server) GetTaskProtection(ctx context.Context, in *ecs.GetTaskProtectionInput) (*ecs.GetTaskProtectionOutput, error) {
	view := s.db.View()
	c, err := cluster(view, api.CallFrom(ctx).Scope(), in.Cluster)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	out := &ecs.GetTaskProtectionOutput{ProtectedTasks: []ecs.ProtectedTask{}, Failures: []ecs.Failure{}}
	if len(in.Tasks) > maxGetProtected {
		return nil, invalid("Tasks cannot have more than %d elements.", maxGetProtected)
	}
	if len(in.Tasks) == 0 {
		for t := range tasksIn(view, c) {
			if t.Service != "" && t.Desired == fargo.TaskRunning {
				out.ProtectedTasks = append(out.ProtectedTasks, protectionView(t, now))
			}
		}
		return out, nil
	}
	for _, id := range in.Tasks {
		t, failure, err := protectable(view, c, id)
		if err != nil {
			return nil, err
		}
		if failure != nil {
			out.Failures = append(out.Failures, *failure)
			continue
		}
		out.ProtectedTasks = append(out.ProtectedTasks, protectionView(t, now))
	}
	return out, nil
}
