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
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		fs, key := vfs.NewMem(), keyFile(t)
		return func() (store.Journal, error) { return OpenIn(fs, "journal", key, quiet()) }
	})
}
