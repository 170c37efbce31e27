package store

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// state is what readers see.
type state struct {
	view     atomic.Pointer[Snapshot]
	watchers watchers
}

// View gives the newest durable state. It never blocks.
func (s *state) View() *Snapshot { return s.view.Load() }

// show makes next, to which the changes have led, the newest durable state.
func (s *state) show(next *Snapshot, changes []pending) {
	s.view.Store(next)
	s.watchers.notify(changes, next)
}

// load reads all of a journal, and the services in it that are of an older version.
func load(ctx context.Context, j Journal) (*Snapshot, []oldService, error) {
	empty := &Snapshot{trees: make([]*tree, places)}
	for i := range empty.trees {
		empty.trees[i] = iradix.New[any]()
	}
	tx := newTx(empty, Unlimited)
	var old []oldService
	revision, err := j.Load(ctx, func(key string, value []byte) error {
		t, key, ok := tableOf(key)
		if !ok {
			return nil
		}
		if err := t.load(tx, key, value); err != nil {
			return fmt.Errorf("record %q of table %s: %w", key, t.name, err)
		}
		if t.name == Services.name {
			if s, ok := parseOldService(value); ok {
				old = append(old, s)
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	loaded := tx.snapshot()
	loaded.revision = revision
	return loaded, old, nil
}

// tableOf is the table of a journal's key, if this program declares it, and the
// record's key there.
func tableOf(name string) (t *schema, key string, ok bool) {
	name, key, _ = strings.Cut(name, "/")
	t, ok = declared[name]
	return t, key, ok
}
