package store

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

type (
	tree = iradix.Tree[any]
	node = iradix.Node[any]
)

// Reader is where tables can be read: a [*Snapshot] or a [*Tx].
type Reader interface {
	// node is the root of a tree now.
	node(place int) *node
	// steady is the same, not affected by later writes.
	steady(place int) *node
}

// Snapshot is the state after some transaction. It never changes.
type Snapshot struct {
	trees    []*tree
	revision Revision
}

// Revision is that of the commit which led to this state. It is 0 where nothing was
// committed yet.
func (s *Snapshot) Revision() Revision { return s.revision }

func (s *Snapshot) node(place int) *node   { return s.trees[place].Root() }
func (s *Snapshot) steady(place int) *node { return s.trees[place].Root() }

// Tx is a transaction: what it reads includes what it wrote. It is good only
// until the function that was given it returns, and only in its goroutine.
type Tx struct {
	base   *Snapshot
	limits Limits
	txns   []*iradix.Txn[any] // nil: untouched

	// writes are in the order of the first write to each key, the last write to
	// it counting; place is where in writes a key is.
	writes []pending
	place  map[Change]int
	// sized is how many of writes Full has encoded, and bytes their size.
	sized, bytes int

	cached map[any]any // what Cached was given, by key
	then   []func()    // what Then was given
}

// pending is a write; a nil record deletes. before is the record that was there
// when the transaction began, if any.
type pending struct {
	Change
	table          *schema
	before, record any
	value          []byte // record, encoded; nil when it is not yet
}

func newTx(base *Snapshot, limits Limits) *Tx {
	return &Tx{base: base, limits: limits, txns: make([]*iradix.Txn[any], len(base.trees)), place: map[Change]int{}}
}

// Cached gives what make gives, made once in a transaction: what is expensive to
// work out of the state and wanted often. Whoever made it keeps it up to date with
// what is written meanwhile, as far as that matters. key is of a type of one's own,
// as a context's is.
func Cached[T any](tx *Tx, key any, make func() T) T {
	if v, ok := tx.cached[key]; ok {
		return v.(T)
	}
	v := make()
	if tx.cached == nil {
		tx.cached = map[any]any{}
	}
	tx.cached[key] = v
	return v
}

// Base is the state that the transaction began with.
func (tx *Tx) Base() *Snapshot { return tx.base }

// Then has fn called when the transaction's writes are durable, in the order of the
// transactions; never, when they do not become so, and also not when the process ends
// in between. fn holds up all other transactions: it must not wait.
func (tx *Tx) Then(fn func()) { tx.then = append(tx.then, fn) }

// Full reports whether the transaction has written half of what the journal takes
// as one. A loop whose every turn stands on its own goes on in another transaction
// then. Records that were put must not be changed any more, also not in fn.
func (tx *Tx) Full() bool {
	for ; tx.sized < len(tx.writes); tx.sized++ {
		if w, err := tx.writes[tx.sized].encode(); err == nil { // else the update fails with it
			tx.bytes += w.Size()
		}
	}
	return len(tx.writes) > 0 && (len(tx.writes) >= tx.limits.Ops/2 || tx.bytes >= tx.limits.Bytes/2)
}

func (tx *Tx) node(place int) *node {
	if t := tx.txns[place]; t != nil {
		return t.Root()
	}
	return tx.base.node(place)
}

func (tx *Tx) steady(place int) *node {
	if t := tx.txns[place]; t != nil {
		return t.Clone().Root()
	}
	return tx.base.node(place)
}

func (tx *Tx) txn(place int) *iradix.Txn[any] {
	if tx.txns[place] == nil {
		tx.txns[place] = tx.base.trees[place].Txn()
	}
	return tx.txns[place]
}

func (tx *Tx) write(t *schema, key string, old, record any) {
	w := pending{Change: Change{t.name, key}, table: t, before: old, record: record}
	if i, ok := tx.place[w.Change]; ok {
		tx.writes[i].record, tx.writes[i].value = record, nil
		return
	}
	tx.place[w.Change] = len(tx.writes)
	tx.writes = append(tx.writes, w)
}

// encode gives the transaction's writes as the journal takes them.
func (tx *Tx) encode() ([]Write, error) {
	writes := make([]Write, 0, len(tx.writes))
	for i := range tx.writes {
		w, err := tx.writes[i].encode()
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	return writes, nil
}

// encode gives the write as the journal takes it.
func (w *pending) encode() (Write, error) {
	out := Write{Key: w.Table + "/" + w.Key, Secret: w.table.secret}
	if !utf8.ValidString(w.Key) {
		return out, fmt.Errorf("the key %q is not text, which JSON can not keep", out.Key)
	}
	if w.record != nil && w.value == nil {
		value, err := json.Marshal(w.record)
		if err != nil {
			return out, fmt.Errorf("encode %s: %w", out.Key, err)
		}
		w.value = value
	}
	out.Value = w.value
	return out, nil
}

// snapshot is the state with the transaction's writes in it.
func (tx *Tx) snapshot() *Snapshot {
	s := &Snapshot{trees: make([]*tree, len(tx.txns))}
	for i, t := range tx.txns {
		if t != nil {
			s.trees[i] = t.CommitOnly()
		} else {
			s.trees[i] = tx.base.trees[i]
		}
	}
	return s
}
