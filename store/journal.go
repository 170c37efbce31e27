package store

import (
	"context"
	"errors"
	"fmt"
	"math"

	"fargo"
)

// Journal keeps what a [DB] has committed. It is the one record of the truth:
// several processes, or machines, may have it open, of which one leads and writes,
// and the others follow.
//
// The contract is one that an embedded engine and etcd (v3) can keep alike; each
// method says how etcd would. Package storetest holds every implementation to it.
// All methods may be called at once.
type Journal interface {
	// Limits bounds what one Commit takes. It never changes.
	//
	// etcd: --max-txn-ops (128) and --max-request-bytes (1.5 MiB) of the servers,
	// less what the guard of Commit takes.
	Limits() Limits

	// Lead makes the caller the one writer of the journal: it waits until nobody
	// else is, or takes over at once where that is safe. Its epoch is higher than
	// every one that anything was committed in, and than all that this Journal has
	// given before; commits of those are refused from now on. What a Load finds that
	// begins after Lead has returned is everything that was ever committed, and
	// stays so until the caller commits.
	//
	// etcd: a session, which is a lease that is kept alive, and an election
	// (client/v3/concurrency); the epoch is the CreateRevision of the leader's key.
	// The lease ends when it cannot be kept alive, or is revoked by Close.
	Lead(ctx context.Context) (Lease, error)

	// Load yields every live record, in any order, as they were at one revision,
	// which it returns; it stops at the first error that yield returns. The value
	// is yield's only until it returns.
	//
	// etcd: a Range over the journal's prefix in pages, all WithRev of the first
	// one's header, which is the revision.
	Load(ctx context.Context, yield func(key string, value []byte) error) (Revision, error)

	// Commit makes all writes durable, in their order and as one: after a crash at
	// any moment, of the process or the machine, either every one of them is found
	// by Load or none is. It returns the revision that has them, which is higher
	// than all before, only when they are synced.
	//
	// An error promises that none of the writes is in the journal or ever will be.
	// A journal that cannot promise this, because a sync failed halfway or an answer
	// was lost, refuses all further commits: it must be opened, or led, and then
	// loaded anew. [ErrNotLeader] holds for the error when epoch is not, or no
	// longer, that of the leader; [ErrTooLarge] when the writes pass the limits.
	//
	// etcd: one Txn, guarded by the CreateRevision of the leader's key being the
	// epoch still; the revision is the header's. A Txn whose outcome is not known
	// ends the lease.
	Commit(ctx context.Context, epoch Epoch, writes []Write) (Revision, error)

	// Follow yields what was committed after the revision from, each commit whole
	// and in order, as it comes, until ctx ends, whose error it then returns, or
	// yield returns an error, or the journal is closed ([ErrClosed]). What Load has
	// returned is a from that misses nothing. [ErrCompacted] holds for the error
	// when commits after from are no longer kept: the follower begins with Load
	// again. The commit's writes are shared and must not be changed.
	//
	// etcd: a Watch of the prefix WithRev(from+1); events of one revision are one
	// commit (unfragmented), and a compacted revision is ErrCompacted.
	Follow(ctx context.Context, from Revision, yield func(Commit) error) error

	// Close gives up leadership and releases what the journal holds. Nothing that
	// was committed is lost by not calling it.
	Close() error
}

// Revision counts what was committed: later commits have higher ones, not always
// by one. Before the first it is 0.
type Revision uint64

// Epoch is one term of one leader; later leaders have higher ones.
type Epoch uint64

// Lease is leadership of a journal.
type Lease struct {
	Epoch Epoch
	// Lost is closed when the leader is known to be none any more. Its commits may
	// be refused earlier than that.
	Lost <-chan struct{}
}

// Commit is what was committed as one.
type Commit struct {
	Revision Revision
	Writes   []Write
}

// ErrNotLeader holds for the error of a write by who does not lead the journal, or
// not any more. Nothing was written. [fargo.ErrNotWritable] holds for it too: to a
// client this is one of the times when the control plane cannot be written to.
var ErrNotLeader = fmt.Errorf("%w: another control plane leads", fargo.ErrNotWritable)

// ErrTooLarge holds for the error of a transaction that is larger than the journal
// takes as one. Nothing was written.
var ErrTooLarge = errors.New("store: more than the journal takes as one")

// ErrCompacted holds for the error of following from a revision whose next commits
// are no longer kept.
var ErrCompacted = errors.New("store: the commits after that revision are no longer kept")

// Limits bounds one commit: how many writes, and how many bytes, as [Write.Size]
// counts them.
type Limits struct{ Ops, Bytes int }

// Unlimited are the limits of a journal without any.
var Unlimited = Limits{Ops: math.MaxInt, Bytes: math.MaxInt}

// Allow is nil when the writes are within the limits. Otherwise [ErrTooLarge] holds
// for the error.
func (l Limits) Allow(writes []Write) error { return l.allow(len(writes), sizeOf(writes)) }

func (l Limits) allow(ops, bytes int) error {
	if ops > l.Ops || bytes > l.Bytes {
		return fmt.Errorf("%w: %d records of %d, %d bytes of %d", ErrTooLarge, ops, l.Ops, bytes, l.Bytes)
	}
	return nil
}

// Write sets or deletes one record of a journal.
type Write struct {
	Key   string
	Value []byte // nil deletes
	// Secret says that the value must not rest in the clear. Most journals
	// leave this to [Seal].
	Secret bool
}

// writeOverhead is what a write may take in addition to key and value: a seal, and the
// framing of a log or a request.
const writeOverhead = 64

// Size is how many bytes of a commit's limit the write takes.
func (w *Write) Size() int { return len(w.Key) + len(w.Value) + writeOverhead }

func sizeOf(writes []Write) (bytes int) {
	for i := range writes {
		bytes += writes[i].Size()
	}
	return bytes
}
