package disk

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"fargo/store"
	"fargo/store/storetest"
)

// crowded is a file system with little room left.
type crowded struct {
	vfs.FS
	free uint64
}

func (c *crowded) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: c.free}, nil
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func one(key string) []store.Write { return []store.Write{{Key: key, Value: []byte("{}")}} }

func keyFile(t *testing.T) Key { return KeyIn(filepath.Join(t.TempDir(), "key")) }

// commit takes over the journal and commits to it.
func commit(t *testing.T, j *Journal, writes []store.Write) error {
	t.Helper()
	lease, err := j.Lead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Commit(t.Context(), lease.Epoch, writes)
	return err
}

func found(t *testing.T, j *Journal) string {
	t.Helper()
	var keys []string
	_, err := j.Load(t.Context(), func(key string, _ []byte) error { keys = append(keys, key); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(keys, " ")
}

func TestFull(t *testing.T) {
	fs, key := &crowded{FS: vfs.NewMem(), free: 2 * reserve}, keyFile(t)
	storetest.Full(t, func() (store.Journal, error) { return OpenIn(fs, "journal", key, quiet()) }, func(full bool) {
		fs.free = 2 * reserve
		if full {
			fs.free = reserve - 1
		}
	})
}

// After a sync that failed nobody knows what is on disk: nothing more may be
// acknowledged, and a new start must find all that was.
func TestFailedSyncRefusesForever(t *testing.T) {
	var broken atomic.Bool
	under := &crowded{FS: vfs.NewCrashableMem(), free: reserve}
	fs := errorfs.Wrap(under, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if broken.Load() && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData || op.Kind == errorfs.OpFileSyncTo) {
			return errors.New("I/O error")
		}
		return nil
	}))
	j, err := OpenIn(fs, "journal", keyFile(t), quiet())
	if err != nil {
		t.Fatal(err)
	}
	if err := commit(t, j, one("a")); err != nil {
		t.Fatal(err)
	}
	broken.Store(true)
	if err := commit(t, j, one("b")); err == nil {
		t.Error("Commit that could not sync returned nil")
	}
	broken.Store(false)
	if err := commit(t, j, one("c")); err == nil || !strings.Contains(err.Error(), "I/O error") {
		t.Errorf("Commit after a failure returned %v, want the failure", err)
	}
	if err := j.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}

	crashed := under.FS.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{})
	j, err = OpenIn(&crowded{FS: crashed, free: reserve}, "journal", keyFile(t), quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if got := found(t, j); got != "a" {
		t.Errorf("after a restart found %q, want a", got)
	}
}
