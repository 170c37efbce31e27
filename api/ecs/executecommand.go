package ecs

import (
	"context"
	"errors"

	"fargo/api"
	"fargo/api/execsession"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
)

// The lengths of tasks' ids, of now and of long ago.
const (
	taskIDLength    = 32
	oldTaskIDLength = 36
)

// ExecuteCommand opens a session in a container of a running task, in which a command is
// run as soon as the client has connected.
func (s *Server) ExecuteCommand(ctx context.Context, in *ecs.ExecuteCommandInput) (*ecs.ExecuteCommandOutput, error) {
	if !*in.Interactive {
		return nil, invalid("Interactive is the only mode supported currently.")
	}
	c, t, err := s.taskFor(ctx, in)
	if err != nil {
		return nil, err
	}
	container, err := containerFor(t, in.Container)
	if err != nil {
		return nil, err
	}
	opened, err := s.sessions.Open(ctx, execsession.Request{
		Prefix: "ecs-execute-command", Task: t, Container: *container.Name, Command: *in.Command,
	})
	if err != nil {
		return nil, noSession(err)
	}
	return &ecs.ExecuteCommandOutput{
		ClusterArn: c.Cluster.ClusterArn, TaskArn: new(t.ARN()), ContainerArn: container.ContainerArn, ContainerName: container.Name,
		Interactive: in.Interactive, Session: &ecs.Session{SessionId: &opened.ID, StreamUrl: &opened.URL, TokenValue: &opened.Token},
	}, nil
}

// taskFor finds the task that a command is for.
func (s *Server) taskFor(ctx context.Context, in *ecs.ExecuteCommandInput) (*record.Cluster, *record.Task, error) {
	view := s.db.View()
	c, err := cluster(view, api.CallFrom(ctx).Scope(), in.Cluster)
	if err != nil {
		return nil, nil, err
	}
	id, err := nameIn(c, taskIDs, *in.Task)
	if err != nil {
		return nil, nil, err
	}
	if len(id) != taskIDLength && len(id) != oldTaskIDLength {
		return nil, nil, invalid("task length should be one of [%d,%d]", taskIDLength, oldTaskIDLength)
	}
	t, ok := findTask(view, c, id)
	if !ok {
		return nil, nil, invalid("The referenced task was not found.")
	}
	return c, t, nil
}

// containerFor finds the container that a command is for: the only one, or the one that is
// named.
func containerFor(t *record.Task, name *string) (*ecs.Container, error) {
	all := t.Intent.Containers
	if name == nil && len(all) == 1 {
		return &all[0], nil
	}
	for i := range all {
		if aws.Value(all[i].Name) == aws.Value(name) {
			return &all[i], nil
		}
	}
	if name == nil {
		return nil, invalid("Container name must be specified for tasks that have multiple containers.")
	}
	return nil, invalid("The container %s was not found in the task.", *name)
}

// noSession says why there is no session, in ECS's words.
func noSession(err error) error {
	switch {
	case errors.Is(err, execsession.ErrNotRunning):
		return invalid("The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.")
	case errors.Is(err, execsession.ErrNotConnected):
		return ecs.TargetNotConnectedException("The execute command failed due to an internal error. Try again later.")
	case errors.Is(err, execsession.ErrTooMany):
		return ecs.ClientException("The task has %d sessions, and may have no more at once.", execsession.MaxOpen)
	}
	return err
}
