// Package control carries out the control plane's decisions: its controllers read the
// store, ask package plan what should change, and commit that. It knows when to
// reconcile a key again. It refuses to know what should be decided, and never touches a
// container or the kernel: nodes do that, which get their desired state from the store
// through [Plane], by which they also say what they have measured: that becomes metrics.
package control

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"fargo/store"
)

// Controller keeps one kind of record as it should be. It is a value, not a
// goroutine: the runner calls it.
type Controller struct {
	Name string
	// All gives every key the controller cares for: where to look at the start.
	All func(store.Reader) iter.Seq[string]
	// Scope gives the keys that a change makes worth another look.
	Scope func(store.Reader, store.Change) iter.Seq[string]
	// Reconcile looks at what key names, decides with package plan, and writes
	// the outcome. It is called again at next, when that is not zero, and after
	// any change in Scope. It writes nothing when it returns an error.
	Reconcile func(tx *store.Tx, key string, now time.Time) (next time.Time, err error)
}

// retryAfter is how long a key rests after its Reconcile failed.
const retryAfter = time.Second

// batchLimit bounds the keys that share a transaction, so that one commit never
// holds up the API for long.
const batchLimit = 256

// Run drives the controllers until ctx ends or the store is closed. The first
// look at every key and a look after a change are one path: a key is pending or it
// is not.
func Run(ctx context.Context, db *store.DB, log *slog.Logger, controllers []Controller) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := make(chan []store.Change)
	ended := make(chan error, 1)
	w := db.Watch()
	defer w.Close()
	go func() { ended <- forward(ctx, w, changes) }()

	r := newRunner(db, log, controllers)
	r.enqueueAll()
	for {
		if r.pending() {
			if err := r.reconcile(ctx); err != nil {
				cancel()
				return errors.Join(err, unlessCanceled(<-ended))
			}
		}
		timer := time.NewTimer(r.untilNext())
		select {
		case c := <-changes:
			r.enqueueChanged(c)
		case <-timer.C:
			r.enqueueDue(time.Now())
		case err := <-ended:
			timer.Stop()
			return err
		}
		timer.Stop()
	}
}

// unlessCanceled hides the end that Run itself has asked for.
func unlessCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// forward passes on what the watcher sees until ctx ends.
func forward(ctx context.Context, w *store.Watcher, out chan<- []store.Change) error {
	for {
		c, err := w.Next(ctx)
		if err != nil {
			return err
		}
		select {
		case out <- c:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// keyed is a noun with a place in the store.
type keyed interface{ Key() string }

func keys[T keyed](records iter.Seq[T]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for r := range records {
			if !yield(r.Key()) {
				return
			}
		}
	}
}
