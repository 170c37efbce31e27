package logs

import (
	"context"
	"fmt"
	"time"

	"fargo/aws/logs"
	"fargo/desired"
	engine "fargo/logs"
)

// The rules of a batch. Source: PutLogEvents.
const (
	maxBatchBytes = 1_048_576
	maxBatchSpan  = 24 * time.Hour
	maxAge        = 14 * 24 * time.Hour
	maxAhead      = 2 * time.Hour
)

// PutLogEvents adds events to a stream. Those that are too old or too new are
// left out and reported; the sequence token is not looked at any more.
func (s *Server) PutLogEvents(ctx context.Context, in *logs.PutLogEventsInput) (*logs.PutLogEventsOutput, error) {
	scope := scopeOf(ctx)
	g, err := s.store.Group(scope, *in.LogGroupName)
	if err != nil {
		return nil, refused(err)
	}
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	now := time.Now()
	from, to, rejected := acceptable(in.LogEvents, g.RetentionDays, now)
	events := make([]desired.LogEvent, 0, to-from)
	for _, e := range in.LogEvents[from:to] {
		events = append(events, desired.LogEvent{Timestamp: *e.Timestamp, Message: *e.Message})
	}
	if err := s.store.Put(ctx, scope, g.Name, *in.LogStreamName, events); err != nil {
		return nil, refused(err)
	}
	return &logs.PutLogEventsOutput{
		NextSequenceToken:     new(sequenceToken(now.UnixMilli())),
		RejectedLogEventsInfo: rejected,
	}, nil
}

// sequenceToken is one for clients that still expect it; nothing depends on it.
func sequenceToken(millis int64) string { return fmt.Sprintf("49%054d", millis) }

func checkBatch(events []logs.InputLogEvent) error {
	size := 0
	for i, e := range events {
		counted := len(*e.Message) + engine.EventOverhead
		if counted > maxBatchBytes { // the largest event is as large as the largest batch
			return logs.InvalidParameterException("Log event too large: %d bytes exceeds limit of %d", counted, maxBatchBytes)
		}
		size += counted
		if i > 0 && *e.Timestamp < *events[i-1].Timestamp {
			return logs.InvalidParameterException("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if size > maxBatchBytes {
		return logs.InvalidParameterException("Upload too large: %d bytes exceeds limit of %d", size, maxBatchBytes)
	}
	if *events[len(events)-1].Timestamp-*events[0].Timestamp > maxBatchSpan.Milliseconds() {
		return logs.InvalidParameterException("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// acceptable gives the part events[from:to] of a batch, which is in order, that
// is neither too old, nor past the group's retention, nor too new.
func acceptable(events []logs.InputLogEvent, retentionDays int32, now time.Time) (from, to int, rejected *logs.RejectedLogEventsInfo) {
	before := func(t time.Time) int {
		n := 0
		for n < len(events) && *events[n].Timestamp < t.UnixMilli() {
			n++
		}
		return n
	}
	var info logs.RejectedLogEventsInfo
	if tooOld := before(now.Add(-maxAge)); tooOld > 0 {
		from, info.TooOldLogEventEndIndex = tooOld, new(int32(tooOld))
	}
	if retentionDays > 0 {
		if expired := before(now.AddDate(0, 0, -int(retentionDays))); expired > 0 {
			from, info.ExpiredLogEventEndIndex = max(from, expired), new(int32(expired))
		}
	}
	to = before(now.Add(maxAhead + time.Millisecond))
	if to < len(events) {
		info.TooNewLogEventStartIndex = new(int32(to))
	}
	if info == (logs.RejectedLogEventsInfo{}) {
		return from, to, nil
	}
	return from, to, &info
}
