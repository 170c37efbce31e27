package store

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// Change says that a record was put or deleted, not what happened to it: look
// in a [DB.View] taken after the change was received.
type Change struct{ Table, Key string }

// Watcher collects what changes, each record once however often it does. A slow
// watcher holds up nobody and costs no more than the keys that there are.
type Watcher struct {
	owner *watchers
	ready chan struct{} // has room for one; full when changed is not empty

	mu struct {
		sync.Mutex
		changed map[Change]struct{} // nil when closed
	}
}

type watchers struct {
	mu struct {
		sync.Mutex
		all map[*Watcher]struct{}
	}
}

// Watch begins to collect changes; a View taken later lacks none of those
// before. Close the watcher when done.
func (db *DB) Watch() *Watcher {
	w := &Watcher{owner: &db.watchers, ready: make(chan struct{}, 1)}
	w.mu.changed = map[Change]struct{}{}
	db.watchers.mu.Lock()
	defer db.watchers.mu.Unlock()
	if db.watchers.mu.all == nil {
		db.watchers.mu.all = map[*Watcher]struct{}{}
	}
	db.watchers.mu.all[w] = struct{}{}
	return w
}

// Next waits until something has changed since it was last called and returns
// all that did, in order of table and key. It is for one goroutine at a time.
func (w *Watcher) Next(ctx context.Context) ([]Change, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-w.ready:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.changed == nil {
		w.signal() // for whoever asks again
		return nil, ErrClosed
	}
	changes := make([]Change, 0, len(w.mu.changed))
	for c := range w.mu.changed {
		changes = append(changes, c)
	}
	clear(w.mu.changed)
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Key, b.Key))
	})
	return changes, nil
}

// Close ends the watch; Next returns [ErrClosed].
func (w *Watcher) Close() {
	w.owner.mu.Lock()
	delete(w.owner.mu.all, w)
	w.owner.mu.Unlock()

	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.changed = nil
	w.signal()
}

func (ws *watchers) notify(changes []Change) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.mu.all {
		w.add(changes)
	}
}

func (w *Watcher) add(changes []Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.changed == nil {
		return
	}
	for _, c := range changes {
		w.mu.changed[c] = struct{}{}
	}
	w.signal()
}

func (w *Watcher) signal() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}
