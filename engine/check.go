package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// Damage is why a directory is not opened, or what a read has come upon: something
// that was synced is not there, or is not what was written. Nothing was changed.
type Damage struct {
	File   string // its path; the directory when it is not known
	Offset int64  // from where on the file is not good; -1 when that is not known
	What   string
}

// Error implements [error].
func (d *Damage) Error() string {
	at := ""
	if d.Offset >= 0 {
		at = fmt.Sprintf(" at offset %d", d.Offset)
	}
	return fmt.Sprintf("%s is damaged%s: %s", d.File, at, d.What)
}

// The names of the engine's markers, whose files carry their value in their name.
// Source: pebble's version_set.go and format_major_version.go.
const (
	manifestMarker = "manifest"
	formatMarker   = "format-version"
)

// directory is what a directory of the engine holds.
type directory struct {
	files vfs.FS
	dir   string

	manifest string            // the name that the marker leads to; empty if there is no marker
	format   string            // what the other marker says
	logs     []uint64          // in the order of their numbers
	tables   []uint64          // in the order of their numbers
	options  []uint64          // in the order of their numbers
	sizes    map[string]uint64 // of all files, by name
	mark     watermark
	marked   bool // mark is known
}

// Exists reports whether a directory holds what an engine has written, be it whole
// or not. A directory that is missing, or was made by a process that was killed
// before its engine was open, does not.
func Exists(files vfs.FS, dir string) (bool, error) {
	d, err := look(files, dir)
	if err != nil {
		return false, err
	}
	return d.holds(), nil
}

// look reads what there is, without judging it.
func look(files vfs.FS, dir string) (*directory, error) {
	d := &directory{files: files, dir: dir, sizes: map[string]uint64{}}
	names, err := files.List(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		info, err := files.Stat(d.path(name))
		if err != nil {
			return nil, err
		}
		d.sizes[name] = uint64(info.Size())
		switch kind, n := parseName(name); kind {
		case kindLog:
			d.logs = append(d.logs, n)
		case kindTable:
			d.tables = append(d.tables, n)
		case kindOptions:
			d.options = append(d.options, n)
		}
	}
	for _, list := range [][]uint64{d.logs, d.tables, d.options} {
		slices.Sort(list)
	}
	// A marker that cannot be read is as good as missing.
	d.manifest, _ = atomicfs.ReadMarker(files, dir, manifestMarker)
	d.format, _ = atomicfs.ReadMarker(files, dir, formatMarker)
	d.mark, d.marked, err = readWatermark(files, dir)
	return d, err
}

func (d *directory) path(name string) string { return d.files.PathJoin(d.dir, name) }

// holds reports whether anything was ever written that could have been
// acknowledged: a table, or something in a log, or the engine has been open.
func (d *directory) holds() bool {
	return len(d.tables) > 0 || d.mark.log > 0 || d.manifest != "" && d.format != "" ||
		slices.ContainsFunc(d.logs, func(n uint64) bool { return d.sizes[logName(n)] > 0 })
}

// check finds damage that the engine would not notice, or would not name: in
// markers, manifest, options and logs. Tables have checksums that are looked at
// whenever they are read.
func (d *directory) check(opts *pebble.Options) error {
	if !d.holds() {
		return nil
	}
	for marker, value := range map[string]string{manifestMarker: d.manifest, formatMarker: d.format} {
		if value == "" {
			return &Damage{d.dir, -1, "the file marker." + marker + ".* is missing"}
		}
	}
	oldest, err := d.checkManifest()
	if err != nil {
		return err
	}
	if err := d.checkOptions(opts); err != nil {
		return err
	}
	return d.checkLogs(oldest)
}

// checkManifest reads the manifest and gives the number of the oldest log whose
// content is not in tables yet.
func (d *directory) checkManifest() (oldest uint64, err error) {
	kind, number := parseName(d.manifest)
	if kind != kindManifest {
		return 0, &Damage{d.dir, -1, "its marker leads to " + d.manifest + ", which is no manifest"}
	}
	path := d.path(d.manifest)
	data, err := readFile(d.files, path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, &Damage{path, -1, "it is missing"}
	}
	if err != nil {
		return 0, err
	}
	var f format
	e := f.measure(data)
	if e.replayed == 0 {
		return 0, &Damage{path, 0, "its first record cannot be read"}
	}
	if d.marked && d.mark.manifest == number && e.good < int64(d.mark.manifestBytes) {
		return 0, &Damage{path, e.good, fmt.Sprintf("it was synced up to offset %d", d.mark.manifestBytes)}
	}
	// An edit is synced before the next is written. So what another one follows
	// was whole, and only the last may have been cut by a crash.
	for c, ok := f.next(data, e.good); ok; c, ok = f.next(data, c.end) {
		if c.part == partFull || c.part == partFirst {
			return 0, &Damage{path, e.good, fmt.Sprintf("there is more at offset %d", c.start)}
		}
	}
	oldest, err = oldestLog(data[:e.replayed])
	if err != nil {
		return 0, &Damage{path, -1, err.Error()}
	}
	return oldest, nil
}

