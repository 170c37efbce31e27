package disk

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/store"
	"fargo/store/storetest"
)

func opener(t *testing.T) func(files vfs.FS, dir string) (store.Journal, error) {
	key := keyFile(t)
	return func(files vfs.FS, dir string) (store.Journal, error) {
		return OpenIn(files, dir, key, quiet())
	}
}

func TestDamage(t *testing.T) { storetest.Damage(t, opener(t)) }

func TestPowerCut(t *testing.T) { storetest.Crash(t, opener(t)) }
