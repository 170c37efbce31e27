package store

import "context"

// Journal keeps what a [DB] has committed. A journal belongs to one DB, which
// calls one method at a time.
type Journal interface {
	// Load yields every live record, in any order, and stops at the first error
	// that yield returns. The value is yield's only until it returns.
	Load(ctx context.Context, yield func(key string, value []byte) error) error

	// Commit makes all writes durable, in their order and as one: after a crash
	// at any moment, of the process or the machine, either every one of them is
	// found by Load or none is. It returns nil only when they are synced.
	//
	// An error promises that none of the writes is in the journal or ever will
	// be. A journal that cannot promise this, because a sync failed halfway,
	// must refuse all further commits until it has been opened anew.
	Commit(ctx context.Context, writes []Write) error

	// Close releases what the journal holds. Nothing is lost by not calling it.
	Close() error
}

// Write sets or deletes one record of a journal.
type Write struct {
	Key   string
	Value []byte // nil deletes
	// Secret says that the value must not rest in the clear. Most journals
	// leave this to [Seal].
	Secret bool
}
