// Package logs is what CloudWatch Logs remembers: log groups, their streams and
// the events in them, of every account and region of an installation, in an
// embedded engine of its own. It knows how to take events exactly once, find
// them by stream or by group in the order of time, forget them when their time
// is over, and let someone watch them arrive. It refuses to know the API's
// shapes and texts, who may ask, and where a container's output comes from.
//
// Times are milliseconds since the epoch, as CloudWatch Logs counts.
package logs

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/containerd/errdefs"

	"fargo/engine"
)

// The kinds of refusal. For the first two errdefs.IsNotFound holds, which is
// how a node learns that its output has nowhere to go any more.
var (
	ErrNoGroup      = errdefs.ErrNotFound.WithMessage("no such log group")
	ErrNoStream     = errdefs.ErrNotFound.WithMessage("no such log stream")
	ErrGroupExists  = errors.New("log group exists")
	ErrStreamExists = errors.New("log stream exists")
	ErrToken        = errors.New("not a token of this query")
)

// The engine's memory: most installations write little and read less, and the
// whole daemon has to be small when idle.
const (
	memTableSize = 2 << 20
	cacheSize    = 4 << 20
	// reserve is the room on disk that is not filled with logs: more than the
	// control plane's state needs, so that it can be written when they no longer
	// can.
	reserve = 48 << 20
)

// Store holds the logs. Its methods may be called from many goroutines; a
// method that changes something returns when the change is on disk.
type Store struct {
	engine *engine.Engine
	db     *pebble.DB // the engine's, for reading

	// writing is held from reading what a write depends on until the write is
	// visible, but not while it is synced: writers share the engine's syncs.
	writing sync.Mutex
	nextID  uint64 // of the next group or stream; under writing

	// Groups are few and always in memory. The values are immutable.
	mu struct {
		sync.RWMutex
		groups map[string]*group
	}

	tails tails
}

// Open opens the store in dir, or makes one. What is damaged is refused with an
// [*engine.Damage].
func Open(dir string, log *slog.Logger) (*Store, error) { return openOn(vfs.Default, dir, log) }

// openOn opens a store on any file system.
func openOn(fs vfs.FS, dir string, log *slog.Logger) (*Store, error) {
	e, err := engine.Open(config(fs, dir, log))
	if err != nil {
		return nil, err
	}
	s := &Store{engine: e, db: e.DB}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("load logs in %s: %w", dir, errors.Join(e.Read(err), e.Close()))
	}
	return s, nil
}

func config(fs vfs.FS, dir string, log *slog.Logger) engine.Config {
	opts := pebble.Options{
		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: 2,
		CacheSize:                   cacheSize,
		MaxOpenFiles:                256,
		FlushDelayDeleteRange:       time.Second, // deleted streams give their space back soon
	}
	opts.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionBalanced })
	return engine.Config{Dir: dir, FS: fs, What: "logs", Reserve: reserve, Logger: log, Options: opts}
}

// Writable is nil when events would be taken now. Otherwise [fargo.ErrNotWritable]
// holds for the error, and for that of every write.
func (s *Store) Writable() error { return s.engine.Writable() }

// Close closes the store. Nobody may be using it or use it afterwards.
func (s *Store) Close() error {
	if err := s.engine.Close(); err != nil {
		return fmt.Errorf("close logs: %w", err)
	}
	return nil
}

// load brings groups and the next id into memory.
func (s *Store) load() error {
	s.mu.groups = make(map[string]*group)
	s.nextID = 1
	id, found, err := s.get(nextIDKey)
	if err != nil {
		return err
	}
	if found {
		s.nextID = binary.BigEndian.Uint64(id)
	}
	return s.loadGroups()
}

// get copies the value of a key.
func (s *Store) get(key []byte) (value []byte, found bool, err error) {
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read logs: %w", err)
	}
	value = append([]byte(nil), v...)
	return value, true, closer.Close()
}

// update runs fn with the right to write and makes what fn put into the batch
// durable. When fn fails nothing is written and its error is returned as it is.
// The function that fn may return runs as soon as readers can see the batch,
// before the next writer.
func (s *Store) update(ctx context.Context, fn func(b *pebble.Batch) (seen func(), err error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.engine.Write(func() error {
		b := s.db.NewBatch()
		defer b.Close()
		if err := s.apply(b, fn); err != nil || b.Empty() {
			return err
		}
		if err := b.SyncWait(); err != nil {
			return s.engine.Fail(fmt.Errorf("sync logs: %w", err))
		}
		return nil
	})
}

func (s *Store) apply(b *pebble.Batch, fn func(b *pebble.Batch) (func(), error)) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	seen, err := fn(b)
	if err != nil || b.Empty() {
		return err
	}
	if err := s.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return s.engine.Fail(fmt.Errorf("write logs: %w", err))
	}
	if seen != nil {
		seen()
	}
	return nil
}

// newID takes an id; the caller is writing b.
func (s *Store) newID(b *pebble.Batch) uint64 {
	id := s.nextID
	s.nextID++ // an id of a failed write is lost, which is no harm
	b.Set(nextIDKey, binary.BigEndian.AppendUint64(nil, s.nextID), nil)
	return id
}

func nowMillis() int64 { return time.Now().UnixMilli() }
