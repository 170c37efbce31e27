package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"fargo"
	"fargo/control"
	"fargo/desired"
	"fargo/logs"
)

// historyGroup is the log group that has every event, with a stream for each bus. It is
// made with the first event, and DescribeLogGroups shows it only to who asks for it.
// Whoever wants to keep events for longer or shorter than historyDays changes its
// retention.
const (
	historyGroup = "/fargo/events"
	historyDays  = 7
)

// eventHistory keeps events in a log group.
type eventHistory struct{ store *logs.Store }

// historyStream names a bus whose events go into a stream.
type historyStream struct {
	scope fargo.Scope
	bus   string
}

// Append implements [control.HistoryStore].
func (h eventHistory) Append(ctx context.Context, events []control.HistoryEvent) error {
	byStream := map[historyStream][]desired.LogEvent{}
	for _, e := range events {
		s := historyStream{e.Scope, e.Bus}
		byStream[s] = append(byStream[s], desired.LogEvent{Timestamp: e.At.UnixMilli(), Message: e.Event})
	}
	var errs []error
	for s, all := range byStream {
		errs = append(errs, h.put(ctx, s, all))
	}
	return errors.Join(errs...)
}

func (h eventHistory) put(ctx context.Context, s historyStream, events []desired.LogEvent) error {
	err := h.store.Put(ctx, s.scope, historyGroup, s.bus, events)
	if errors.Is(err, logs.ErrNoGroup) {
		if err := h.store.CreateGroup(ctx, s.scope, logs.Group{Name: historyGroup, Class: "STANDARD", RetentionDays: historyDays}); err != nil && !errors.Is(err, logs.ErrGroupExists) {
			return err
		}
	}
	if errors.Is(err, logs.ErrNoGroup) || errors.Is(err, logs.ErrNoStream) {
		if err := h.store.CreateStream(ctx, s.scope, historyGroup, s.bus); err != nil && !errors.Is(err, logs.ErrStreamExists) {
			return err
		}
		err = h.store.Put(ctx, s.scope, historyGroup, s.bus, events)
	}
	return err
}

// taskStopped is in the JSON of every event that tells of a task which has stopped, and of
// few others.
const taskStopped = `"lastStatus":"STOPPED"`

// StoppedTasks implements [control.HistoryStore].
func (h eventHistory) StoppedTasks(ctx context.Context, scope fargo.Scope, since time.Time) (map[string]bool, error) {
	ids := map[string]bool{}
	q := logs.Search{Start: since.UnixMilli(), Match: func(message string) bool { return strings.Contains(message, taskStopped) }}
	for {
		found, next, err := h.store.Search(ctx, scope, historyGroup, q)
		if errors.Is(err, logs.ErrNoGroup) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			var told struct{ ID string }
			if json.Unmarshal([]byte(e.Message), &told) == nil {
				ids[told.ID] = true
			}
		}
		if q.Token = next; next == "" {
			return ids, nil
		}
	}
}
