package logs

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine"
)

// Exists reports whether dir has logs, damaged or not.
func Exists(dir string) (bool, error) { return engine.Exists(vfs.Default, dir) }

// Repair replaces a damaged store by a new one with all that can be read of it, and
// keeps the old one next to it. The store must not be open.
func Repair(dir string, log *slog.Logger, now time.Time) (*engine.Report, error) {
	return repair(vfs.Default, dir, log, now)
}

func repair(files vfs.FS, dir string, log *slog.Logger, now time.Time) (*engine.Report, error) {
	var next uint64 = 1
	return engine.Repair(config(files, dir, log), engine.Owner{
		Name: keyName,
		Keep: func(key, value []byte) bool {
			next = max(next, afterIDs(key, value))
			return true
		},
		// An id that is used twice would mix the events of two streams.
		Finish: func(set func(key, value []byte) error) error {
			return set(nextIDKey, binary.BigEndian.AppendUint64(nil, next))
		},
	}, now)
}

// afterIDs is the first id after those that an entry has.
func afterIDs(key, value []byte) uint64 {
	id := uint64(0)
	switch {
	case key[0] == nextIDKey[0] && len(value) == 8:
		return binary.BigEndian.Uint64(value)
	case key[0] == tableGroup:
		var g group
		if json.Unmarshal(value, &g) == nil {
			id = g.ID
		}
	case key[0] == tableStream && len(key) >= 9:
		id = binary.BigEndian.Uint64(key[1:])
		if st, err := decodeStream("", value); err == nil {
			id = max(id, st.id)
		}
	case (key[0] == tableSource || key[0] == tableEvent) && len(key) >= 17:
		id = max(binary.BigEndian.Uint64(key[1:]), binary.BigEndian.Uint64(key[9:]))
	}
	return id + 1
}

// keyName describes a key for a report.
func keyName(key []byte) (string, bool) {
	if len(key) == 0 {
		return "", false
	}
	rest := key[1:]
	switch {
	case key[0] == nextIDKey[0] && len(rest) == 0:
		return "the next id", true
	case key[0] == tableGroup:
		return fmt.Sprintf("group %q", rest), true
	case len(rest) < 8:
		return "", false
	}
	group, rest := binary.BigEndian.Uint64(rest), rest[8:]
	switch {
	case key[0] == tableBytes && len(rest) == 0:
		return fmt.Sprintf("size of group %d", group), true
	case key[0] == tableStream:
		return fmt.Sprintf("stream %q of group %d", rest, group), true
	case key[0] == tableSource && len(rest) >= 8:
		return fmt.Sprintf("position of %q in stream %d of group %d", rest[8:], binary.BigEndian.Uint64(rest), group), true
	case key[0] == tableEvent && len(rest) == 24:
		p := eventPoint(key)
		return fmt.Sprintf("event of %s in stream %d of group %d", time.UnixMilli(p.time).UTC().Format(time.RFC3339Nano), p.stream, group), true
	}
	return "", false
}
