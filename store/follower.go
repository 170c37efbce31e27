package store

import (
	"context"
	"fmt"
)

// Follower is a copy of the state that follows what the leader of a journal
// commits. It can be read and watched as a [DB] can, and lags behind by what is
// under way. It does not write, nor become the leader: for that a DB is opened.
type Follower struct {
	state
	journal Journal
}

// NewFollower loads the state from j, which stays the caller's.
func NewFollower(ctx context.Context, j Journal) (*Follower, error) {
	loaded, _, err := load(ctx, j) // old records are the leader's to bring up to date
	if err != nil {
		return nil, fmt.Errorf("load the journal: %w", err)
	}
	f := &Follower{journal: j}
	f.view.Store(loaded)
	return f, nil
}

// Run takes over what is committed until ctx ends or the journal is closed. When it
// returns [ErrCompacted], the follower is too far behind, and a new one has to take
// its place.
func (f *Follower) Run(ctx context.Context) error {
	return f.journal.Follow(ctx, f.View().Revision(), f.apply)
}

func (f *Follower) apply(c Commit) error {
	tx := newTx(f.View(), Unlimited)
	for _, w := range c.Writes {
		t, key, ok := tableOf(w.Key)
		if !ok {
			continue
		}
		if err := t.apply(tx, key, w.Value); err != nil {
			return fmt.Errorf("record %q of table %s: %w", key, t.name, err)
		}
	}
	next := tx.snapshot()
	next.revision = c.Revision
	f.show(next, tx.writes)
	return nil
}
