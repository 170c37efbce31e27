package logs

import (
	"context"
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
	"fargo/desired"
)

// EventOverhead is what CloudWatch Logs counts for an event besides its message.
// Source: PutLogEvents.
const EventOverhead = 26

// Event is an event of a stream.
type Event struct {
	Stream    string
	Timestamp int64
	Ingested  int64
	Message   string
	ID        string // 56 digits, unique in the group and ordered as events are
}

// Append adds a part of a container's output to a stream that must exist. Events,
// the stream's times and the source's position are written together, and are on disk
// when Append returns.
//
// to is the position up to which the store has the source; the sender goes on there.
// A batch that begins before that position is not added, for some of its events are
// stored already: so sending a batch again has no effect. Events without a message
// are dropped, as CloudWatch Logs has none.
func (s *Store) Append(ctx context.Context, batch desired.LogBatch) (to int64, err error) {
	w := write{scope: targetScope(batch.Target), group: batch.Target.Group, stream: batch.Target.Stream, events: batch.Events}
	err = s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		if err := s.find(&w); err != nil {
			return nil, err
		}
		key := sourceKey(w.g.ID, w.st.id, batch.Source)
		held, known, err := s.position(key)
		if err != nil {
			return nil, err
		}
		if known && batch.From < held {
			// The write this one repeats may not be on disk yet: sync, too.
			to, w.events = held, nil
			return nil, b.LogData(nil, nil)
		}
		to = max(batch.To, held)
		b.Set(key, binary.BigEndian.AppendUint64(nil, uint64(to)), nil)
		return s.put(b, &w)
	})
	if err != nil {
		return 0, err
	}
	s.written(&w)
	return to, nil
}

// Put adds events to a stream that must exist. Called again, it adds them again.
func (s *Store) Put(ctx context.Context, scope fargo.Scope, groupName, streamName string, events []desired.LogEvent) error {
	w := write{scope: scope, group: groupName, stream: streamName, events: events}
	err := s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		if err := s.find(&w); err != nil {
			return nil, err
		}
		return s.put(b, &w)
	})
	if err != nil {
		return err
	}
	s.written(&w)
	return nil
}

func targetScope(t desired.LogTarget) fargo.Scope {
	return fargo.Scope{Account: t.Account, Region: t.Region}
}

// write is events that are added to a stream.
type write struct {
	scope         fargo.Scope
	group, stream string
	events        []desired.LogEvent

	g        *group
	st       *stream
	ingested int64
	first    uint64 // number of the first event
}

// find finds the group and stream of w.
func (s *Store) find(w *write) (err error) {
	if w.g, err = s.group(w.scope, w.group); err != nil {
		return err
	}
	w.st, err = s.stream(w.g, w.stream)
	return err
}

// put adds the events of w, its stream and its group to a batch.
func (s *Store) put(b *pebble.Batch, w *write) (seen func(), err error) {
	w.ingested, w.first = nowMillis(), w.st.number
	var size int64
	for _, e := range w.events {
		if e.Message == "" {
			continue
		}
		st := w.st
		t := max(e.Timestamp, 1)
		b.Set(eventKey(w.g.ID, point{t, st.id, st.number}), encodeEvent(t, w.ingested, e.Message), nil)
		st.number++
		if st.First == 0 || t < st.First {
			st.First = t
		}
		st.Last = max(st.Last, t)
		st.Ingested = w.ingested
		size += int64(len(e.Message)) + EventOverhead
	}
	w.st.Bytes += size
	if err := putStream(b, w.g, w.st); err != nil {
		return nil, err
	}
	return w.g.addBytes(b, size), nil
}

// position is that up to which the store has a source.
func (s *Store) position(key []byte) (to int64, known bool, err error) {
	v, known, err := s.engine.Get(key)
	if err != nil || !known {
		return 0, false, err
	}
	return int64(binary.BigEndian.Uint64(v)), true, nil
}

// encodeEvent is an event's value: the delay from its time to its ingestion, and the
// message.
func encodeEvent(time, ingested int64, message string) []byte {
	v := make([]byte, 0, binary.MaxVarintLen64+len(message))
	v = binary.AppendVarint(v, ingested-time)
	return append(v, message...)
}

func decodeEvent(stream string, p point, v []byte) Event {
	delay, n := binary.Varint(v)
	return Event{Stream: stream, Timestamp: p.time, Ingested: p.time + delay, Message: string(v[max(n, 0):]), ID: p.String()}
}
