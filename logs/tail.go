package logs

import (
	"slices"
	"strings"
	"sync"

	"fargo"
)

// The bounds of what a tail keeps until it is read.
const (
	maxTailEvents = 10_000
	maxTailBytes  = 4 << 20
)

// TailQuery selects the streams to watch.
type TailQuery struct {
	Scope    fargo.Scope
	Groups   []string // names
	Streams  []string // only these, if any
	Prefixes []string // only streams whose name begins with one, if any
}

// TailEvent is an event with the name of its group.
type TailEvent struct {
	Group string // name
	Event
}

// Tail collects events as they are stored. It never delays writers: events that come
// when it is full are dropped.
type Tail struct {
	query TailQuery
	all   *tails

	mu struct {
		sync.Mutex
		events  []TailEvent
		bytes   int
		dropped bool
	}
}

// Tail begins a watch. The caller closes it.
func (s *Store) Tail(q TailQuery) *Tail {
	t := &Tail{query: q, all: &s.tails}
	s.tails.mu.Lock()
	defer s.tails.mu.Unlock()
	s.tails.mu.open = append(s.tails.mu.open, t)
	return t
}

// Close ends the watch.
func (t *Tail) Close() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	t.all.mu.open = slices.DeleteFunc(t.all.mu.open, func(o *Tail) bool { return o == t })
}

// Take returns the events since it was last called, and whether some were dropped.
// It does not wait.
func (t *Tail) Take() (events []TailEvent, dropped bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	events, dropped = t.mu.events, t.mu.dropped
	t.mu.events, t.mu.bytes, t.mu.dropped = nil, 0, false
	return events, dropped
}

func (t *Tail) wants(w *write) bool {
	q := t.query
	if q.Scope != w.scope || !slices.Contains(q.Groups, w.group) {
		return false
	}
	if len(q.Streams) == 0 && len(q.Prefixes) == 0 {
		return true
	}
	return slices.Contains(q.Streams, w.stream) ||
		slices.ContainsFunc(q.Prefixes, func(p string) bool { return strings.HasPrefix(w.stream, p) })
}

func (t *Tail) offer(w *write) {
	t.mu.Lock()
	defer t.mu.Unlock()
	number := w.first
	for _, e := range w.events {
		if e.Message == "" {
			continue
		}
		if len(t.mu.events) >= maxTailEvents || t.mu.bytes+len(e.Message) > maxTailBytes {
			t.mu.dropped = true
			return
		}
		p := point{max(e.Timestamp, 1), w.st.id, number}
		number++
		t.mu.events = append(t.mu.events, TailEvent{Group: w.group, Event: Event{
			Stream: w.stream, Timestamp: p.time, Ingested: w.ingested, Message: e.Message, ID: p.String(),
		}})
		t.mu.bytes += len(e.Message)
	}
}

// tails are the open ones.
type tails struct {
	mu struct {
		sync.RWMutex
		open []*Tail
	}
}

// publish gives w, which is on disk, to the tails that want it.
func (ts *tails) publish(w *write) {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	for _, t := range ts.mu.open {
		if t.wants(w) {
			t.offer(w)
		}
	}
}
