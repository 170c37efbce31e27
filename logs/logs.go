// Package logs stores log groups, their streams and the events in them, of every
// account and region of an installation, in an embedded key-value store of its own.
// It adds events exactly once, reads them by stream or by group in the order of
// time, removes them when their retention is over, and lets callers watch new ones.
// It does not know the shapes and error texts of CloudWatch Logs' API, who may call
// it, or where a container's output comes from.
//
// Times are milliseconds since the epoch, as CloudWatch Logs counts.
package logs

import (
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

// The errors of requests. The first two satisfy errdefs.IsNotFound, by which a node
// knows that there is no stream for its output any more.
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
	// reserve is the space on disk that is not filled with logs, in bytes: more than
	// the reserve of the control plane's state, which can so be written when logs
	// no longer can.
	reserve = 48 << 20
)

// Store stores the logs. Its methods may be called from many goroutines. A method
// that changes something returns when the change is on disk.
type Store struct {
	engine *engine.Engine
	db     *pebble.DB // the engine's, for reading

	nextID uint64 // of the next group or stream; of the engine's only writer

	// Groups are few and always in memory. The values are immutable.
	mu struct {
		sync.RWMutex
		groups map[string]*group
	}

	tails tails
	// watch is called with what was written to groups that have metric filters.
	watch func(Written)
}

// Open opens the store in dir, or makes one. When it is damaged the error is an
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

// Writable is nil when events can be added now. Otherwise [fargo.ErrNotWritable]
// holds for the error, and for that of every write.
func (s *Store) Writable() error { return s.engine.Writable() }

// Close closes the store, which must not be in use, or used afterwards.
func (s *Store) Close() error {
	if err := s.engine.Close(); err != nil {
		return fmt.Errorf("close logs: %w", err)
	}
	return nil
}

// load reads groups and the next id into memory.
func (s *Store) load() error {
	s.mu.groups = make(map[string]*group)
	s.nextID = 1
	id, found, err := s.engine.Get(nextIDKey)
	if err != nil {
		return err
	}
	if found {
		s.nextID = binary.BigEndian.Uint64(id)
	}
	return s.loadGroups()
}

// newID takes an id; the caller is writing b.
func (s *Store) newID(b *pebble.Batch) uint64 {
	id := s.nextID
	s.nextID++ // the id of a failed write is not used again
	b.Set(nextIDKey, binary.BigEndian.AppendUint64(nil, s.nextID), nil)
	return id
}

func nowMillis() int64 { return time.Now().UnixMilli() }
