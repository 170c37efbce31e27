package metrics

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine"
)

// Exists reports whether dir has metrics, damaged or not.
func Exists(dir string) (bool, error) { return engine.Exists(vfs.Default, dir) }

// Repair replaces a damaged store by a new one with all that can be read of it, and keeps
// the old one next to it. The store must not be open.
func Repair(dir string, log *slog.Logger, now time.Time) (*engine.Report, error) {
	return repair(vfs.Default, dir, log, now)
}

func repair(files vfs.FS, dir string, log *slog.Logger, now time.Time) (*engine.Report, error) {
	var next uint64 = 1
	return engine.Repair(config(files, dir, log), engine.Owner{
		Name: keyName,
		Keep: func(key, value []byte) bool {
			switch {
			case (key[0] == tableSeries || key[0] == tablePoints) && len(key) >= 9:
				next = max(next, binary.BigEndian.Uint64(key[1:])+1)
			case key[0] == nextIDKey[0] && len(value) == 8:
				next = max(next, binary.BigEndian.Uint64(value))
			}
			return true
		},
		// An id that is used twice would mix the points of two series.
		Finish: func(set func(key, value []byte) error) error {
			return set(nextIDKey, binary.BigEndian.AppendUint64(nil, next))
		},
	}, now)
}

// keyName describes a key for a report.
func keyName(key []byte) (string, bool) {
	if len(key) == 0 {
		return "", false
	}
	switch rest := key[1:]; {
	case key[0] == nextIDKey[0] && len(rest) == 0:
		return "the next id", true
	case key[0] == tableSource:
		return fmt.Sprintf("what is there of source %q", rest), true
	case key[0] == tableSeries && len(rest) == 8:
		return fmt.Sprintf("series %d", binary.BigEndian.Uint64(rest)), true
	case key[0] == tableAged && len(rest) == 8:
		return fmt.Sprintf("up to when data are aggregated that are %d seconds old", binary.BigEndian.Uint64(rest)), true
	case key[0] == tablePoints && len(rest) == 12:
		id, hour := pointsOf(key)
		return fmt.Sprintf("hour %s of series %d", time.Unix(hour*3600, 0).UTC().Format("2006-01-02T15"), id), true
	}
	return "", false
}
