package control

import (
	"context"
	"errors"

	"github.com/containerd/errdefs"
	"github.com/google/uuid"

	"fargo/aws/logs"
	"fargo/aws/protocol"
	"fargo/desired"
	"fargo/plan"
	"fargo/store"
)

// errNoLogGroup is CloudWatch Logs' for a log group that is not there.
var errNoLogGroup = logs.ResourceNotFoundException("The specified log group does not exist.")

// OpenLog makes sure that a container's output has somewhere to go, before the
// container starts, with the permissions of the task's execution role. The error's text
// is ECS's stopped reason.
func (p *Plane) OpenLog(ctx context.Context, target desired.LogTarget) error {
	c, err := p.logCaller(target)
	if err != nil {
		return err
	}
	stream := &logs.CreateLogStreamInput{LogGroupName: &target.Group, LogStreamName: &target.Stream}
	if err := p.authorizeLogs(c, "CreateLogStream", stream, plan.LogStreamFailure); err != nil {
		return err
	}
	there := target
	there.Create = false
	err = p.Logs.OpenLog(ctx, there)
	switch {
	case !errdefs.IsNotFound(err):
		return err
	case !target.Create:
		return errdefs.ErrNotFound.WithMessage(plan.LogStreamFailure(c.RequestID, asProtocol(errNoLogGroup)))
	}
	if err := p.authorizeLogs(c, "CreateLogGroup", &logs.CreateLogGroupInput{LogGroupName: &target.Group}, plan.LogGroupFailure); err != nil {
		return err
	}
	return p.Logs.OpenLog(ctx, target)
}

// AppendLogs keeps a stretch of output and says how far its source is known. Output that
// the task's execution role may not write is dropped, as Fargate drops it.
func (p *Plane) AppendLogs(ctx context.Context, batch desired.LogBatch) (int64, error) {
	target := batch.Target
	c, err := p.logCaller(target)
	if err != nil {
		return p.Logs.Append(ctx, batch) // the role is gone: as on AWS, credentials of it live on
	}
	put := &logs.PutLogEventsInput{LogGroupName: &target.Group, LogStreamName: &target.Stream}
	refused := func(_ string, e *protocol.Error) string { return e.Message }
	if err := p.authorizeLogs(c, "PutLogEvents", put, refused); errdefs.IsPermissionDenied(err) {
		if _, warned := p.unwritable.LoadOrStore(target.Task, true); !warned {
			p.Logger.Warn("output is dropped: the execution role may not write it", "task", target.Task, "group", target.Group, "err", err)
		}
		return batch.To, nil
	} else if err != nil {
		return 0, err
	}
	return p.Logs.Append(ctx, batch)
}

// logCaller is the execution role of the task whose output goes to a target. It has no
// session if the task is no longer known, or the node has not said which it is.
func (p *Plane) logCaller(target desired.LogTarget) (c Caller, err error) {
	c = Caller{Region: target.Region, RequestID: uuid.NewString()}
	view := p.DB.View()
	t, ok := taskByARN(view, target.Task)
	if !ok || p.Authorize == nil {
		return c, nil
	}
	if d, ok := store.TaskDefinitionByARN(view, *t.Intent.TaskDefinitionArn); ok && plan.ExecutionRole(t, d) != "" {
		c.Session, err = executionSession(view, t, d)
	}
	return c.by(view, t, "logs"), err
}

// authorizeLogs asks IAM about a call of CloudWatch Logs. reason tells of a refusal.
func (p *Plane) authorizeLogs(c Caller, operation string, in any, reason func(requestID string, e *protocol.Error) string) error {
	if c.Session == nil {
		return nil
	}
	err := p.Authorize(c, logs.API.Name, operation, in)
	var refused *protocol.Error
	if errors.As(err, &refused) {
		return errdefs.ErrPermissionDenied.WithMessage(reason(c.RequestID, refused))
	}
	return err
}
