package ssm

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/execsession"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ssm"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// The documents that say what a session does: a shell, or a command.
const (
	shellDocument   = "SSM-SessionManagerRunShell"
	commandDocument = "AWS-StartInteractiveCommand"
)

// StartSession opens a session in a container of an ECS task.
func (s *Server) StartSession(ctx context.Context, in *ssm.StartSessionInput) (*ssm.StartSessionOutput, error) {
	command, err := commandOf(in)
	if err != nil {
		return nil, err
	}
	t, container, ok := s.target(api.CallFrom(ctx).Scope(), *in.Target)
	if !ok {
		return nil, notConnected(*in.Target)
	}
	_, who, _ := strings.Cut(api.CallFrom(ctx).PrincipalARN, "/")
	opened, err := s.sessions.Open(ctx, execsession.Request{
		Prefix: who[strings.LastIndexByte(who, '/')+1:], Task: t, Container: container, Command: command, Reason: aws.Value(in.Reason),
	})
	switch {
	case errors.Is(err, execsession.ErrNotRunning), errors.Is(err, execsession.ErrNotConnected):
		return nil, notConnected(*in.Target)
	case errors.Is(err, execsession.ErrTooMany):
		return nil, invalid("The task has %d sessions, and may have no more at once.", execsession.MaxOpen)
	case err != nil:
		return nil, err
	}
	return &ssm.StartSessionOutput{SessionId: &opened.ID, TokenValue: &opened.Token, StreamUrl: &opened.URL}, nil
}

// notConnected is the answer to a target that has no agent, or is none.
func notConnected(target string) error { return ssm.TargetNotConnected("%s is not connected.", target) }

// commandOf is the command that a session's document says; empty for a shell.
func commandOf(in *ssm.StartSessionInput) (string, error) {
	switch document := aws.ValueOr(in.DocumentName, shellDocument); document {
	case shellDocument:
		return "", nil
	case commandDocument:
		return strings.Join(in.Parameters["command"], " "), nil
	default:
		return "", notImplemented("sessions with the document " + document)
	}
}

// target finds the container that Systems Manager calls so.
func (s *Server) target(scope fargo.Scope, target string) (t *record.Task, container string, ok bool) {
	cluster, task, runtimeID, ok := plan.ParseExecTarget(target)
	if !ok {
		return nil, "", false
	}
	t, ok = store.Tasks.Get(s.db.View(), scope.Key(cluster, task))
	if !ok {
		return nil, "", false
	}
	for _, c := range plan.TaskView(t).Containers {
		if aws.Value(c.RuntimeId) == runtimeID {
			return t, *c.Name, true
		}
	}
	return nil, "", false
}

// ResumeSession gives a client that has lost its connection another token. The answer for
// a session that has ended has none: AWS's plugin ends then.
func (s *Server) ResumeSession(ctx context.Context, in *ssm.ResumeSessionInput) (*ssm.ResumeSessionOutput, error) {
	opened, err := s.sessions.Resume(ctx, *in.SessionId)
	switch {
	case errors.Is(err, execsession.ErrEnded) && s.known(ctx, *in.SessionId):
		return &ssm.ResumeSessionOutput{SessionId: in.SessionId, TokenValue: new("")}, nil
	case errors.Is(err, execsession.ErrEnded):
		return nil, ssm.DoesNotExistException("Session %s does not exist.", *in.SessionId)
	case err != nil:
		return nil, err
	}
	return &ssm.ResumeSessionOutput{SessionId: &opened.ID, TokenValue: &opened.Token, StreamUrl: &opened.URL}, nil
}

func (s *Server) known(ctx context.Context, id string) bool {
	_, ok := store.ExecSessions.Get(s.db.View(), api.CallFrom(ctx).Scope().Key(id))
	return ok
}

// TerminateSession ends a session. It is no error when it has ended.
func (s *Server) TerminateSession(ctx context.Context, in *ssm.TerminateSessionInput) (*ssm.TerminateSessionOutput, error) {
	if err := s.sessions.Terminate(ctx, *in.SessionId); err != nil && !errors.Is(err, execsession.ErrEnded) {
		return nil, err
	}
	return &ssm.TerminateSessionOutput{SessionId: in.SessionId}, nil
}

