package sim

import (
	"context"
	"errors"
	"sync"
	"time"

	"fargo/store"
)

// syncTime is how long a journal takes to sync, half before and half after the batch
// is durable: a process that is killed meanwhile does not know which.
const syncTime = 200 * time.Microsecond

var errKilled = errors.New("the process was killed")

// journal is a control plane's hold on its journal, until it is killed.
type journal struct {
	store.Journal
	storage storage

	mu struct {
		sync.Mutex
		killed bool
	}
}

// storage keeps a control plane's state, whatever becomes of the process.
type storage interface {
	// open gives a new process the journal.
	open() (store.Journal, error)
	// abandon is called when the process that has the journal was killed: nothing
	// that it still does has an effect.
	abandon(j store.Journal) error
	// setFull says whether there is room to write.
	setFull(full bool)
	// setDelay says how long a commit takes at most, in addition to syncTime.
	setDelay(most time.Duration)
	// setUnreliable says whether commits are refused, lose their answer, or meet
	// with another leader, all at random.
	setUnreliable(on bool)
	// depose has the present leader lose leadership.
	depose()
	// delay draws how long a commit takes in addition to syncTime.
	delay() time.Duration
}

func openJournal(s storage) (*journal, error) {
	j, err := s.open()
	if err != nil {
		return nil, err
	}
	return &journal{Journal: j, storage: s}, nil
}

// Commit implements [store.Journal].
func (j *journal) Commit(ctx context.Context, epoch store.Epoch, writes []store.Write) (store.Revision, error) {
	time.Sleep(syncTime/2 + j.storage.delay())
	if err := j.dead(); err != nil {
		return 0, err
	}
	revision, err := j.Journal.Commit(ctx, epoch, writes)
	if err != nil {
		return 0, err
	}
	time.Sleep(syncTime / 2)
	return revision, j.dead()
}

// kill keeps the process from writing anything more.
func (j *journal) kill() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.mu.killed = true
}

func (j *journal) dead() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.mu.killed {
		return errKilled
	}
	return nil
}
