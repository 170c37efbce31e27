package control

import (
	"container/heap"
	"context"
	"errors"
	"log/slog"
	"time"

	"fargo"
	"fargo/store"
)

// item names a key of one controller.
type item struct {
	controller int
	key        string
}

// runner is the loop's memory: what is pending, and what to look at when. Losing
// it costs nothing but a look at everything.
type runner struct {
	db          *store.DB
	log         *slog.Logger
	controllers []Controller
	queue       []item
	queued      map[item]bool
	requeues    requeues
}

func newRunner(db *store.DB, log *slog.Logger, controllers []Controller) *runner {
	return &runner{db: db, log: log, controllers: controllers, queued: map[item]bool{}}
}

func (r *runner) pending() bool { return len(r.queue) > 0 }

func (r *runner) enqueue(w item) {
	if !r.queued[w] {
		r.queued[w] = true
		r.queue = append(r.queue, w)
	}
}

func (r *runner) enqueueAll() {
	view := r.db.View()
	for i, c := range r.controllers {
		for key := range c.All(view) {
			r.enqueue(item{i, key})
		}
	}
}

func (r *runner) enqueueChanged(changes []store.Change) {
	view := r.db.View()
	for i, c := range r.controllers {
		for _, change := range changes {
			for key := range c.Scope(view, change) {
				r.enqueue(item{i, key})
			}
		}
	}
}

// reconcile works off the queue, many keys to a transaction. A key that fails
// does not take the others with it: the batch is run again one by one.
func (r *runner) reconcile(ctx context.Context) error {
	for r.pending() {
		n := min(len(r.queue), batchLimit)
		batch := r.queue[:n]
		done, err := r.commit(ctx, batch)
		switch {
		case err == nil:
			batch = batch[:done]
		case errors.Is(err, fargo.ErrNotWritable):
			// No key is at fault, and whoever found out has said so.
			for _, w := range batch {
				heap.Push(&r.requeues, requeue{time.Now().Add(retryAfter), w})
			}
		default:
			for _, w := range batch {
				if _, err := r.commit(ctx, []item{w}); err != nil {
					if ctx.Err() != nil {
						return ctx.Err()
					}
					r.log.ErrorContext(ctx, "reconcile failed", "controller", r.controllers[w.controller].Name, "key", w.key, "error", err)
					heap.Push(&r.requeues, requeue{time.Now().Add(retryAfter), w})
				}
			}
		}
		for _, w := range batch {
			delete(r.queued, w)
		}
		r.queue = r.queue[len(batch):]
	}
	r.queue = nil
	return nil
}

// commit reconciles the keys of a batch in one transaction, as many as are well
// within what the journal takes as one, and says how many that were.
func (r *runner) commit(ctx context.Context, batch []item) (done int, err error) {
	var next []requeue
	err = r.db.Update(ctx, func(tx *store.Tx) error {
		now := time.Now()
		for _, w := range batch {
			if tx.Full() {
				return nil
			}
			at, err := r.controllers[w.controller].Reconcile(tx, w.key, now)
			if err != nil {
				return err
			}
			if !at.IsZero() {
				next = append(next, requeue{at, w})
			}
			done++
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, a := range next {
		heap.Push(&r.requeues, a)
	}
	return done, nil
}

// idle is how long the loop sleeps when nothing is due.
const idle = time.Hour

func (r *runner) untilNext() time.Duration {
	if len(r.requeues) == 0 {
		return idle
	}
	return max(0, time.Until(r.requeues[0].at))
}

// wake marks all that is due at now.
func (r *runner) enqueueDue(now time.Time) {
	for len(r.requeues) > 0 && !r.requeues[0].at.After(now) {
		r.enqueue(heap.Pop(&r.requeues).(requeue).item)
	}
}

// requeue is a time to look at a key again. One too many does no harm.
type requeue struct {
	at   time.Time
	item item
}

type requeues []requeue

func (a requeues) Len() int           { return len(a) }
func (a requeues) Less(i, j int) bool { return a[i].at.Before(a[j].at) }
func (a requeues) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *requeues) Push(x any)        { *a = append(*a, x.(requeue)) }
func (a *requeues) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}
