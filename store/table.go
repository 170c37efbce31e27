package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Table is a set of records of one type, each under its own key, in key order.
type Table[T any] struct {
	*schema
	key     func(*T) string
	indexes []Index[T]
}

// Index finds the records of a table by something else than their key. Values
// gives what a record is found under: none, one or several strings, computed
// from the record alone.
type Index[T any] struct {
	Name   string
	Values func(*T) []string
}

// schema is what the DB needs to know of a table, whatever its type.
type schema struct {
	name   string
	secret bool
	// rows is the place of the table's tree in a snapshot; its indexes' trees
	// follow in their order.
	rows, trees int
	// found gives what the nth index finds a record under.
	found func(n int, record any) []string
	// load adds a record from the journal to an empty DB's transaction.
	load func(tx *Tx, key string, value []byte) error
	// apply puts or, when value is nil, deletes a record as the journal has it.
	apply func(tx *Tx, key string, value []byte) error
}

// declared are all tables of the program, by name; places is how many trees
// they have together.
var (
	declared = map[string]*schema{}
	places   int
)

// NewTable declares a table. Tables are package variables: all must be declared
// before the first [Open]. The name becomes part of the journal's keys and can
// not be changed later. It panics when the name is taken or has a slash in it.
func NewTable[T any](name string, key func(*T) string, indexes ...Index[T]) *Table[T] {
	if name == "" || strings.Contains(name, "/") || declared[name] != nil {
		panic(fmt.Sprintf("store: table name %q is empty, taken or has a slash", name))
	}
	t := &Table[T]{
		schema:  &schema{name: name, rows: places, trees: 1 + len(indexes)},
		key:     key,
		indexes: indexes,
	}
	t.load, t.apply = t.loadRecord, t.applyRecord
	t.found = func(n int, record any) []string { return t.indexes[n].Values(record.(*T)) }
	declared[name] = t.schema
	places += t.trees
	return t
}

// Sealed makes the journal encrypt the table's records at rest: those with
// passwords, keys or other secrets in them. Call it where the table is declared.
func (t *Table[T]) Sealed() *Table[T] {
	t.secret = true
	return t
}

// Name is the table's name, as [Change] has it.
func (t *Table[T]) Name() string { return t.name }

// Get gives the record under key. It is shared: copy before changing.
func (t *Table[T]) Get(r Reader, key string) (*T, bool) {
	v, ok := r.node(t.rows).Get([]byte(key))
	if !ok {
		return nil, false
	}
	return v.(*T), true
}

// Version identifies the content of a table in a snapshot. While two are equal, no
// record of the table has been written.
type Version struct{ root *node }

// Version gives the table's version in a snapshot. Caches of what was computed from
// a table use it to know whether they are out of date.
func (t *Table[T]) Version(s *Snapshot) Version { return Version{s.node(t.rows)} }

// All gives every record in key order. In a transaction it gives those that
// were there when the loop began; the loop may put and delete.
func (t *Table[T]) All(r Reader) iter.Seq[*T] { return scan[T](r, t.rows, nil) }

// Prefix gives the records whose key begins with prefix, as [Table.All] does.
func (t *Table[T]) Prefix(r Reader, prefix string) iter.Seq[*T] {
	return scan[T](r, t.rows, []byte(prefix))
}

// From gives the records with a key of at least first, as [Table.All] does.
func (t *Table[T]) From(r Reader, first string) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		it := r.steady(t.rows).Iterator()
		it.SeekLowerBound([]byte(first))
		for _, v, ok := it.Next(); ok; _, v, ok = it.Next() {
			if !yield(v.(*T)) {
				return
			}
		}
	}
}

// By gives the records that the named index finds under value, in key order,
// as [Table.All] does. It panics when the table has no such index.
func (t *Table[T]) By(r Reader, index, value string) iter.Seq[*T] {
	return scan[T](r, t.place(index), indexKey(value, ""))
}

// place is that of an index's tree.
func (t *Table[T]) place(index string) int {
	for i, x := range t.indexes {
		if x.Name == index {
			return t.rows + 1 + i
		}
	}
	panic(fmt.Sprintf("store: table %s has no index %q", t.name, index))
}

// Put sets the record under its own key, replacing the one before. The record
// belongs to the store from now on and must not be changed any more. A record
// that JSON can not keep makes the update fail.
func (t *Table[T]) Put(tx *Tx, v *T) {
	key := t.key(v)
	old := t.set(tx, key, v)
	tx.write(t.schema, key, old, v)
}

// Delete removes the record under key and reports whether there was one.
func (t *Table[T]) Delete(tx *Tx, key string) bool {
	old, ok := tx.txn(t.rows).Delete([]byte(key))
	if !ok {
		return false
	}
	for i, x := range t.indexes {
		t.unindex(tx, i, key, x.Values(old.(*T)), nil)
	}
	tx.write(t.schema, key, old, nil)
	return true
}

// Written gives what the transaction has written in the table so far: each record as it
// was before, nil when there was none, and as it is now, nil when it was deleted.
func (t *Table[T]) Written(tx *Tx) iter.Seq2[*T, *T] {
	return func(yield func(before, after *T) bool) {
		for i := range tx.writes {
			w := &tx.writes[i]
			if w.table != t.schema {
				continue
			}
			before, _ := w.before.(*T)
			after, _ := w.record.(*T)
			if !yield(before, after) {
				return
			}
		}
	}
}

// set puts v into the trees and gives the record before it, nil if none.
func (t *Table[T]) set(tx *Tx, key string, v *T) (old any) {
	old, replaced := tx.txn(t.rows).Insert([]byte(key), v)
	for i, x := range t.indexes {
		values := x.Values(v)
		if replaced {
			t.unindex(tx, i, key, x.Values(old.(*T)), values)
		}
		for _, value := range values {
			tx.txn(t.rows+1+i).Insert(indexKey(value, key), v)
		}
	}
	return old
}

// unindex takes key from where an index found it and no longer does.
func (t *Table[T]) unindex(tx *Tx, index int, key string, before, after []string) {
	for _, value := range before {
		if !slices.Contains(after, value) {
			tx.txn(t.rows + 1 + index).Delete(indexKey(value, key))
		}
	}
}

func (t *Table[T]) loadRecord(tx *Tx, key string, value []byte) error {
	v, err := t.decode(key, value)
	if err != nil {
		return err
	}
	t.set(tx, key, v)
	return nil
}

func (t *Table[T]) applyRecord(tx *Tx, key string, value []byte) error {
	if value == nil {
		if !t.Delete(tx, key) { // watchers are told the same as the leader's
			tx.write(t.schema, key, nil, nil)
		}
		return nil
	}
	v, err := t.decode(key, value)
	if err != nil {
		return err
	}
	t.Put(tx, v)
	return nil
}

func (t *Table[T]) decode(key string, value []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(value, v); err != nil {
		return nil, err
	}
	if k := t.key(v); k != key {
		return nil, fmt.Errorf("the record's own key is %q", k)
	}
	return v, nil
}

// indexKey is a key of an index tree. The value's length comes first, so that
// no value's keys lie among those of another that it is the beginning of.
func indexKey(value, key string) []byte {
	k := make([]byte, 0, binary.MaxVarintLen32+len(value)+len(key))
	k = binary.AppendUvarint(k, uint64(len(value)))
	k = append(k, value...)
	return append(k, key...)
}

func scan[T any](r Reader, place int, prefix []byte) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		it := r.steady(place).Iterator()
		it.SeekPrefix(prefix)
		for _, v, ok := it.Next(); ok; _, v, ok = it.Next() {
			if !yield(v.(*T)) {
				return
			}
		}
	}
}
