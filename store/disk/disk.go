// Package disk is the journal of an installation on one machine: an embedded
// key-value engine in a directory of its own, every batch synced. It knows
// encryption at rest; it refuses to know what a record is.
package disk

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

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

// Journal is a [store.Journal] in a directory.
type Journal struct {
	store.Journal // sealed
	plain         *plain
	keyFile       string
}

// Open opens the journal in dir, which it makes if need be, and which no other
// process may have open. Secrets are sealed with the key in keyFile, made if need
// be; it must not be below dir. What is damaged is refused with an
// [*engine.Damage], secrets without their key with a [*KeyLost]. The engine's
// messages go to log.
func Open(dir, keyFile string, log *slog.Logger) (*Journal, error) {
	return open(dir, keyFile, log, vfs.Default)
}

func open(dir, keyFile string, log *slog.Logger, files vfs.FS) (*Journal, error) {
	e, err := engine.Open(config(dir, log, files))
	if err != nil {
		return nil, err
	}
	p := &plain{e}
	key, err := p.key(keyFile)
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &Journal{store.Seal(p, key), p, keyFile}, nil
}

func config(dir string, log *slog.Logger, files vfs.FS) engine.Config {
	return engine.Config{
		Dir: dir, FS: files, What: "the control plane's state", Reserve: reserve, Logger: log,
		Options: pebble.Options{CacheSize: cacheSize, MemTableSize: memTableSize, MaxOpenFiles: 64},
	}
}

// Load implements [store.Journal].
func (j *Journal) Load(ctx context.Context, yield func(key string, value []byte) error) error {
	err := j.Journal.Load(ctx, yield)
	if !errors.Is(err, store.ErrSealed) {
		return err
	}
	sealed, err := j.plain.sealed(ctx)
	if err != nil {
		return err
	}
	return &KeyLost{j.keyFile, "is not the key", sealed}
}

// Writable is nil when a commit would be accepted now. Otherwise
// [fargo.ErrNotWritable] holds for the error.
func (j *Journal) Writable() error { return j.plain.engine.Writable() }

// plain is the journal below the seal.
type plain struct{ engine *engine.Engine }

// Load implements [store.Journal].
func (p *plain) Load(ctx context.Context, yield func(key string, value []byte) error) error {
	it, err := p.engine.DB.NewIterWithContext(ctx, nil)
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err == nil {
			err = yield(string(it.Key()), value)
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return errors.Join(p.engine.Read(err), it.Close())
		}
	}
	// Close says again what Error has said.
	return p.engine.Read(cmp.Or(it.Error(), it.Close()))
}

// Commit implements [store.Journal]. With too little room on the disk, and once the
// engine itself has failed, [fargo.ErrNotWritable] holds for the error.
func (p *plain) Commit(_ context.Context, writes []store.Write) error {
	return p.engine.Write(func() error {
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
		if err := b.Commit(pebble.Sync); err != nil {
			return p.engine.Fail(err) // whether the batch is in the log, nobody knows
		}
		return nil
	})
}

// Close implements [store.Journal].
func (p *plain) Close() error { return p.engine.Close() }
