package sim

import (
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/store"
	"fargo/store/disk"
)

// diskStorage is the journal of one machine: the real engine, on a file system in
// memory. A process that is killed leaves what it had synced, and of the rest
// whatever the seed decides, as after a loss of power.
type diskStorage struct {
	key disk.Key
	log *slog.Logger

	mu struct {
		sync.Mutex
		rand  *rand.Rand
		files *memoryDisk
		most  time.Duration // of a commit's delay
	}
}

func newDiskStorage(seed uint64, dir string, log *slog.Logger) *diskStorage {
	s := &diskStorage{key: disk.KeyIn(filepath.Join(dir, "secrets.key")), log: log}
	s.mu.rand, s.mu.files = rand.New(rand.NewPCG(seed, 2)), &memoryDisk{MemFS: vfs.NewCrashableMem()}
	return s
}

func (s *diskStorage) open() (store.Journal, error) {
	s.mu.Lock()
	files := s.mu.files
	s.mu.Unlock()
	return disk.OpenIn(files, "store", s.key, s.log)
}

func (s *diskStorage) abandon(j store.Journal) error {
	s.mu.Lock()
	left := s.mu.files.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: s.mu.rand.IntN(101), RNG: s.mu.rand})
	s.mu.files = &memoryDisk{MemFS: left, full: s.mu.files.full}
	s.mu.Unlock()
	return j.Close() // on the old file system, where nobody looks any more
}

func (s *diskStorage) setFull(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.files.setFull(full)
}

func (s *diskStorage) setDelay(most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.most = most
}

func (s *diskStorage) delay() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return upTo(s.mu.rand, s.mu.most)
}

// A disk is reliable, or fails for good, and its only process leads.
func (*diskStorage) setUnreliable(bool) {}
func (*diskStorage) depose()            {}

// upTo draws a duration shorter than most, or 0 when most is.
func upTo(r *rand.Rand, most time.Duration) time.Duration {
	if most == 0 {
		return 0
	}
	return time.Duration(r.Int64N(int64(most)))
}

// memoryDisk is a file system with a lot of room, or none.
type memoryDisk struct {
	*vfs.MemFS
	mu   sync.Mutex
	full bool
}

func (d *memoryDisk) setFull(full bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full = full
}

// GetDiskUsage implements [vfs.FS].
func (d *memoryDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return vfs.DiskUsage{AvailBytes: 16 << 20}, nil // enough to be opened, not to be written to
	}
	return vfs.DiskUsage{AvailBytes: 1 << 40}, nil
}
