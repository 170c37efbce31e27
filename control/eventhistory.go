package control

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"fargo"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// HistoryEvent is an event as the history keeps it.
type HistoryEvent struct {
	Scope fargo.Scope
	Bus   string // name
	Event string // in JSON
	At    time.Time
}

// A HistoryStore keeps events for some days.
type HistoryStore interface {
	// Append adds events; they are on disk when it returns.
	Append(ctx context.Context, events []HistoryEvent) error
	// StoppedTasks are the ids of the events since a time that tell of tasks which have
	// stopped.
	StoppedTasks(ctx context.Context, scope fargo.Scope, since time.Time) (ids map[string]bool, err error)
}

// EventHistory keeps every event of every bus. It is written behind what the events tell
// of: a process that is killed takes the last ones with it, except that the end of a task
// is added when the next one starts.
type EventHistory struct {
	store  HistoryStore
	logger *slog.Logger
	began  *store.Snapshot // before anything happened that the history is told of

	mu struct {
		sync.Mutex
		waiting []func() []HistoryEvent
	}
	ready chan struct{} // has room for one; full when something waits
}

// NewEventHistory makes a history that is written when Run is called. began is the state
// before the first change that it will be told of.
func NewEventHistory(began *store.Snapshot, to HistoryStore, logger *slog.Logger) *EventHistory {
	return &EventHistory{store: to, logger: logger, began: began, ready: make(chan struct{}, 1)}
}

// maxWaiting is how many additions may wait for the disk. What comes then is lost.
const maxWaiting = 100_000

// Keep adds an event, and does not wait for that.
func (h *EventHistory) Keep(_ context.Context, scope fargo.Scope, bus, event string, at time.Time) {
	h.add(func() []HistoryEvent { return []HistoryEvent{{scope, bus, event, at}} })
}

// add adds what make gives, which is called elsewhere.
func (h *EventHistory) add(make func() []HistoryEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.mu.waiting) < maxWaiting {
		h.mu.waiting = append(h.mu.waiting, make)
	}
	select {
	case h.ready <- struct{}{}:
	default:
	}
}

// take gives all that waits.
func (h *EventHistory) take() (events []HistoryEvent) {
	h.mu.Lock()
	waiting := h.mu.waiting
	h.mu.waiting = nil
	h.mu.Unlock()
	for _, make := range waiting {
		events = append(events, make()...)
	}
	return events
}

// Run writes until ctx ends, and then what is left.
func (h *EventHistory) Run(ctx context.Context) error {
	if err := h.recover(ctx); err != nil && ctx.Err() == nil {
		h.logger.ErrorContext(ctx, "the history of events was not completed", "error", err)
	}
	h.began = nil // it holds memory
	for {
		select {
		case <-ctx.Done():
			h.write(context.WithoutCancel(ctx))
			return nil
		case <-h.ready:
			h.write(ctx)
		}
	}
}

func (h *EventHistory) write(ctx context.Context) {
	events := h.take()
	if len(events) == 0 {
		return
	}
	if err := h.store.Append(ctx, events); err != nil {
		h.logger.ErrorContext(ctx, "events are missing in the history", "events", len(events), "error", err)
	}
}

// recover adds the ends of tasks that the history should have from earlier processes, and
// does not.
func (h *EventHistory) recover(ctx context.Context) error {
	ended, since := map[fargo.Scope][]*record.Task{}, map[fargo.Scope]time.Time{}
	for t := range store.Tasks.All(h.began) {
		if !t.Stopped() {
			continue
		}
		ended[t.Scope] = append(ended[t.Scope], t)
		if at := plan.StoppedAt(t); since[t.Scope].IsZero() || at.Before(since[t.Scope]) {
			since[t.Scope] = at
		}
	}
	for scope, tasks := range ended {
		known, err := h.store.StoppedTasks(ctx, scope, since[scope])
		if err != nil {
			return fmt.Errorf("read the history: %w", err)
		}
		var missing []HistoryEvent
		for _, t := range tasks {
			at := plan.StoppedAt(t)
			if e := plan.TaskEvent(nil, t, at); !known[e.ID] {
				missing = append(missing, historyOf([]ecsChange{{scope, func() []*plan.SentEvent { return []*plan.SentEvent{e} }}}, at)...)
			}
		}
		if len(missing) > 0 {
			if err := h.store.Append(ctx, missing); err != nil {
				return err
			}
		}
	}
	return nil
}
