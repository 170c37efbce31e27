// Package disk is the journal of an installation on one machine: an embedded
// key-value engine (Pebble) in a directory of its own, every batch synced. It
// knows files, disk space and encryption at rest; it refuses to know what a
// record is.
package disk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/store"
)

// ErrFull says that the disk has too little room left to write anything.
// Commits work again when it has more.
var ErrFull = errors.New("disk is full")

// The engine's share of the daemon's memory, and the room it must find on disk
// before a commit: enough to write out its buffers and to compact.
const (
	memTableSize = 4 << 20
	cacheSize    = 4 << 20
	reserve      = 32 << 20
)

// Journal is a [store.Journal] in a directory.
type Journal struct {
	dir   string
	fs    vfs.FS
	db    *pebble.DB
	fatal *fatal
}

// Open opens the journal in dir, which it makes if need be, and which no other
// process may have open. Secrets are sealed with the key in keyFile, made if
// need be; it must not be below dir. The engine's messages go to log.
func Open(dir, keyFile string, log *slog.Logger) (store.Journal, error) {
	key, err := store.LoadKey(keyFile)
	if err != nil {
		return nil, err
	}
	j, err := open(dir, log, vfs.Default)
	if err != nil {
		return nil, err
	}
	return store.Seal(j, key), nil
}

func open(dir string, log *slog.Logger, fs vfs.FS) (*Journal, error) {
	fatal := new(fatal)
	cache := pebble.NewCache(cacheSize)
	defer cache.Unref()
	db, err := pebble.Open(dir, &pebble.Options{
		FS:                 fs,
		Cache:              cache,
		MemTableSize:       memTableSize,
		MaxOpenFiles:       64,
		FormatMajorVersion: pebble.FormatNewest,
		Logger:             engineLog{log, fatal},
	})
	if err != nil {
		return nil, fmt.Errorf("open the journal in %s: %w", dir, err)
	}
	return &Journal{dir, fs, db, fatal}, nil
}

// Load implements [store.Journal].
func (j *Journal) Load(ctx context.Context, yield func(key string, value []byte) error) error {
	it, err := j.db.NewIterWithContext(ctx, nil)
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
			return errors.Join(err, it.Close())
		}
	}
	return errors.Join(it.Error(), it.Close())
}

// Commit implements [store.Journal]. With too little room on the disk it
// returns [ErrFull]. Once the engine itself has failed, which it does not
// recover from, every commit returns that failure.
func (j *Journal) Commit(ctx context.Context, writes []store.Write) error {
	if err := j.fatal.get(); err != nil {
		return err
	}
	if usage, err := j.fs.GetDiskUsage(j.dir); err != nil {
		return fmt.Errorf("measure free space: %w", err)
	} else if usage.AvailBytes < reserve {
		return fmt.Errorf("%w: %d MB are free, %d needed", ErrFull, usage.AvailBytes>>20, reserve>>20)
	}
	b := j.db.NewBatch()
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
	if err := commit(b); err != nil {
		j.fatal.set(err) // whether the batch is in the log, nobody knows
		return err
	}
	return nil
}

// Close implements [store.Journal].
func (j *Journal) Close() error {
	if j.fatal.get() != nil {
		return nil // the engine waits forever for what failed; the process's end is its close
	}
	return j.db.Close()
}

// fatal remembers the failure after which the engine can not go on.
type fatal struct {
	mu struct {
		sync.Mutex
		err error
	}
}

func (f *fatal) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.err
}

func (f *fatal) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.err == nil {
		f.mu.err = fmt.Errorf("journal failed, restart needed: %w", err)
	}
}

// commit syncs the batch. A panic of engineLog.Fatalf becomes its error.
func commit(b *pebble.Batch) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case engineFailure:
			err = p
		default:
			panic(p)
		}
	}()
	return b.Commit(pebble.Sync)
}

// engineFailure is what engineLog.Fatalf panics with.
type engineFailure struct{ error }

// engineLog takes the engine's messages.
type engineLog struct {
	log   *slog.Logger
	fatal *fatal
}

func (l engineLog) Infof(format string, args ...any) {
	l.log.Debug("journal engine", "message", fmt.Sprintf(format, args...))
}

func (l engineLog) Errorf(format string, args ...any) {
	l.log.Error("journal engine", "message", fmt.Sprintf(format, args...))
}

// Fatalf must not return. In a commit its panic becomes the commit's error; in
// one of the engine's own goroutines it ends the process, which loses nothing
// that was acknowledged.
func (l engineLog) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	l.log.Error("journal engine failed", "error", err)
	l.fatal.set(err)
	panic(engineFailure{err})
}
