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
type Snapshot struct{ trees []*tree }

func (s *Snapshot) node(place int) *node   { return s.trees[place].Root() }
func (s *Snapshot) steady(place int) *node { return s.trees[place].Root() }

// Tx is a transaction: what it reads includes what it wrote. It is good only
// until the function that was given it returns, and only in its goroutine.
type Tx struct {
	base *Snapshot
	txns []*iradix.Txn[any] // nil: untouched

	// writes are in the order of the first write to each key, the last write to
	// it counting; place is where in writes a key is.
	writes []pending
	place  map[Change]int

	memos map[any]any // what Memo was given, by key
}

// pending is a write not yet encoded; a nil record deletes. before is the record
// that was there when the transaction began, if any.
type pending struct {
	Change
	table          *schema
	before, record any
}

func newTx(base *Snapshot) *Tx {
	return &Tx{base: base, txns: make([]*iradix.Txn[any], len(base.trees)), place: map[Change]int{}}
}

// Memo gives what make gives, made once in a transaction: what is dear to work
// out of the state and wanted often. Whoever made it keeps it up to date with what
// is written meanwhile, as far as that matters. key is of a type of one's own, as
// a context's is.
func Memo[T any](tx *Tx, key any, make func() T) T {
	if v, ok := tx.memos[key]; ok {
		return v.(T)
	}
	v := make()
	if tx.memos == nil {
		tx.memos = map[any]any{}
	}
	tx.memos[key] = v
	return v
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
	w := pending{Change{t.name, key}, t, old, record}
	if i, ok := tx.place[w.Change]; ok {
		tx.writes[i].record = record
		return
	}
	tx.place[w.Change] = len(tx.writes)
	tx.writes = append(tx.writes, w)
}

// encode gives the transaction's writes as the journal takes them.
func (tx *Tx) encode() ([]Write, error) {
	writes := make([]Write, 0, len(tx.writes))
	for _, w := range tx.writes {
		out := Write{Key: w.Table + "/" + w.Key, Secret: w.table.secret}
		if !utf8.ValidString(w.Key) {
			return nil, fmt.Errorf("the key %q is not text, which JSON can not keep", out.Key)
		}
		if w.record != nil {
			value, err := json.Marshal(w.record)
			if err != nil {
				return nil, fmt.Errorf("encode %s: %w", out.Key, err)
			}
			out.Value = value
		}
		writes = append(writes, out)
	}
	return writes, nil
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
