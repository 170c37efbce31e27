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
	of    []Interest
	ready chan struct{} // has room for one; full when changed is not empty
	view  *Snapshot     // that all changes told so far lead to

	mu struct {
		sync.Mutex
		changed map[Change]struct{} // nil when closed
		view    *Snapshot           // that all of changed lead to
	}
}

// watchers are all there are, by what they are interested in.
type watchers struct {
	mu struct {
		sync.Mutex
		all    map[Interest]map[*Watcher]struct{}
		places map[int]int // how many of all are at a place
	}
}

// Interest is a part of the state that a watcher may be told of.
type Interest struct {
	place int // of a table's rows or of an index; see schema
	value string
}

// everything is the interest of a watcher that names none.
var everything = Interest{place: -1}

// Any is the interest in all records of the table.
func (t *Table[T]) Any() Interest { return Interest{place: t.rows} }

// Under is the interest in the records that the named index finds under value,
// or found there before a change.
func (t *Table[T]) Under(index, value string) Interest { return Interest{t.place(index), value} }

// Watch begins to collect changes in what is of interest, all there are if
// nothing is named; a View taken later lacks none of those before. Close the
// watcher when done.
func (s *state) Watch(of ...Interest) *Watcher {
	if len(of) == 0 {
		of = []Interest{everything}
	}
	w := &Watcher{owner: &s.watchers, of: of, ready: make(chan struct{}, 1)}
	w.mu.changed = map[Change]struct{}{}
	ws := &s.watchers
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.mu.all == nil {
		ws.mu.all, ws.mu.places = map[Interest]map[*Watcher]struct{}{}, map[int]int{}
	}
	w.view = s.View()
	for _, i := range of {
		if ws.mu.all[i] == nil {
			ws.mu.all[i] = map[*Watcher]struct{}{}
			ws.mu.places[i.place]++
		}
		ws.mu.all[i][w] = struct{}{}
	}
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
	changes, err := w.take()
	if err != nil {
		w.signal() // for whoever asks again
		return nil, err
	}
	slices.SortFunc(changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Key, b.Key))
	})
	return changes, nil
}

// take takes what has been collected, never a part of a commit alone: the view has
// all of it.
func (w *Watcher) take() ([]Change, error) {
	w.owner.mu.Lock() // nobody is telling
	defer w.owner.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.changed == nil {
		return nil, ErrClosed
	}
	changes := make([]Change, 0, len(w.mu.changed))
	for c := range w.mu.changed {
		changes = append(changes, c)
	}
	clear(w.mu.changed)
	w.view = w.mu.view
	return changes, nil
}

// View gives the state that has all changes which Next has told and, of what is
// of interest, no others: what two such views differ in is what was told between
// them. It is for the goroutine that calls Next.
func (w *Watcher) View() *Snapshot { return w.view }

// Close ends the watch; Next returns [ErrClosed].
func (w *Watcher) Close() {
	w.owner.remove(w)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.changed = nil
	w.signal()
}

func (ws *watchers) remove(w *Watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for _, i := range w.of {
		delete(ws.mu.all[i], w)
		if len(ws.mu.all[i]) == 0 && ws.mu.all[i] != nil {
			delete(ws.mu.all, i)
			ws.mu.places[i.place]--
		}
	}
}

// notify tells of the changes that have led to view.
func (ws *watchers) notify(changes []pending, view *Snapshot) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for i := range changes {
		ws.tell(everything, changes[i].Change, view)
		ws.notifyOf(&changes[i], view)
	}
}

// notifyOf tells those who are interested in the record's table, or in what an
// index finds it under or did before. mu is held.
func (ws *watchers) notifyOf(c *pending, view *Snapshot) {
	ws.tell(Interest{place: c.table.rows}, c.Change, view)
	for n := range c.table.trees - 1 {
		place := c.table.rows + 1 + n
		if ws.mu.places[place] == 0 {
			continue
		}
		for _, record := range []any{c.before, c.record} {
			if record == nil {
				continue
			}
			for _, value := range c.table.found(n, record) {
				ws.tell(Interest{place, value}, c.Change, view)
			}
		}
	}
}

// tell adds a change to what watchers of an interest have collected. mu is held.
func (ws *watchers) tell(i Interest, c Change, view *Snapshot) {
	for w := range ws.mu.all[i] {
		w.add(c, view)
	}
}

func (w *Watcher) add(c Change, view *Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mu.changed == nil {
		return
	}
	w.mu.changed[c] = struct{}{}
	w.mu.view = view
	w.signal()
}

func (w *Watcher) signal() {
	select {
	case w.ready <- struct{}{}:
	default:
	}
}
