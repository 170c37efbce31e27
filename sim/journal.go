package sim

import (
	"context"
	"errors"
	"sync"
	"time"

	"fargo/store"
)

// syncTime is how long the simulated disk takes to sync, half before and half
// after the batch is safe: a process killed meanwhile does not know which.
const syncTime = 200 * time.Microsecond

var (
	errKilled = errors.New("the process was killed")
	errFull   = errors.New("disk is full")
)

// journal is one process's hold on a journal that outlives it.
type journal struct {
	store.Journal

	mu struct {
		sync.Mutex
		killed, full bool
	}
}

// Commit implements [store.Journal].
func (j *journal) Commit(ctx context.Context, writes []store.Write) error {
	time.Sleep(syncTime / 2)
	if err := j.fails(); err != nil {
		return err
	}
	if err := j.Journal.Commit(ctx, writes); err != nil {
		return err
	}
	time.Sleep(syncTime / 2)
	return j.dead()
}

// kill keeps the process from writing anything more.
func (j *journal) kill() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.killed = true
}

// fill says whether the disk refuses what is written.
func (j *journal) fill(full bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.full = full
}

func (j *journal) dead() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.killed {
		return errKilled
	}
	return nil
}

func (j *journal) fails() error {
	if err := j.dead(); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.full {
		return errFull
	}
	return nil
}
