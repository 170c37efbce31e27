package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/api"
	apiecs "fargo/api/ecs"
	"fargo/api/forward"
	"fargo/api/iam"
	"fargo/aws/ecs"
	"fargo/control"
	"fargo/desired"
	"fargo/logs"
)

// newDeliverers make what sends the events of rules and schedules to their targets.
func newDeliverers(p *plane, server *apiecs.Server) []*control.Deliverer {
	targets := &control.EventTargets{
		DB: p.db, Router: p.events, Assumable: iam.Assumable, HTTP: &http.Client{},
		RunTask:     roleTasks{server, p.calls}.run,
		SendMessage: queues{p.forwarded}.send,
		Publish:     topics{p.forwarded}.publish,
		Functions:   p.functions,
		PutLog:      (&eventLogs{store: p.logs, stream: uuid.NewString()}).put,
	}
	var all []*control.Deliverer
	for _, toFunctions := range []bool{false, true} {
		all = append(all, &control.Deliverer{DB: p.db, Logger: p.log, Send: targets.Send, Pace: p.pace, ToFunctions: toFunctions})
	}
	return all
}

// queues are those of SQS, where it is forwarded.
type queues struct{ services *forward.Services }

func (q queues) send(ctx context.Context, queue fargo.ARN, m control.QueueMessage) error {
	err := q.services.SendMessage(ctx, queue, forward.Message(m))
	if errors.Is(err, forward.ErrNotForwarded) {
		return &control.UndeliverableError{Code: "NO_RESOURCE", Err: err}
	}
	return err
}

// topics are those of SNS, where it is forwarded.
type topics struct{ services *forward.Services }

func (t topics) publish(ctx context.Context, topic fargo.ARN, subject, message string) error {
	err := t.services.Publish(ctx, topic, subject, message)
	if errors.Is(err, forward.ErrNotForwarded) {
		return &control.UndeliverableError{Code: "NO_RESOURCE", Err: err}
	}
	return err
}

// roleTasks runs tasks for EventBridge, with a session of the role of a target.
type roleTasks struct {
	server *apiecs.Server
	calls  api.Calls
}

func (r roleTasks) run(ctx context.Context, scope fargo.Scope, role string, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	a, _ := fargo.ParseARN(role)
	call := &api.Call{
		RequestID: uuid.NewString(), Operation: "RunTask", Account: scope.Account, Region: scope.Region,
		Caller: api.Caller{Role: role, PrincipalARN: fargo.Scope{Account: a.Account}.ARN("sts", "assumed-role/"+a.Name()+"/"+*in.ClientToken), CredentialsIssued: time.Now()},
	}
	return api.CallAs(ctx, r.calls, &ecs.API, call, in, r.server.RunTask)
}

// eventLogs writes events into log groups, in a stream of this process.
type eventLogs struct {
	store  *logs.Store
	stream string
}

func (l *eventLogs) put(ctx context.Context, scope fargo.Scope, group, message string, at time.Time) error {
	event := []desired.LogEvent{{Timestamp: at.UnixMilli(), Message: message}}
	err := l.store.Put(ctx, scope, group, l.stream, event)
	if errors.Is(err, logs.ErrNoStream) {
		if err = l.store.CreateStream(ctx, scope, group, l.stream); err == nil || errors.Is(err, logs.ErrStreamExists) {
			err = l.store.Put(ctx, scope, group, l.stream, event)
		}
	}
	if errors.Is(err, logs.ErrNoGroup) {
		return &control.UndeliverableError{Code: "NO_RESOURCE", Err: err}
	}
	return err
}
