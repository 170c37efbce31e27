// Package execsession makes sessions of ECS Exec, for the services by which clients ask
// for one. It knows what a session needs of its task and of the task's role. It refuses to
// know what each service calls what is missing.
package execsession

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Agent decides what the agent of ECS Exec in a task's containers can do, by what the
// policies of the task's role allow.
type Agent interface {
	// Connects reports whether the agent may open its channels.
	Connects(r store.Reader, t *record.Task) bool
	// Refuses gives the reason for which the agent ends every session at once, in AWS's
	// words; empty when it does not.
	Refuses(ctx context.Context, t *record.Task, l record.ExecLogging) (string, error)
}

// Request is a session that a client asks for.
type Request struct {
	Prefix    string // of the id
	Task      *record.Task
	Container string
	Command   string
	Reason    string
}

// Opened is what a client needs to connect to a session.
type Opened struct{ ID, URL, Token string }

// The reasons for which there is no session.
var (
	// ErrNotRunning: commands are not enabled in the task, or its agent does not run.
	ErrNotRunning = errors.New("the agent does not run")
	// ErrNotConnected: the agent runs, and cannot open its channels.
	ErrNotConnected = errors.New("the agent is not connected")
	// ErrTooMany: the task has as many sessions as it may have.
	ErrTooMany = errors.New("too many sessions")
	// ErrEnded: the session has ended, or there never was one.
	ErrEnded = errors.New("the session has ended")
)

// MaxOpen is how many sessions a task may have at once. AWS's agent allows two for each
// container.
const MaxOpen = 100

// Sessions makes them.
type Sessions struct {
	DB *store.DB
	// Agent is nil where there is none: nothing connects.
	Agent Agent
}

// Open makes a session.
func (s Sessions) Open(ctx context.Context, q Request) (Opened, error) {
	call, view := api.CallFrom(ctx), s.DB.View()
	next, at, err := s.prepare(ctx, view, q)
	if err != nil {
		return Opened{}, err
	}
	opened := Opened{ID: next.ID, Token: newToken()}
	if opened.URL, err = channelURL(at, call, next.ID); err != nil {
		return Opened{}, ErrNotConnected
	}
	err = s.DB.Update(ctx, func(tx *store.Tx) error {
		t, ok := store.Tasks.Get(tx, q.Task.Key())
		if !ok || t.LastStatus() != fargo.TaskRunning {
			return ErrNotRunning
		}
		open := 0
		for other := range store.ExecSessions.By(tx, store.ExecSessionByTask, t.Key()) {
			if !other.Ended() {
				open++
			}
		}
		if open >= MaxOpen {
			return ErrTooMany
		}
		store.ForgetExecSessions(tx, t.Key())
		renew(next, opened.Token, time.Now())
		store.ExecSessions.Put(tx, next)
		return nil
	})
	return opened, err
}

// prepare makes a session without a token, and gives where its node serves data channels.
func (s Sessions) prepare(ctx context.Context, view *store.Snapshot, q Request) (*record.ExecSession, string, error) {
	t := q.Task
	runtimeID, runs := plan.ExecAgentRuns(t, q.Container)
	d, defined := store.TaskDefinitionByARN(view, *t.Intent.TaskDefinitionArn)
	c, clustered := store.Clusters.Get(view, t.Scope.Key(t.Cluster))
	if !runs || !defined || !clustered {
		return nil, "", ErrNotRunning
	}
	node, ok := store.Nodes.Get(view, t.Node)
	container := d.Container(q.Container)
	if !ok || !s.connects(view, t, container) {
		return nil, "", ErrNotConnected
	}
	next := &record.ExecSession{
		Scope: t.Scope, ID: fargo.NewEC2ID(q.Prefix), Cluster: t.Cluster, TaskID: t.ID, Container: q.Container, ContainerID: runtimeID,
		Node: t.Node, Owner: api.CallFrom(ctx).PrincipalARN, Reason: q.Reason, Command: q.Command, CreatedAt: time.Now().UTC(),
		Logging: plan.ExecLogging(&c.Cluster, container), KMSKeyID: plan.ExecKey(&c.Cluster),
	}
	var err error
	if next.Arguments, err = plan.ExecArguments(q.Command); err != nil {
		next.Refusal = err.Error()
		return next, node.Hello.DataChannels, nil
	}
	next.Refusal, err = s.Agent.Refuses(ctx, t, next.Logging)
	return next, node.Hello.DataChannels, err
}

// Connected reports whether sessions can be opened in a container.
func (s Sessions) Connected(t *record.Task, container string) bool {
	view := s.DB.View()
	_, runs := plan.ExecAgentRuns(t, container)
	d, ok := store.TaskDefinitionByARN(view, *t.Intent.TaskDefinitionArn)
	return runs && ok && s.connects(view, t, d.Container(container))
}

// connects reports whether the agent in a container opens its channels: it writes to the
// container's file system, and needs the permission of the task's role.
func (s Sessions) connects(r store.Reader, t *record.Task, c *ecs.ContainerDefinition) bool {
	return s.Agent != nil && !aws.Value(c.ReadonlyRootFilesystem) && s.Agent.Connects(r, t)
}

// Resume gives a session that has not ended a new token. The old one opens nothing more.
func (s Sessions) Resume(ctx context.Context, id string) (opened Opened, err error) {
	call := api.CallFrom(ctx)
	opened = Opened{ID: id, Token: newToken()}
	err = s.change(ctx, id, func(tx *store.Tx, session *record.ExecSession) error {
		node, ok := store.Nodes.Get(tx, session.Node)
		if !ok {
			return ErrEnded
		}
		renew(session, opened.Token, time.Now())
		opened.URL, err = channelURL(node.Hello.DataChannels, call, id)
		return err
	})
	return opened, err
}

// channelURL is where the client of a call opens the data channel of a session, which its
// node serves at an address.
func channelURL(at string, call *api.Call, id string) (string, error) {
	if call.Origin != nil {
		return plan.VPCDataChannelURL(call.Host, call.Region, id, call.Secure), nil
	}
	return plan.DataChannelURL(at, call.Host, id, call.Secure)
}

// Terminate ends a session.
func (s Sessions) Terminate(ctx context.Context, id string) error {
	return s.change(ctx, id, func(_ *store.Tx, session *record.ExecSession) error {
		session.TerminatedAt = time.Now().UTC()
		return nil
	})
}

// change changes a session that has not ended and is not to end.
func (s Sessions) change(ctx context.Context, id string, do func(*store.Tx, *record.ExecSession) error) error {
	scope := api.CallFrom(ctx).Scope()
	return s.DB.Update(ctx, func(tx *store.Tx) error {
		found, ok := store.ExecSessions.Get(tx, scope.Key(id))
		if !ok || found.Ended() || !found.TerminatedAt.IsZero() {
			return ErrEnded
		}
		next := *found
		if err := do(tx, &next); err != nil {
			return err
		}
		store.ExecSessions.Put(tx, &next)
		return nil
	})
}

// newToken makes a token of 240 random bits.
func newToken() string {
	var random [30]byte
	_, _ = rand.Read(random[:]) // it never fails
	return base64.StdEncoding.EncodeToString(random[:])
}

// renew gives a session a token.
func renew(s *record.ExecSession, token string, now time.Time) {
	s.TokenHash, s.TokenExpires = desired.ExecTokenHash(token), now.Add(plan.ExecTokenLife).UTC()
}
