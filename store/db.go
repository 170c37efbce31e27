package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// ErrClosed is returned by what was asked of a closed DB or watcher.
var ErrClosed = errors.New("store: closed")

// DB is the state: what the journal has, in memory.
type DB struct {
	journal  Journal
	view     atomic.Pointer[Snapshot] // the newest durable state
	watchers watchers

	// committing is held by the one caller that is writing a batch to the
	// journal, on behalf of all in it. It is taken before mu. A channel and not
	// a mutex, because waiting for it is waiting for a disk.
	committing chan struct{}

	// mu is held by the one caller whose function runs.
	mu struct {
		sync.Mutex
		closed bool
		newest *Snapshot // with all functions that ran, durable or not
		open   *batch    // what the journal will be given next
	}
}

// batch is the work of several callers, written to the journal as one.
type batch struct {
	writes  []Write
	changes []pending
	// done and err are guarded by DB.committing.
	done bool
	err  error
}

// Open loads the state from j, which belongs to the DB from now on, also when
// Open fails, and brings records of older versions up to date. Records of tables that this program does not declare are left in
// the journal untouched.
func Open(ctx context.Context, j Journal) (*DB, error) {
	empty := &Snapshot{trees: make([]*tree, places)}
	for i := range empty.trees {
		empty.trees[i] = iradix.New[any]()
	}
	tx := newTx(empty)
	var old []oldService
	err := j.Load(ctx, func(key string, value []byte) error {
		name, key, _ := strings.Cut(key, "/")
		t, ok := declared[name]
		if !ok {
			return nil
		}
		if err := t.load(tx, key, value); err != nil {
			return fmt.Errorf("record %q of table %s: %w", key, name, err)
		}
		if name == Services.name {
			if s, ok := parseOldService(value); ok {
				old = append(old, s)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load the journal: %w", errors.Join(err, j.Close()))
	}
	db := &DB{journal: j, committing: make(chan struct{}, 1)}
	db.mu.newest = tx.snapshot()
	db.mu.open = new(batch)
	db.view.Store(db.mu.newest)
	if err := db.Update(ctx, func(tx *Tx) error { upgradeServices(tx, old); return nil }); err != nil {
		return nil, fmt.Errorf("bring services up to date: %w", errors.Join(err, db.Close()))
	}
	return db, nil
}

// View gives the newest durable state. It never blocks.
func (db *DB) View() *Snapshot { return db.view.Load() }

// Update runs fn on the newest state and makes its writes durable as one. When
// fn returns an error or panics, none of its writes happens, and Update returns
// that error as it is. Functions run one at a time, so fn must not call Update,
// nor wait for anything.
//
// Update returns when all that fn saw and wrote is durable and seen by
// [DB.View]. If the journal fails, Update returns its error and nothing was
// written. A context that is done keeps fn from running but does not take back
// what it did.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	b, answer := db.run(ctx, fn)
	if b == nil {
		return answer
	}
	// Also an answer without writes waits: it may rest on writes of others that
	// are not durable yet.
	if err := db.commit(ctx, b); err != nil {
		return err
	}
	return answer
}

// run calls fn and adds its writes, if it has any, to the open batch, which it
// returns; the batch is nil if fn was not called.
func (db *DB) run(ctx context.Context, fn func(*Tx) error) (*batch, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if db.mu.closed {
		return nil, ErrClosed
	}
	b := db.mu.open
	tx := newTx(db.mu.newest)
	if err := fn(tx); err != nil {
		return b, err
	}
	writes, err := tx.encode()
	if err != nil {
		return b, err
	}
	if len(writes) == 0 {
		return b, nil
	}
	db.mu.newest = tx.snapshot()
	b.writes = append(b.writes, writes...)
	b.changes = append(b.changes, tx.writes...)
	return b, nil
}

// commit returns when b is durable, or can not be. The first of b's callers to
// come here writes it; meanwhile the next batch gathers.
func (db *DB) commit(ctx context.Context, b *batch) error {
	db.committing <- struct{}{}
	defer func() { <-db.committing }()
	if b.done {
		return b.err
	}
	// b is the open batch: batches are closed one at a time, here, and done
	// before the lock is given up.
	db.mu.Lock()
	next := db.mu.newest
	db.mu.open = new(batch)
	db.mu.Unlock()

	b.done = true
	if len(b.writes) == 0 {
		return nil
	}
	// The batch is not only this caller's, whose context may end.
	if err := db.journal.Commit(context.WithoutCancel(ctx), b.writes); err != nil {
		b.err = fmt.Errorf("write the journal: %w", err)
		db.fallBack(b.err)
		return b.err
	}
	db.view.Store(next)
	db.watchers.notify(b.changes, next)
	return nil
}

// fallBack forgets all that is not durable. What has gathered in the open batch
// rests on the failed one and fails with it.
func (db *DB) fallBack(err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.mu.open.done, db.mu.open.err = true, err
	db.mu.open = new(batch)
	db.mu.newest = db.view.Load()
}

// Close waits for the batch being written and closes the journal. Updates are
// refused from then on; snapshots stay good.
func (db *DB) Close() error {
	db.committing <- struct{}{}
	defer func() { <-db.committing }()
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.mu.closed {
		return nil
	}
	db.mu.closed = true
	db.mu.open.done, db.mu.open.err = true, ErrClosed
	return db.journal.Close()
}
