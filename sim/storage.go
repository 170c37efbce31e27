package sim

import (
	"log/slog"
	"math/rand/v2"
	"time"

	"fargo/store"
)

// newStorage gives one of the two that a control plane can have, as the seed
// decides.
func newStorage(seed uint64, dir string, log *slog.Logger) storage {
	if rand.New(rand.NewPCG(seed, 3)).IntN(2) == 0 {
		return newDiskStorage(seed, dir, log)
	}
	return newRemoteStorage(seed)
}

// memoryStorage never fails.
type memoryStorage struct{ journal store.Journal }

func (s memoryStorage) open() (store.Journal, error) { return s.journal, nil }
func (memoryStorage) abandon(j store.Journal) error  { return j.Close() }
func (memoryStorage) setFull(bool)                   {}
func (memoryStorage) setDelay(time.Duration)         {}
func (memoryStorage) setUnreliable(bool)             {}
func (memoryStorage) depose()                        {}
func (memoryStorage) delay() time.Duration           { return 0 }
