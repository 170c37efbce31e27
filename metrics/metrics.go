// Package metrics stores time series: the metrics of CloudWatch, of every account and
// region of an installation, in an embedded key-value store of its own. What arrives of
// a metric in one period is aggregated, whenever and in whatever order it arrives, and
// as time passes into longer periods, until it is removed. It computes CloudWatch's
// statistics of any period. It does not know the shapes and error texts of CloudWatch's
// API, who may call it, or where samples come from.
//
// A sample is never stored by itself. What is stored is, for each series and each second
// or minute that has samples, a [StatisticSet]. Adding is merging, which is commutative
// and associative but for the rounding of sums: so a write reads nothing, and data that
// come late or out of order need no care.
package metrics

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo"
	"fargo/engine"
)

// Dimension is a part of a metric's identity.
type Dimension struct{ Name, Value string }

// Metric identifies a metric. The order of its dimensions does not matter; those that
// the store gives are sorted by name. It is not changed.
type Metric struct {
	Scope      fargo.Scope
	Namespace  string
	Name       string
	Dimensions []Dimension
}

// NoUnit is the unit of data that have none.
const NoUnit = "None"

// Datum is samples of a metric at a time.
type Datum struct {
	Metric
	Unit string // CloudWatch's name of it; "" is [NoUnit]
	Time time.Time
	// HighResolution data are kept by the second, others by the minute.
	HighResolution bool
	StatisticSet
}

// The engine's memory: most installations write little and read less, and the whole
// daemon has to be small when idle.
const (
	memTableSize = 4 << 20
	// The memory of two tables is counted as the cache's, whether it is there or not. The
	// rest is for a day of a hundred metrics.
	cacheSize = 2*memTableSize + 8<<20
	// reserve is the space on disk that is not filled with metrics, in bytes: more than
	// the reserve of the control plane's state, which can so be written when metrics no
	// longer can.
	reserve = 48 << 20
)

// Store stores metrics. Its methods may be called from many goroutines. A method that
// adds something returns when it is on disk.
type Store struct {
	engine *engine.Engine
	db     *pebble.DB // the engine's, for reading
	now    func() time.Time

	nextID uint64 // of the next series; of the engine's only writer

	index index
}

// Open opens the store in dir, or makes one. By now it knows how old data are. When it is
// damaged the error is an [*engine.Damage].
func Open(dir string, log *slog.Logger, now func() time.Time) (*Store, error) {
	return openOn(vfs.Default, dir, log, now)
}

// openOn opens a store on any file system.
func openOn(fs vfs.FS, dir string, log *slog.Logger, now func() time.Time) (*Store, error) {
	e, err := engine.Open(config(fs, dir, log))
	if err != nil {
		return nil, err
	}
	s := &Store{engine: e, db: e.DB, now: now}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("load metrics in %s: %w", dir, errors.Join(e.Read(err), e.Close()))
	}
	return s, nil
}

func config(fs vfs.FS, dir string, log *slog.Logger) engine.Config {
	opts := pebble.Options{
		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: 2,
		CacheSize:                   cacheSize,
		MaxOpenFiles:                256,
		Merger:                      merger,
	}
	opts.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionBalanced })
	return engine.Config{Dir: dir, FS: fs, What: "metrics", Reserve: reserve, Logger: log, Options: opts}
}

// Writable is nil when data can be added now. Otherwise [fargo.ErrNotWritable] holds for
// the error, and for that of every write.
func (s *Store) Writable() error { return s.engine.Writable() }

// Close closes the store, which must not be in use, or used afterwards.
func (s *Store) Close() error {
	if err := s.engine.Close(); err != nil {
		return fmt.Errorf("close metrics: %w", err)
	}
	return nil
}

// load reads the series and the next id into memory.
func (s *Store) load() error {
	s.nextID = 1
	id, found, err := s.engine.Get(nextIDKey)
	if err != nil {
		return err
	}
	if found {
		s.nextID = binary.BigEndian.Uint64(id)
	}
	return s.loadSeries()
}
