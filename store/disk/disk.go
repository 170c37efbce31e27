// Package disk is the journal of an installation on one machine: an embedded
// key-value engine in a directory of its own, every batch synced. It knows
// encryption at rest; it refuses to know what a record is.
//
// Only one process can have the directory open, so whoever leads has the engine's
// lock, and takes over at once. Followers are in the same process.
package disk

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine"
	"fargo/store"
)

// The engine's share of the daemon's memory, and the room it must find on disk
// before a commit: enough to write out its buffers and to compact.
const (
	memTableSize = 4 << 20
	cacheSize    = 4 << 20
	reserve      = 32 << 20
)

// limits are what the engine takes as one without growing out of that: a batch is
// in memory twice while it is written. A task's record has a few kilobytes.
var limits = store.Limits{Ops: 16 << 10, Bytes: 16 << 20}

// Journal is a [store.Journal] in a directory.
type Journal struct {
	store.Journal // sealed
	plain         *plain
	key           Key
}

// Open opens the journal in dir, which it makes if need be, and which no other
// process may have open. Secrets are sealed with the key. What is damaged is refused with an
// [*engine.Damage], secrets without their key with a [*KeyLost]. The engine's
// messages go to log.
func Open(dir string, key Key, log *slog.Logger) (*Journal, error) {
	return OpenIn(vfs.Default, dir, key, log)
}

// OpenIn is Open, of a directory in another file system than the machine's, where
// the key's file still is.
func OpenIn(files vfs.FS, dir string, key Key, log *slog.Logger) (*Journal, error) {
	e, err := engine.Open(config(dir, log, files))
	if err != nil {
		return nil, err
	}
	p, err := newPlain(e)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	value, err := p.key(key)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &Journal{store.Seal(p, value), p, key}, nil
}

func config(dir string, log *slog.Logger, files vfs.FS) engine.Config {
	return engine.Config{
		Dir: dir, FS: files, What: "the control plane's state", Reserve: reserve, Logger: log,
		Options: pebble.Options{CacheSize: cacheSize, MemTableSize: memTableSize, MaxOpenFiles: 64},
	}
}

// Load implements [store.Journal].
func (j *Journal) Load(ctx context.Context, yield func(key string, value []byte) error) (store.Revision, error) {
	revision, err := j.Journal.Load(ctx, yield)
	if !errors.Is(err, store.ErrSealed) {
		return revision, err
	}
	sealed, err := j.plain.sealed(ctx)
	if err != nil {
		return 0, err
	}
	return 0, &KeyLost{j.key.String(), "is not the key", sealed}
}

// Writable is nil when a commit would be accepted now. Otherwise
// [fargo.ErrNotWritable] holds for the error.
func (j *Journal) Writable() error { return j.plain.engine.Writable() }

// plain is the journal below the seal.
type plain struct {
	engine *engine.Engine
	terms  store.Terms
	tail   *store.Tail

	mu struct { // held by the one commit under way
		sync.Mutex
		revision store.Revision // of the last commit
	}
}

func newPlain(e *engine.Engine) (*plain, error) {
	p := &plain{engine: e}
	value, closer, err := e.DB.Get([]byte(headKey))
	switch {
	case errors.Is(err, pebble.ErrNotFound): // new, or of a version without it
	case err != nil:
		return nil, e.Read(err)
	default:
		h, err := parseHead(value)
		if err := errors.Join(err, closer.Close()); err != nil {
			return nil, err
		}
		p.mu.revision = h.Revision
		p.terms.Resume(h.Epoch)
	}
	p.tail = store.NewTail(p.mu.revision)
	return p, nil
}

// Limits implements [store.Journal].
func (p *plain) Limits() store.Limits { return limits }

// Lead implements [store.Journal]. It writes nothing, so that a control plane can
// start, and be read, with a full disk: the epoch is on disk with the first commit
// that is made in it.
func (p *plain) Lead(ctx context.Context) (store.Lease, error) {
	if err := ctx.Err(); err != nil {
		return store.Lease{}, err
	}
	p.mu.Lock() // no commit of an older epoch is under way
	defer p.mu.Unlock()
	return p.terms.Lead(), nil
}

// Load implements [store.Journal].
func (p *plain) Load(ctx context.Context, yield func(key string, value []byte) error) (store.Revision, error) {
	it, err := p.engine.DB.NewIterWithContext(ctx, nil)
	if err != nil {
		return 0, err
	}
	var h head
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		switch key := string(it.Key()); {
		case err != nil:
		case key == headKey:
			h, err = parseHead(value)
		default:
			err = yield(key, value)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return 0, errors.Join(p.engine.Read(err), it.Close())
		}
	}
	// Close says again what Error has said.
	return h.Revision, p.engine.Read(cmp.Or(it.Error(), it.Close()))
}

// Commit implements [store.Journal]. With too little room on the disk, and once the
// engine itself has failed, [fargo.ErrNotWritable] holds for the error.
func (p *plain) Commit(_ context.Context, epoch store.Epoch, writes []store.Write) (store.Revision, error) {
	if err := limits.Allow(writes); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.terms.Leads(epoch) {
		return 0, store.ErrNotLeader
	}
	next := head{p.mu.revision + 1, epoch}
	if err := p.engine.Write(func() error { return p.write(writes, next) }); err != nil {
		return 0, err
	}
	p.mu.revision = next.Revision
	p.tail.Append(store.Commit{Revision: next.Revision, Writes: writes})
	return next.Revision, nil
}

func (p *plain) write(writes []store.Write, next head) error {
	b := p.engine.DB.NewBatch()
	defer b.Close()
	for _, w := range writes {
		var err error
		if w.Value == nil {
			err = b.Delete([]byte(w.Key), nil)
		} else {
			err = b.Set([]byte(w.Key), w.Value, nil)
		}
		if err != nil {
			return err
		}
	}
	if err := b.Set([]byte(headKey), next.encode(), nil); err != nil {
		return err
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return p.engine.Fail(err) // whether the batch is in the log, nobody knows
	}
	return nil
}

// Follow implements [store.Journal], for followers in this process: it reaches back
// as far as a [store.Tail] does, and not to before the journal was opened.
func (p *plain) Follow(ctx context.Context, from store.Revision, yield func(store.Commit) error) error {
	return p.tail.Follow(ctx, from, yield)
}

// Close implements [store.Journal].
func (p *plain) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.terms.End()
	p.tail.Close()
	return p.engine.Close()
}
