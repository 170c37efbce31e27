package engine

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo"
)

// failure takes the engine's messages, and remembers the one after which it cannot
// go on.
type failure struct {
	log *slog.Logger

	mu struct {
		sync.Mutex
		err  error
		last string // what the background said last
		said map[string]bool
	}
}

// get is nil while all is well.
func (f *failure) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.err
}

func (f *failure) set(err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mu.err == nil {
		f.mu.err = fmt.Errorf("%w, restart needed: %w", fargo.ErrNotWritable, err)
		f.log.Error("the storage engine failed: nothing more is written until a restart", "error", err)
	}
	return f.mu.err
}

// enginePanic is what Fatalf panics with.
type enginePanic struct{ error }

// Infof implements [pebble.Logger].
func (f *failure) Infof(format string, args ...any) {
	f.log.Debug("storage engine", "message", line(format, args))
}

// Errorf implements [pebble.Logger].
func (f *failure) Errorf(format string, args ...any) {
	f.log.Error("storage engine", "message", line(format, args))
}

// Fatalf implements [pebble.Logger]. It must not return. In a write its panic
// becomes the write's error; in one of the engine's own goroutines it ends the
// process, which loses nothing that was acknowledged.
func (f *failure) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	_ = f.set(err)
	panic(enginePanic{err})
}

// background takes an error of a flush or a compaction, which the engine repeats
// until it succeeds. That the disk is full is said by whoever is refused.
func (f *failure) background(err error) {
	text := err.Error()
	f.mu.Lock()
	again := text == f.mu.last
	f.mu.last = text
	f.mu.Unlock()
	if !again && !vfs.IsNoSpaceError(err) && !pebble.IsCorruptionError(err) {
		f.log.Error("storage engine: in the background", "error", err)
	}
}

// corruption says once of each file that it is damaged.
func (f *failure) corruption(info pebble.DataCorruptionInfo) {
	f.mu.Lock()
	again := f.mu.said[info.Path]
	if f.mu.said == nil {
		f.mu.said = map[string]bool{}
	}
	f.mu.said[info.Path] = true
	f.mu.Unlock()
	if !again {
		f.log.Error("a file is damaged: what is in it cannot be read; fargo repair keeps what can be kept", "file", info.Path, "error", info.Details)
	}
}

func line(format string, args []any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}

// setOptions sets those that are the same for every engine.
func (c *Config) setOptions(f *failure) {
	c.Options.FormatMajorVersion = pebble.FormatNewest
	c.Options.Logger = f
	// Without a listener the engine ends the process over a damaged file.
	c.Options.EventListener = &pebble.EventListener{
		BackgroundError: f.background,
		DataCorruption:  f.corruption,
	}
}