// GetConnectionStatus says whether sessions can be opened in a container.
func (s *Server) GetConnectionStatus(ctx context.Context, in *ssm.GetConnectionStatusInput) (*ssm.GetConnectionStatusOutput, error) {
	out := &ssm.GetConnectionStatusOutput{Target: in.Target, Status: ssm.ConnectionStatusNotconnected}
	t, container, ok := s.target(api.CallFrom(ctx).Scope(), *in.Target)
	if ok && s.sessions.Connected(t, container) {
		out.Status = ssm.ConnectionStatusConnected
	}
	return out, nil
}

// DescribeSessions lists sessions: those that go on, or those that have ended, the latest
// first.
func (s *Server) DescribeSessions(ctx context.Context, in *ssm.DescribeSessionsInput) (*ssm.DescribeSessionsOutput, error) {
	for _, f := range in.Filters {
		if !slices.Contains(sessionFilters, f.Key) {
			return nil, notImplemented("the filter " + string(f.Key) + " of DescribeSessions")
		}
	}
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	all := slices.SortedFunc(store.ExecSessions.Prefix(view, scope.Key()), func(a, b *record.ExecSession) int {
		return b.CreatedAt.Compare(a.CreatedAt)
	})
	matching := func(yield func(*record.ExecSession) bool) {
		for _, e := range all {
			if e.Ended() == (in.State == ssm.SessionStateHistory) && matchesAll(e, in.Filters) && !yield(e) {
				return
			}
		}
	}
	list, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults).Descending(true), matching, func(e *record.ExecSession) string {
		return e.CreatedAt.UTC().Format("20060102150405.000000000") + e.ID
	})
	if err != nil {
		return nil, err
	}
	out := &ssm.DescribeSessionsOutput{Sessions: []ssm.Session{}, NextToken: next}
	for _, e := range list {
		out.Sessions = append(out.Sessions, sessionView(e))
	}
	return out, nil
}

// sessionFilters are the keys of filters that are implemented.
var sessionFilters = []ssm.SessionFilterKey{ssm.SessionFilterKeyTarget, ssm.SessionFilterKeyOwner, ssm.SessionFilterKeySessionId, ssm.SessionFilterKeyStatus}

func matchesAll(e *record.ExecSession, filters []ssm.SessionFilter) bool {
	has := map[ssm.SessionFilterKey]string{
		ssm.SessionFilterKeyTarget: e.Target(), ssm.SessionFilterKeyOwner: e.Owner,
		ssm.SessionFilterKeySessionId: e.ID, ssm.SessionFilterKeyStatus: string(sessionStatus(e)),
	}
	return !slices.ContainsFunc(filters, func(f ssm.SessionFilter) bool { return has[f.Key] != *f.Value })
}

// sessionStatus is the state of a session. Of an open one it is not known whether its
// client is there at the moment: the node has it.
func sessionStatus(e *record.ExecSession) ssm.SessionStatus {
	switch {
	case e.Ended() && e.StartedAt.IsZero():
		return ssm.SessionStatusFailed
	case e.Ended():
		return ssm.SessionStatusTerminated
	case !e.TerminatedAt.IsZero():
		return ssm.SessionStatusTerminating
	case e.StartedAt.IsZero():
		return ssm.SessionStatusConnecting
	}
	return ssm.SessionStatusConnected
}

func sessionView(e *record.ExecSession) ssm.Session {
	v := ssm.Session{
		SessionId: &e.ID, Target: new(e.Target()), Status: sessionStatus(e), StartDate: new(e.CreatedAt.Truncate(time.Millisecond)),
		Owner: &e.Owner, Reason: aws.NonZero(e.Reason), DocumentName: new(commandDocument), AccessType: ssm.AccessTypeStandard,
	}
	if e.Ended() {
		v.EndDate = new(e.EndedAt.Truncate(time.Millisecond))
		details := e.EndReason
		if e.ExitCode != nil {
			details = "exit code " + strconv.Itoa(*e.ExitCode)
		}
		v.Details = aws.NonZero(details)
	}
	return v
}
