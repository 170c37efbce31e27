package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ErrClosed is returned by what was asked of a closed DB, watcher or journal.
var ErrClosed = errors.New("store: closed")

// DB is the state: what the journal has, in memory. It leads the journal.
type DB struct {
	state   // the newest durable one
	journal Journal
	limits  Limits
	lease   Lease

	// committing is held by the one caller that is writing a batch to the
	// journal, on behalf of all in it. It is taken before mu. A channel and not
	// a mutex, because waiting for it is waiting for a disk.
	committing chan struct{}
	derive     []func(*Tx) error // what Derive was given

	// mu is held by the one caller whose function runs.
	mu struct {
		sync.Mutex
		closed bool
		newest *Snapshot // with all functions that ran, durable or not
		// queue is what the journal has not been given yet, in order. It is never
		// empty: what has room in the last batch joins it.
		queue []*batch
	}
}

// batch is the work of several callers, written to the journal as one.
type batch struct {
	writes  []Write
	bytes   int // of writes, as the journal's limits count them
	changes []pending
	after   *Snapshot // the state with all of changes
	then    []func()
	// done and err are guarded by DB.committing.
	done bool
	err  error
}

// Open takes over the lead of j, which belongs to the DB from now on, also when
// Open fails, loads the state from it, and brings records of older versions up to
// date. It waits until j can be led. Records of tables that this program does not
// declare are left in the journal untouched.
func Open(ctx context.Context, j Journal) (*DB, error) {
	fail := func(what string, err error) (*DB, error) {
		return nil, fmt.Errorf("%s: %w", what, errors.Join(err, j.Close()))
	}
	lease, err := j.Lead(ctx)
	if err != nil {
		return fail("lead the journal", err)
	}
	loaded, old, err := load(ctx, j)
	if err != nil {
		return fail("load the journal", err)
	}
	db := &DB{journal: j, limits: j.Limits(), lease: lease, committing: make(chan struct{}, 1)}
	db.mu.newest, db.mu.queue = loaded, []*batch{{}}
	db.view.Store(loaded)
	err = db.UpdateInParts(ctx, func(tx *Tx) (more bool, err error) {
		old, more = upgradeServices(tx, old)
		return more, nil
	})
	if err != nil {
		return fail("bring services up to date", err)
	}
	err = db.UpdateInParts(ctx, func(tx *Tx) (more bool, err error) { return upgradeNodes(tx), nil })
	if err != nil {
		return fail("bring nodes up to date", err)
	}
	return db, nil
}

// Derive has fn called at the end of every function that [DB.Update] has run and that has
// written: what fn writes belongs to the same transaction, and its error ends that. fn may
// write as much as there is and no more, or transactions that end when [Tx.Full] says so
// become too large. Call it before the DB is used.
func (db *DB) Derive(fn func(*Tx) error) { db.derive = append(db.derive, fn) }

// Lost is closed when the DB does not lead its journal any more: another does, or
// the DB was closed. Updates are refused with [ErrNotLeader] then, and views grow
// old; who goes on must open the journal anew.
func (db *DB) Lost() <-chan struct{} { return db.lease.Lost }

// Update runs fn on the newest state and makes its writes durable as one. When
// fn returns an error or panics, none of its writes happens, and Update returns
// that error as it is. Functions run one at a time, so fn must not call Update,
// nor wait for anything.
//
// Update returns when all that fn saw and wrote is durable and seen by
// [DB.View]. If the journal fails, Update returns its error and nothing was
// written: [ErrNotLeader] when another leads it, [ErrTooLarge] when it does not take
// all of fn's writes as one. A context that is done keeps fn from running but does
// not take back what it did.
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

// UpdateInParts runs fn in one transaction after another, as [DB.Update] does, for as
// long as it returns more. It is for work without a bound, of which every part
// stands on its own: fn ends a part when [Tx.Full] says so. What was done before an
// error stays.
func (db *DB) UpdateInParts(ctx context.Context, fn func(*Tx) (more bool, err error)) error {
	for more := true; more; {
		err := db.Update(ctx, func(tx *Tx) (err error) { more, err = fn(tx); return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// run calls fn and adds its writes, if it has any, to the last batch, which it
// returns; the batch is nil if fn was not called.
func (db *DB) run(ctx context.Context, fn func(*Tx) error) (*batch, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := db.refuse(ctx); err != nil {
		return nil, err
	}
	b := db.mu.queue[len(db.mu.queue)-1]
	tx := newTx(db.mu.newest, db.limits)
	if err := db.apply(tx, fn); err != nil {
		return b, err
	}
	writes, err := tx.encode()
	if err != nil {
		return b, err
	}
	if len(writes) == 0 {
		return b, nil
	}
	bytes := sizeOf(writes)
	if err := db.limits.allow(len(writes), bytes); err != nil {
		return b, err
	}
	if db.limits.allow(len(b.writes)+len(writes), b.bytes+bytes) != nil {
		b = new(batch)
		db.mu.queue = append(db.mu.queue, b)
	}
	db.mu.newest = tx.snapshot()
	b.writes = append(b.writes, writes...)
	b.bytes += bytes
	b.changes = append(b.changes, tx.writes...)
	b.then = append(b.then, tx.then...)
	b.after = db.mu.newest
	return b, nil
}

// apply calls fn, and what derives more from what it has written. mu is held.
func (db *DB) apply(tx *Tx, fn func(*Tx) error) error {
	if err := fn(tx); err != nil || len(tx.writes) == 0 {
		return err
	}
	for _, derive := range db.derive {
		if err := derive(tx); err != nil {
			return err
		}
	}
	return nil
}

// refuse is why no function can run now. mu is held.
func (db *DB) refuse(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.mu.closed {
		return ErrClosed
	}
	select {
	case <-db.lease.Lost:
		return ErrNotLeader
	default:
		return nil
	}
}

// commit returns when b is durable, or can not be. Whoever comes here first writes
// b, and what is before it; meanwhile later batches gather.
func (db *DB) commit(ctx context.Context, b *batch) error {
	db.committing <- struct{}{}
	defer func() { <-db.committing }()
	for !b.done {
		// The batch is not only this caller's, whose context may end.
		db.write(context.WithoutCancel(ctx), db.next())
	}
	return b.err
}

// next takes the first batch from the queue.
func (db *DB) next() *batch {
	db.mu.Lock()
	defer db.mu.Unlock()
	b := db.mu.queue[0]
	if db.mu.queue = db.mu.queue[1:]; len(db.mu.queue) == 0 {
		db.mu.queue = []*batch{{}}
	}
	return b
}

// write gives a batch to the journal, and then shows it. committing is held.
func (db *DB) write(ctx context.Context, b *batch) {
	b.done = true
	if len(b.writes) == 0 {
		return
	}
	revision, err := db.journal.Commit(ctx, db.lease.Epoch, b.writes)
	if err != nil {
		b.err = fmt.Errorf("write the journal: %w", err)
		db.fallBack(b.err)
		return
	}
	b.after.revision = revision // nobody has seen it yet
	db.show(b.after, b.changes)
	for _, fn := range b.then {
		fn()
	}
}

// fallBack forgets all that is not durable. What has gathered in the queue rests on
// the batch that failed and fails with it.
func (db *DB) fallBack(err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.abandon(err)
	db.mu.newest = db.view.Load()
}

// abandon ends all batches of the queue with an error. committing and mu are held.
func (db *DB) abandon(err error) {
	for _, b := range db.mu.queue {
		b.done, b.err = true, err
	}
	db.mu.queue = []*batch{{}}
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
	db.abandon(ErrClosed)
	return db.journal.Close()
}
