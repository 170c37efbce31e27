package control

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// ExecAgent does for nodes what the agent of ECS Exec does with the permissions of the
// task's role. errdefs.IsUnavailable holds for an error when that is to be tried again.
type ExecAgent interface {
	// PutExecTranscript puts the transcript of a session where the cluster says.
	PutExecTranscript(ctx context.Context, s *record.ExecSession, content []byte) error
	// DecryptExecKey decrypts the data key of a session, and gives it in base64.
	DecryptExecKey(ctx context.Context, s *record.ExecSession, k desired.ExecKey) (secret.Text, error)
}

// ReportExecSession commits what a node has seen of a session. Its start and its end are
// logged, with who ran what where: that is the audit.
func (p *Plane) ReportExecSession(ctx context.Context, node string, r desired.ExecSessionReport) error {
	return p.DB.Update(ctx, func(tx *store.Tx) error {
		s, ok := execSessionOf(tx, node, r.ID)
		if !ok || s.Ended() {
			return nil
		}
		log := p.Logger.With("session", s.ID, "caller", s.Owner, "task", s.TaskARN(), "container", s.Container, "command", s.Command)
		next := *s
		if s.StartedAt.IsZero() && !r.StartedAt.IsZero() {
			next.StartedAt = r.StartedAt
			log.Info("session of ECS Exec began")
		}
		if r.EndedAt.IsZero() {
			if next.StartedAt != s.StartedAt {
				store.ExecSessions.Put(tx, &next)
			}
			return nil
		}
		store.EndExecSession(tx, &next, r.EndedAt, r.ExitCode, r.Reason)
		log.Info("session of ECS Exec ended", "exitCode", exitCodeText(r.ExitCode), "reason", r.Reason)
		return nil
	})
}

// exitCodeText is an exit code for a log.
func exitCodeText(code *int) any {
	if code == nil {
		return "none"
	}
	return *code
}

// execSessionOf finds a session that is a node's, by its id alone: ids are unique.
func execSessionOf(r store.Reader, node, id string) (*record.ExecSession, bool) {
	for s := range store.ExecSessions.By(r, store.ExecSessionByID, id) {
		return s, s.Node == node
	}
	return nil, false
}

// PutExecTranscript puts what the client of a session was shown where the cluster says.
func (p *Plane) PutExecTranscript(ctx context.Context, node string, t desired.ExecTranscript) error {
	s, ok := execSessionOf(p.DB.View(), node, t.ID)
	if !ok {
		return errdefs.ErrNotFound
	}
	return p.ExecAgent.PutExecTranscript(ctx, s, t.Content)
}

// DecryptExecKey decrypts the data key of a session that is the node's and goes on.
func (p *Plane) DecryptExecKey(ctx context.Context, node string, k desired.ExecKey) (value secret.Text, err error) {
	s, ok := execSessionOf(p.DB.View(), node, k.ID)
	if !ok || s.Ended() {
		return value, errdefs.ErrNotFound
	}
	return p.ExecAgent.DecryptExecKey(ctx, s, k)
}

// TaskRoleSession is a session of a task's role, without credentials. The error is of a
// role that does not trust ECS to act for the task.
func TaskRoleSession(r store.Reader, t *record.Task) (*record.Session, error) {
	d, ok := store.TaskDefinitionByARN(r, *t.Intent.TaskDefinitionArn)
	if !ok {
		return nil, errors.New("the task definition is gone")
	}
	arn := plan.TaskRole(t, d)
	role, ok := assumed(r, arn, tasksService, t)
	if !ok {
		return nil, errUnassumable(arn)
	}
	return plan.TaskSession(t, role, 0), nil
}

// execSessionKept is for how long a session is known after its end.
const execSessionKept = 24 * time.Hour

// The ends of sessions that no node tells of.
const (
	execTaskStopped    = "the task has stopped"
	execNeverConnected = "no client has connected in time"
	execTerminated     = "terminated"
)

// ExecSessions is the controller that ends sessions whose task has stopped, or to which
// nobody has connected, and forgets those that have ended.
func ExecSessions() Controller {
	return Controller{
		Name: "execsession",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.ExecSessions.All(r)) },
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			switch c.Table {
			case store.ExecSessions.Name():
				return slices.Values([]string{c.Key})
			case store.Tasks.Name():
				return keys(store.ExecSessions.By(r, store.ExecSessionByTask, c.Key))
			}
			return slices.Values([]string(nil))
		},
		Reconcile: reconcileExecSession,
	}
}

func reconcileExecSession(tx *store.Tx, key string, now time.Time) (time.Time, error) {
	s, ok := store.ExecSessions.Get(tx, key)
	if !ok {
		return time.Time{}, nil
	}
	if s.Ended() {
		if end := s.EndedAt.Add(execSessionKept); now.Before(end) {
			return end, nil
		}
		store.ExecSessions.Delete(tx, key)
		return time.Time{}, nil
	}
	t, ok := store.Tasks.Get(tx, s.TaskKey())
	switch {
	case !ok || t.Stopped():
		store.EndExecSession(tx, s, now, nil, execTaskStopped)
	case !s.StartedAt.IsZero():
	case !s.TerminatedAt.IsZero():
		store.EndExecSession(tx, s, now, nil, execTerminated)
	case now.Before(s.TokenExpires.Add(execConnecting)):
		return s.TokenExpires.Add(execConnecting), nil
	default:
		store.EndExecSession(tx, s, now, nil, execNeverConnected)
	}
	return time.Time{}, nil
}

// execConnecting is how long a node may take to report a session that has begun with the
// last moment of its token: one that is away reports later, and the session goes on.
const execConnecting = time.Minute

// diffExecSession notes that a session of the node is new, is another, or is not to be
// served any more.
func (s *nodeState) diffExecSession(before store.Reader, key string, c *desired.Change[desired.ExecSession]) {
	old, was := servedExecSession(before, key, s.node)
	next, is := servedExecSession(s.view, key, s.node)
	switch {
	case is && (!was || old != next):
		c.Put = append(c.Put, plan.ExecSession(next))
	case was && !is:
		c.Gone = append(c.Gone, old.ID)
	}
}

func servedExecSession(r store.Reader, key, node string) (*record.ExecSession, bool) {
	s, ok := store.ExecSessions.Get(r, key)
	if !ok || s.Node != node || s.Ended() || !s.TerminatedAt.IsZero() {
		return nil, false
	}
	return s, true
}

func execSessions(r store.Reader, node string) (all []desired.ExecSession) {
	for s := range store.ExecSessions.By(r, store.ExecSessionByNode, node) {
		all = append(all, plan.ExecSession(s))
	}
	return all
}
