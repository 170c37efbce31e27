// Package engine is the key-value engine (Pebble) below what the control plane, the
// logs and the metrics keep, as far as they want the same of it. It knows when a directory
// is whole, and opens no other: all that was ever synced can be read back, or the
// file that is damaged is named ([Damage]). It knows how to take out of a damaged
// directory what is still good ([Salvage]), how writers take turns and share syncs, when
// the disk has room to write, and how to get over having none. It refuses to know what a key or a value means.
package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/diskspace"
)

// Config is what an [Engine] is made of.
type Config struct {
	Dir string
	FS  vfs.FS // nil is the machine's
	// What is kept in it, as people call it: "logs".
	What string
	// Reserve is how many bytes must be free on the disk before anything is
	// written: enough to write out buffers and to compact.
	Reserve uint64
	Logger  *slog.Logger
	// Options are pebble's, but for what is said here: FS, format, logger and
	// event listener.
	Options pebble.Options
}

// Engine is an open directory. Reads go to DB; writes go through [Engine.Update], or
// [Engine.Write] where they are ordered otherwise.
type Engine struct {
	DB *pebble.DB
	// writing is held from reading what a write depends on until the write is visible, but
	// not while it is synced: writers share syncs.
	writing sync.Mutex
	dir     string
	what    string
	room    *diskspace.Gauge
	ballast *ballast
	failure *failure
	tracker *syncTracker
}

// Open opens a directory, which it makes if need be, and which no other process may
// have open. What is damaged it refuses, with a [*Damage].
func Open(c Config) (*Engine, error) {
	if c.FS == nil {
		c.FS = vfs.Default
	}
	e := &Engine{dir: c.Dir, what: c.What, failure: &failure{log: c.Logger}}
	fail := func(err error) (*Engine, error) {
		if e.tracker != nil {
			err = errors.Join(err, e.tracker.Close())
		}
		return nil, fmt.Errorf("open %s in %s: %w", c.What, c.Dir, err)
	}
	d, err := look(c.FS, c.Dir)
	if err != nil {
		return fail(err)
	}
	c.setOptions(e.failure)
	if err := d.check(&c.Options); err != nil {
		return fail(err)
	}
	if err := c.FS.MkdirAll(c.Dir, 0o700); err != nil {
		return fail(err)
	}
	e.room = diskspace.New(diskspace.Config{Dir: c.Dir, What: c.What, Reserve: c.Reserve, Logger: c.Logger, Free: func() (uint64, error) {
		usage, err := c.FS.GetDiskUsage(c.Dir)
		if errors.Is(err, vfs.ErrUnsupported) {
			return math.MaxUint64, nil // in memory
		}
		return usage.AvailBytes, err
	}})
	e.ballast = newBallast(c.FS, c.Dir, c.Logger)
	if err := e.roomToOpen(); err != nil {
		return fail(err)
	}
	withBallast := vfs.OnDiskFull(c.FS, e.ballast.drop)
	if !d.marked && d.sizes[syncedFile] > 0 {
		c.Logger.Warn("the note of how far the log is synced is damaged, and made anew", "file", d.path(syncedFile))
	}
	if e.tracker, err = newSyncTracker(withBallast, c.Dir, d.mark, c.Logger); err != nil {
		return fail(err)
	}
	c.Options.FS = e.tracker
	if e.DB, err = open(c.Dir, &c.Options); err != nil {
		return fail(err)
	}
	return e, nil
}

// openReserve is the room that must be free to open a directory: its buffers are
// written out then. The engine ends the process when it has too little.
const openReserve = 12 << 20

// roomToOpen gives up the ballast, if that is needed to have enough room.
func (e *Engine) roomToOpen() error {
	err := e.room.Need(openReserve)
	if err != nil {
		e.ballast.drop()
		err = e.room.Need(openReserve)
	}
	return err
}

// open opens the directory. What the engine cannot make sense of is damage; the
// machine's own refusals, such as of a full disk, are not.
func open(dir string, opts *pebble.Options) (db *pebble.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			db, err = nil, &Damage{dir, -1, fmt.Sprintf("the engine panicked: %v\n%s", p, debug.Stack())}
		}
	}()
	db, err = pebble.Open(dir, opts)
	var errno syscall.Errno
	switch {
	case err == nil:
		return db, nil
	case errors.As(err, &errno) && !errors.Is(err, fs.ErrNotExist), strings.Contains(err.Error(), "lock held by"):
		return nil, err
	}
	return nil, damaged(dir, err)
}

// named finds the name of a file of an engine in a text.
var named = regexp.MustCompile(`\b(\d{6,}\.(?:sst|log)|(?:MANIFEST|OPTIONS)-\d{6,})\b`)

// damaged makes a [*Damage] of the engine's error.
func damaged(dir string, err error) *Damage {
	var known *Damage
	if errors.As(err, &known) {
		return known
	}
	if info := pebble.ExtractDataCorruptionInfo(err); info != nil {
		return &Damage{info.Path, -1, err.Error()}
	}
	if name := named.FindString(err.Error()); name != "" {
		return &Damage{filepath.Join(dir, name), -1, err.Error()}
	}
	return &Damage{dir, -1, err.Error()}
}

// Read gives back what a read returned, and makes damage that it came upon a
// [*Damage].
func (e *Engine) Read(err error) error {
	if err != nil && pebble.IsCorruptionError(err) {
		return damaged(e.dir, err)
	}
	return err
}

// Writable is nil when something can be written now. Otherwise
// [fargo.ErrNotWritable] holds for the error.
func (e *Engine) Writable() error {
	if err := e.failure.get(); err != nil {
		return err
	}
	if err := e.room.Check(); err != nil {
		return err
	}
	e.ballast.take(e.room)
	return nil
}

// Write calls fn, which writes, if that can be done now. The engine panics where it
// cannot go on; that becomes the error, for this write and all later ones.
func (e *Engine) Write(fn func() error) (err error) {
	if err := e.Writable(); err != nil {
		return err
	}
	defer func() {
		switch p := recover().(type) {
		case nil:
		case enginePanic:
			err = e.failure.get()
		default:
			panic(p)
		}
	}()
	return fn()
}

// Fail remembers that a write failed of which nobody knows whether it is in the
// log: nothing more may be written until the directory was opened anew. It returns
// the error that all writes now get.
func (e *Engine) Fail(err error) error { return e.failure.set(err) }

// Close closes the directory.
func (e *Engine) Close() error {
	if e.failure.get() != nil {
		return nil // the engine waits forever for what failed; the process's end is its close
	}
	return errors.Join(e.DB.Close(), e.tracker.Close())
}
