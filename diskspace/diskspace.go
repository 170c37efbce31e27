// Package diskspace knows how much room is left on the disk where something is
// kept, and whether that is enough to go on writing. It says once when there is
// too little, and once when there is enough again; it refuses to know what is
// written.
//
// Every part of Fargo that writes what it was told asks before it does, each with
// a reserve of its own. Those that matter least stop first: images, then logs,
// then the control plane's state.
package diskspace

import (
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sys/unix"

	"fargo"
)

// Config is what a [Gauge] is made of.
type Config struct {
	// Dir is a directory on the disk that is watched.
	Dir string
	// What is kept there, as people call it: "logs".
	What string
	// Reserve is how many bytes must be free.
	Reserve uint64
	Logger  *slog.Logger
	// Free measures the bytes that are free; nil asks the kernel about Dir.
	Free func() (uint64, error)
}

// Gauge watches the room on one disk. Its methods may be called from many
// goroutines.
type Gauge struct {
	c Config

	mu struct {
		sync.Mutex
		full bool
	}
}

// New makes a gauge. It does not measure anything yet.
func New(c Config) *Gauge {
	if c.Free == nil {
		c.Free = func() (uint64, error) { return free(c.Dir) }
	}
	return &Gauge{c: c}
}

// free is what statvfs(3) says an unprivileged process may still use: what is
// set aside for root is not ours to fill.
func free(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("measure free space of %s: %w", dir, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}

// Check is nil when there is room to write. Otherwise [fargo.ErrNotWritable]
// holds for the error. A disk that was too full is so until an eighth more than
// the reserve is free, so that it does not change with every file that comes and
// goes.
func (g *Gauge) Check() error {
	free, err := g.c.Free()
	if err != nil {
		return err
	}
	need := g.c.Reserve
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.mu.full {
		need += need / 8
	}
	full := free < need
	if full != g.mu.full {
		g.mu.full = full
		g.say(free)
	}
	if !full {
		return nil
	}
	return g.refusal(free, need)
}

// Need is nil when so many bytes are free, whatever the reserve.
func (g *Gauge) Need(bytes uint64) error {
	free, err := g.c.Free()
	if err == nil && free < bytes {
		err = g.refusal(free, bytes)
	}
	return err
}

func (g *Gauge) refusal(free, need uint64) error {
	return fmt.Errorf("%w: no room on the disk for %s: %d MB are free, %d MB are needed", fargo.ErrNotWritable, g.c.What, free>>20, ceilMB(need))
}

// HasRoom reports whether there would still be room to write with so many more
// bytes taken.
func (g *Gauge) HasRoom(bytes uint64) bool {
	free, err := g.c.Free()
	return err == nil && free >= g.c.Reserve+g.c.Reserve/8+bytes
}

func (g *Gauge) say(free uint64) {
	attrs := []any{"what", g.c.What, "directory", g.c.Dir, "free_mb", free >> 20, "reserve_mb", ceilMB(g.c.Reserve)}
	if g.mu.full {
		g.c.Logger.Error("no room on the disk: nothing more is written until there is", attrs...)
	} else {
		g.c.Logger.Info("there is room on the disk again", attrs...)
	}
}

func ceilMB(n uint64) uint64 { return (n + 1<<20 - 1) >> 20 }
