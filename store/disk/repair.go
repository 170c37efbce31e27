package disk

import (
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine"
	"fargo/store"
)

// Exists reports whether dir holds a journal, be it whole or not.
func Exists(dir string) (bool, error) { return engine.Exists(vfs.Default, dir) }

// Repair makes a journal that is damaged anew, with all that can be read of it, and
// keeps the old one beside it. Secrets that the key does not open are
// dropped. Nobody may have the journal open.
func Repair(dir string, key Key, log *slog.Logger, now time.Time) (*engine.Report, error) {
	return repair(dir, key, log, vfs.Default, now)
}

func repair(dir string, of Key, log *slog.Logger, files vfs.FS, now time.Time) (*engine.Report, error) {
	key, err := of.load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, store.ErrBadKey) {
		return nil, err
	}
	return engine.Repair(config(dir, log, files), engine.Owner{
		Name: recordName,
		Keep: func(name, value []byte) bool {
			return !store.Sealed(value) || err == nil && store.Unseals(key, string(name), value)
		},
	}, now)
}

// recordName is the key of a record: its table, and its key there.
func recordName(key []byte) (string, bool) {
	name := string(key)
	return name, utf8.ValidString(name) && strings.Contains(name, "/")
}
