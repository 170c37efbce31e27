package disk

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/store"
	"fargo/store/storetest"
)

// The suite runs in a file system in memory: it opens a journal thousands of
// times. What a real disk keeps, the crash test shows.
func TestDisk(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Opener {
		fs := &crowded{FS: vfs.NewMem(), free: reserve}
		return func() (store.Journal, error) {
			j, err := open("journal", quiet(), fs)
			if err != nil {
				return nil, err
			}
			return store.Seal(j, store.Key{1}), nil
		}
	})
}