// The fields that a version edit begins with.
// Source: VersionEdit.Encode in pebble's internal/manifest.
const (
	editComparer = 1
	editLog      = 2
	editNextFile = 3
)

// oldestLog is what the last edit that says so says.
func oldestLog(manifest []byte) (oldest uint64, err error) {
	r := newReader(bytes.NewReader(manifest), 0)
	for {
		one, err := r.Next()
		if errors.Is(err, io.EOF) {
			return oldest, nil
		}
		if err != nil {
			return 0, err
		}
		edit, err := io.ReadAll(one)
		if err != nil {
			return 0, err
		}
		in := bytes.NewReader(edit)
		for {
			tag, err := binary.ReadUvarint(in)
			if err != nil || tag < editComparer || tag > editNextFile {
				break // what follows does not matter here
			}
			n, err := binary.ReadUvarint(in)
			if err != nil {
				return 0, fmt.Errorf("an edit of it cannot be decoded: %w", err)
			}
			switch tag {
			case editComparer:
				if _, err := in.Seek(int64(n), io.SeekCurrent); err != nil {
					return 0, fmt.Errorf("an edit of it cannot be decoded: %w", err)
				}
			case editLog:
				oldest = n
			}
		}
	}
}

// checkOptions reads what the engine was last opened with, as the engine will.
func (d *directory) checkOptions(opts *pebble.Options) error {
	if len(d.options) == 0 {
		return nil
	}
	path := d.path(fmt.Sprintf("OPTIONS-%06d", d.options[len(d.options)-1]))
	text, err := readFile(d.files, path)
	if err != nil {
		return err
	}
	complete := opts.Clone()
	complete.EnsureDefaults()
	if err := complete.CheckCompatibility(d.dir, string(text)); err != nil {
		return &Damage{path, -1, err.Error()}
	}
	return nil
}

// checkLogs looks at the logs that the engine will replay.
func (d *directory) checkLogs(oldest uint64) error {
	if d.marked && d.mark.log > 0 && d.mark.log >= oldest && !slices.Contains(d.logs, d.mark.log) {
		return &Damage{d.path(logName(d.mark.log)), -1, fmt.Sprintf("it is missing, and was synced up to offset %d", d.mark.logBytes)}
	}
	for i, number := range d.logs {
		if number < oldest {
			continue
		}
		path := d.path(logName(number))
		data, err := readFile(d.files, path)
		if err != nil {
			return err
		}
		if at, why := d.judge(number, data, i == len(d.logs)-1); why != "" {
			return &Damage{path, at, why}
		}
	}
	return nil
}

// judge says from where on a log is damaged, and how that is known. A last log
// that was cut while it was written is not.
func (d *directory) judge(number uint64, data []byte, last bool) (at int64, why string) {
	f := format{log: number}
	e := f.measure(data)
	// A log is closed before the next one is begun.
	if !last && !e.closed {
		return e.good, "it was closed, and its end is not there"
	}
	known := d.marked && d.mark.log == number
	// What is missing may be no more than the trailer.
	if known && !e.closed && e.good+headerRecyclable < int64(d.mark.logBytes) {
		return e.good, fmt.Sprintf("it was synced up to offset %d", d.mark.logBytes)
	}
	if !e.closed && e.good < int64(len(data)) {
		if i := bytes.Index(data[e.good:], f.trailer()); i >= 0 {
			return e.good, fmt.Sprintf("it was closed at offset %d", e.good+int64(i))
		}
	}
	// What was not synced yet may have reached the disk in any order before the
	// machine lost its power, which also makes the mark an old one. That is no
	// damage, unless it says itself that what is missing was synced. Without a mark
	// there is no telling.
	for c, ok := f.next(data, e.end); ok; c, ok = f.next(data, c.end) {
		if e.closed || !d.marked || c.synced > e.good {
			return e.good, fmt.Sprintf("there is more at offset %d", c.start)
		}
	}
	return 0, ""
}
