package engine

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// syncedFile is the name of the file that says how far the engine's growing files
// have been synced.
//
// A log that ends in something unreadable may have been cut by a crash while it
// was being written, or may have been damaged later; it looks the same. What tells
// them apart is how far it was synced before, for only that was acknowledged.
// pebble writes this into later chunks of the log, which leaves out the last ones,
// and counts too little (it leaves out blocks that were filled up). So it is kept
// here as well: after each sync, before the writer is told of it, and without
// syncing this file. A process that is killed leaves it exact; a machine that loses
// power may leave it older, so it never says more than is true.
const syncedFile = "SYNCED"

// watermark is what the file says: of the newest log and the newest manifest, the
// number and the bytes that are synced. A number of 0 says nothing.
type watermark struct {
	log, logBytes           uint64
	manifest, manifestBytes uint64
}

// The numbers are written at their full width, so that one write in place
// replaces all of it.
const watermarkFormat = "manifest %020d %020d log %020d %020d "

// encode gives the file's content, always of one length.
func (w watermark) encode() []byte {
	text := fmt.Sprintf(watermarkFormat, w.manifest, w.manifestBytes, w.log, w.logBytes)
	return fmt.Appendf(nil, "%s%08x\n", text, crc32.ChecksumIEEE([]byte(text)))
}

// decodeWatermark is the opposite of encode; ok is false for anything else.
func decodeWatermark(content []byte) (w watermark, ok bool) {
	fields := strings.Fields(string(content))
	if len(fields) != 7 {
		return watermark{}, false
	}
	for i, n := range map[int]*uint64{1: &w.manifest, 2: &w.manifestBytes, 4: &w.log, 5: &w.logBytes} {
		var err error
		if *n, err = strconv.ParseUint(fields[i], 10, 64); err != nil {
			return watermark{}, false
		}
	}
	return w, string(w.encode()) == string(content)
}

// readWatermark reads the file in dir. One that is missing or not whole says
// nothing.
func readWatermark(files vfs.FS, dir string) (watermark, bool, error) {
	content, err := readFile(files, files.PathJoin(dir, syncedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return watermark{}, false, nil
	}
	if err != nil {
		return watermark{}, false, err
	}
	w, ok := decodeWatermark(content)
	return w, ok, nil
}

func readFile(files vfs.FS, path string) ([]byte, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// syncTracker is a file system that keeps the watermark of the engine that writes to
// it.
type syncTracker struct {
	vfs.FS
	log  *slog.Logger
	file vfs.File

	mu struct {
		sync.Mutex
		watermark
		failed bool
	}
}

// newSyncTracker begins with what is known; the zero watermark if nothing is.
func newSyncTracker(files vfs.FS, dir string, known watermark, log *slog.Logger) (*syncTracker, error) {
	f, err := files.OpenReadWrite(files.PathJoin(dir, syncedFile), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	w := &syncTracker{FS: files, log: log, file: f}
	w.mu.watermark = known
	if _, err := f.WriteAt(known.encode(), 0); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// Once, so that from now on it is there and of its full length.
	if err := f.Sync(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// Close lets go of the file.
func (w *syncTracker) Close() error { return w.file.Close() }

// Unwrap implements [vfs.FS].
func (w *syncTracker) Unwrap() vfs.FS { return w.FS }

// Create implements [vfs.FS].
func (w *syncTracker) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := w.FS.Create(name, category)
	return w.track(name, f, err)
}

// ReuseForWrite implements [vfs.FS].
func (w *syncTracker) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := w.FS.ReuseForWrite(oldname, newname, category)
	return w.track(newname, f, err)
}

func (w *syncTracker) track(path string, f vfs.File, err error) (vfs.File, error) {
	kind, number := parseName(w.PathBase(path))
	if err != nil || kind != kindLog && kind != kindManifest {
		return f, err
	}
	return &trackedFile{File: f, tracker: w, kind: kind, number: number}, nil
}

// note takes down that a file is synced up to an offset.
func (w *syncTracker) note(kind fileKind, number, bytes uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, synced := &w.mu.log, &w.mu.logBytes
	if kind == kindManifest {
		at, synced = &w.mu.manifest, &w.mu.manifestBytes
	}
	if number < *at {
		return // the engine has gone on to another
	}
	*at, *synced = number, bytes
	// A watermark that could not be written is an old one, which is no harm.
	if _, err := w.file.WriteAt(w.mu.encode(), 0); err != nil && !w.mu.failed {
		w.mu.failed = true
		w.log.Warn("how far the log is synced cannot be noted: damage to its end may not be noticed", "error", err)
	}
}

// trackedFile is a file whose tracker knows how far it is synced. It is only
// ever written from its beginning on.
type trackedFile struct {
	vfs.File
	tracker *syncTracker
	kind    fileKind
	number  uint64
	written atomic.Int64
}

// Write implements [vfs.File].
func (f *trackedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	f.written.Add(int64(n))
	return n, err
}

// Sync implements [vfs.File].
func (f *trackedFile) Sync() error { return f.synced(f.File.Sync) }

// SyncData implements [vfs.File].
func (f *trackedFile) SyncData() error { return f.synced(f.File.SyncData) }

func (f *trackedFile) synced(sync func() error) error {
	written := f.written.Load()
	err := sync()
	if err == nil {
		f.tracker.note(f.kind, f.number, uint64(written))
	}
	return err
}
