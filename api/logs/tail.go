package logs

import (
	"context"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/logs"
	engine "fargo/logs"
	"fargo/logs/filter"
)

// The bounds of a session. Source: StartLiveTail; CloudWatch Logs quotas.
const (
	maxTails     = 15
	tailEvery    = time.Second
	tailLasts    = 3 * time.Hour
	maxPerUpdate = 500
)

// StartLiveTail shows events as they arrive, an update a second, until the
// client goes or three hours are over. Of more than 500 events a second it
// shows a sample.
func (s *Server) StartLiveTail(ctx context.Context, in *logs.StartLiveTailInput) (*logs.StartLiveTailOutput, error) {
	call := api.CallFrom(ctx)
	query, err := s.tailQuery(call.Scope(), in)
	if err != nil {
		return nil, err
	}
	pattern, err := parsePattern(in.LogEventFilterPattern)
	if err != nil {
		return nil, err
	}
	if s.tails.Add(1) > maxTails {
		s.tails.Add(-1)
		return nil, logs.LimitExceededException("No more than %d Live Tail sessions can be open.", maxTails)
	}
	events := make(chan logs.StartLiveTailResponseStream)
	t := &session{scope: call.Scope(), tail: s.store.Tail(query), pattern: pattern, events: events}
	go func() {
		defer s.tails.Add(-1)
		defer close(events)
		defer t.tail.Close()
		t.run(ctx, &logs.LiveTailSessionStart{
			RequestId:             &call.RequestID,
			SessionId:             new(fargo.NewHex(32)),
			LogGroupIdentifiers:   in.LogGroupIdentifiers,
			LogStreamNames:        in.LogStreamNames,
			LogStreamNamePrefixes: in.LogStreamNamePrefixes,
			LogEventFilterPattern: new(aws.Value(in.LogEventFilterPattern)),
		})
	}()
	return &logs.StartLiveTailOutput{ResponseStream: events}, nil
}

func (s *Server) tailQuery(scope fargo.Scope, in *logs.StartLiveTailInput) (engine.TailQuery, error) {
	q := engine.TailQuery{Scope: scope, Streams: in.LogStreamNames, Prefixes: in.LogStreamNamePrefixes}
	switch byStream := len(q.Streams) + len(q.Prefixes); {
	case len(q.Streams) > 0 && len(q.Prefixes) > 0:
		return q, logs.InvalidParameterException("LogStreamNames and LogStreamNamePrefixes are mutually exclusive parameters.")
	case byStream > 0 && len(in.LogGroupIdentifiers) > 1:
		return q, logs.InvalidParameterException("LogStreamNames or LogStreamNamePrefixes can be specified only with one log group.")
	}
	for _, id := range in.LogGroupIdentifiers {
		name, err := groupOfARN(scope, id)
		if err != nil {
			return q, err
		}
		if _, err := s.store.Group(scope, name); err != nil {
			return q, refused(err)
		}
		q.Groups = append(q.Groups, name)
	}
	return q, nil
}

// session is one client's live tail.
type session struct {
	scope   fargo.Scope
	tail    *engine.Tail
	pattern *filter.Pattern
	events  chan<- logs.StartLiveTailResponseStream
}

func (t *session) run(ctx context.Context, start *logs.LiveTailSessionStart) {
	if !t.send(ctx, logs.StartLiveTailResponseStream{SessionStart: start}) {
		return
	}
	tick := time.NewTicker(tailEvery)
	defer tick.Stop()
	over := time.NewTimer(tailLasts)
	defer over.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-over.C:
			t.send(ctx, logs.StartLiveTailResponseStream{
				SessionTimeoutException: logs.SessionTimeoutException("Your session timed out after %s.", tailLasts),
			})
			return
		case <-tick.C:
			if !t.send(ctx, logs.StartLiveTailResponseStream{SessionUpdate: t.update()}) {
				return
			}
		}
	}
}

// send reports whether the client took the event.
func (t *session) send(ctx context.Context, e logs.StartLiveTailResponseStream) bool {
	select {
	case t.events <- e:
		return true
	case <-ctx.Done():
		return false
	}
}

// update is what has come since the last one.
func (t *session) update() *logs.LiveTailSessionUpdate {
	came, sampled := t.tail.Take()
	results := []logs.LiveTailSessionLogEvent{}
	for _, e := range came {
		if t.pattern.Match(e.Message) {
			results = append(results, logs.LiveTailSessionLogEvent{
				LogGroupIdentifier: new(groupARN(t.scope, e.Group)),
				LogStreamName:      &e.Stream,
				Message:            &e.Message,
				Timestamp:          &e.Timestamp,
				IngestionTime:      &e.Ingested,
			})
		}
	}
	if n := len(results); n > maxPerUpdate {
		sampled = true
		for i := range maxPerUpdate {
			results[i] = results[i*n/maxPerUpdate]
		}
		results = results[:maxPerUpdate]
	}
	return &logs.LiveTailSessionUpdate{
		SessionMetadata: &logs.LiveTailSessionMetadata{Sampled: &sampled},
		SessionResults:  results,
	}
}
