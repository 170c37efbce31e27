package engine

import (
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/diskspace"
)

// ballastFile takes up room that nobody needs, until the disk is full.
//
// Others may fill a disk to its last byte, whatever reserve we keep. The engine can
// not go on when it then fails to write its log or its manifest, and could not even
// be opened again. So it has some room of its own: this file is removed when it is
// refused any, and made again when there is enough.
const (
	ballastFile = "BALLAST"
	ballastSize = 16 << 20
)

// fullPause is how long a write waits before it fails on a full disk, for the
// engine repeats what it does in the background without a pause of its own.
const fullPause = 250 * time.Millisecond

type ballast struct {
	fs   vfs.FS
	path string
	log  *slog.Logger

	mu sync.Mutex
	// held says that this process has made it. One that was found may be a copy,
	// which takes up no room.
	held bool
	// wanted says that it could be made; a file system that cannot has none.
	wanted bool
}

func newBallast(files vfs.FS, dir string, log *slog.Logger) *ballast {
	return &ballast{fs: files, path: files.PathJoin(dir, ballastFile), log: log, wanted: true}
}

// drop is called when a write found no room, before it is tried once more.
func (b *ballast) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held = false
	switch err := b.fs.Remove(b.path); {
	case errors.Is(err, fs.ErrNotExist):
		time.Sleep(fullPause)
	case err != nil:
		b.log.Warn("cannot give up the room that is kept for a full disk", "error", err)
	}
}

// take makes the file if it is not there and the disk has room for it, too.
func (b *ballast) take(room *diskspace.Gauge) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held || !b.wanted || !room.HasRoom(ballastSize) {
		return
	}
	switch err := b.fill(); {
	case err == nil:
		b.held = true
	case !vfs.IsNoSpaceError(err):
		b.wanted = false
		b.log.Warn("no room is kept for a full disk: the engine may need a restart after one", "error", err)
	}
}

func (b *ballast) fill() error {
	f, err := b.fs.Create(b.path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	// Blocks that were only set aside count as used, and cost no writing. The
	// file's size stays 0.
	if err := f.Preallocate(0, ballastSize); err != nil {
		return errors.Join(err, f.Close(), b.fs.Remove(b.path))
	}
	return f.Close()
}
