package engine

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// table reads one table from its first key to its last, around what is damaged.
type table struct {
	path   string
	bounds bounds
	reader *sstable.Reader
	it     sstable.Iterator
	tombs  []entry // tombstones of ranges
	total  int64   // entries that there should be; -1 when that is not known

	read    int64
	started bool
	last    []byte // the key returned last
	err     error  // what was damaged
	before  []byte // the last good key before what is damaged
	after   []byte // and the first one after; nil if there is none
	head    entry
}

// bounds are the keys of a table that count, both included; nil is all.
type bounds struct{ smallest, largest []byte }

// openTable opens a table. An error means that nothing in it can be read.
func (s *salvage) openTable(number uint64, b bounds) (t *table, err error) {
	t = &table{path: s.from.path(fmt.Sprintf("%06d.sst", number)), bounds: b, total: -1}
	file, err := s.from.files.Open(t.path)
	if err != nil {
		return t, err
	}
	readable, err := sstable.NewSimpleReadable(file)
	if err != nil {
		return t, errors.Join(err, file.Close())
	}
	ctx := context.Background()
	if t.reader, err = sstable.NewReader(ctx, readable, s.options.MakeReaderOptions()); err != nil {
		return t, errors.Join(err, readable.Close())
	}
	if p, err := t.reader.ReadPropertiesBlock(ctx, nil); err == nil && b.smallest == nil {
		t.total = int64(p.NumEntries - p.NumRangeDeletions)
	}
	if t.it, err = t.newIter(); err != nil {
		return t, errors.Join(err, t.reader.Close())
	}
	return t, t.readTombstones(ctx)
}

func (t *table) newIter() (sstable.Iterator, error) {
	return t.reader.NewIter(sstable.NoTransforms, nil, nil, sstable.AssertNoBlobHandles)
}

// readTombstones reads those of ranges, of which there are few.
func (t *table) readTombstones(ctx context.Context) error {
	it, err := t.reader.NewRawRangeDelIter(ctx, sstable.NoFragmentTransforms, sstable.NoReadEnv)
	if err != nil || it == nil {
		return err
	}
	defer it.Close()
	span, err := it.First()
	for ; span != nil; span, err = it.Next() {
		for _, k := range span.Keys {
			t.tombs = append(t.tombs, entry{
				key: bytes.Clone(span.Start), value: bytes.Clone(span.End),
				seq: uint64(k.SeqNum()), kind: pebble.InternalKeyKindRangeDelete,
			})
		}
	}
	return err
}

// next moves head to the next entry.
func (t *table) next() (ok bool) {
	for {
		move := t.it.Next
		if !t.started {
			t.started, move = true, t.it.First
		}
		e := move()
		if e == nil && t.it.Error() != nil && t.err == nil {
			t.err = t.it.Error()
			if !t.skip() {
				return false
			}
			e = t.it.SeekGE(t.after, 0)
		}
		if e == nil {
			return false
		}
		t.read++
		t.last = append(t.last[:0], e.K.UserKey...)
		value, _, err := e.Value(nil)
		if err != nil {
			t.err = cmp.Or(t.err, err)
			continue
		}
		if t.bounds.smallest != nil && (bytes.Compare(t.last, t.bounds.smallest) < 0 || bytes.Compare(t.last, t.bounds.largest) > 0) {
			continue
		}
		t.head = entry{key: bytes.Clone(t.last), value: bytes.Clone(value), seq: uint64(e.SeqNum()), kind: e.Kind(), inTable: true}
		return true
	}
}

// skip looks from the table's end back to what is damaged, and finds the first good
// key behind it. If more than one place is damaged, what is between them is lost.
func (t *table) skip() bool {
	t.before = bytes.Clone(t.last)
	it, err := t.newIter()
	if err != nil {
		return false
	}
	t.it.Close() // whose error is known
	t.it = it
	for e := it.Last(); e != nil && (t.before == nil || bytes.Compare(e.K.UserKey, t.before) > 0); e = it.Prev() {
		t.after = bytes.Clone(e.K.UserKey)
	}
	return t.after != nil
}

// close gives what could not be read.
func (t *table) close(name func([]byte) (string, bool)) (lost []Loss) {
	if t.err == nil && t.total >= 0 && t.read != t.total {
		t.err = fmt.Errorf("%d entries of %d are there", t.read, t.total)
	}
	if t.err != nil {
		l := Loss{File: t.path, Offset: -1, Why: t.err.Error(), Writes: -1}
		if t.total >= 0 {
			l.Writes = t.total - t.read
		}
		for label, key := range map[string][]byte{"behind ": t.before, "before ": t.after} {
			if text, ok := name(key); ok && key != nil {
				l.Keys = append(l.Keys, label+text)
			}
		}
		slices.Sort(l.Keys)
		lost = append(lost, l)
	}
	if t.it != nil {
		t.it.Close()
	}
	if t.reader != nil {
		t.reader.Close()
	}
	return lost
}
