package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"fargo"
	"fargo/store"
)

// remoteLimits are what etcd takes in one transaction by default: --max-txn-ops and
// --max-request-bytes.
var remoteLimits = store.Limits{Ops: 128, Bytes: 3 << 19}

// remoteStorage is a journal on other machines, as one in etcd would be: it outlives
// control planes, and may be slow, refuse a commit, lose the answer to one, or have
// another leader.
type remoteStorage struct {
	kept *store.Memory

	mu struct {
		sync.Mutex
		rand       *rand.Rand
		most       time.Duration // of a commit's delay
		full       bool
		unreliable bool
		leader     *remoteJournal // who leads, or did last
	}
}

func newRemoteStorage(seed uint64) *remoteStorage {
	s := &remoteStorage{kept: store.NewMemoryWithin(remoteLimits)}
	s.mu.rand = rand.New(rand.NewPCG(seed, 2))
	return s
}

func (s *remoteStorage) open() (store.Journal, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	return &remoteJournal{Memory: s.kept, storage: s, open: ctx, close: cancel}, nil
}

func (s *remoteStorage) abandon(j store.Journal) error { return j.Close() }

func (s *remoteStorage) setFull(full bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.full = full
}

func (s *remoteStorage) setDelay(most time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.most = most
}

func (s *remoteStorage) delay() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return upTo(s.mu.rand, s.mu.most)
}

func (s *remoteStorage) setUnreliable(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.unreliable = on
}

// depose has somebody lead who does nothing.
func (s *remoteStorage) depose() {
	if _, err := s.kept.Lead(context.Background()); err != nil {
		panic(err) // it only fails with its context
	}
}

// What may become of a commit.
const (
	kept = iota
	refused
	deposed
	unanswered
)

// outcome draws what becomes of the next commit.
func (s *remoteStorage) outcome() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.mu.full:
		return refused
	case s.mu.unreliable:
		return []int{kept, kept, kept, kept, refused, refused, deposed, unanswered}[s.mu.rand.IntN(8)]
	}
	return kept
}

// remoteJournal is one process's client of a remote storage.
type remoteJournal struct {
	*store.Memory
	storage *remoteStorage
	open    context.Context //nolint:containedctx // ends when it is closed
	close   context.CancelCauseFunc
}

// Lead implements [store.Journal].
func (j *remoteJournal) Lead(ctx context.Context) (store.Lease, error) {
	j.storage.mu.Lock()
	defer j.storage.mu.Unlock()
	lease, err := j.Memory.Lead(ctx)
	if err == nil {
		j.storage.mu.leader = j
	}
	return lease, err
}

// Commit implements [store.Journal]. One whose outcome is not known ends the lease.
func (j *remoteJournal) Commit(ctx context.Context, epoch store.Epoch, writes []store.Write) (store.Revision, error) {
	outcome := j.storage.outcome()
	switch outcome {
	case refused:
		return 0, fmt.Errorf("%w: the remote journal has no room, or no quorum", fargo.ErrNotWritable)
	case deposed:
		j.storage.depose()
	}
	revision, err := j.Memory.Commit(ctx, epoch, writes)
	if err == nil && outcome == unanswered {
		j.storage.depose()
		return 0, fmt.Errorf("%w: the answer to a commit was lost", store.ErrNotLeader)
	}
	return revision, err
}

// Follow implements [store.Journal].
func (j *remoteJournal) Follow(ctx context.Context, from store.Revision, yield func(store.Commit) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer context.AfterFunc(j.open, func() { cancel(store.ErrClosed) })()
	err := j.Memory.Follow(ctx, from, yield)
	if errors.Is(err, context.Canceled) && context.Cause(ctx) == store.ErrClosed { //nolint:errorlint // set above
		return store.ErrClosed
	}
	cancel(nil)
	return err
}

// Close implements [store.Journal].
func (j *remoteJournal) Close() error {
	j.close(store.ErrClosed)
	j.storage.mu.Lock()
	defer j.storage.mu.Unlock()
	if j.storage.mu.leader == j {
		j.storage.mu.leader = nil
		j.storage.depose()
	}
	return nil
}
