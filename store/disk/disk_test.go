package disk_test

import (
	"log/slog"
	"path/filepath"
	"testing"

	"fargo/store"
	"fargo/store/disk"
	"fargo/store/storetest"
)

func TestDisk(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Opener {
		dir := t.TempDir()
		return func() (store.Journal, error) {
			return disk.Open(filepath.Join(dir, "journal"), filepath.Join(dir, "key"), slog.New(slog.DiscardHandler))
		}
	})
}
