package engine

import (
	"bytes"
	"cmp"
	"container/heap"
	"errors"
	"log/slog"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// salvage is all that could be opened of a directory: the engine's own way to read
// it, but around what is damaged. Every version of a key has its number, and the
// highest counts.
type salvage struct {
	from    *directory
	name    func([]byte) (string, bool)
	options *pebble.Options
	report  *Report

	entries []entry // of logs
	tombs   []entry // of ranges, of logs and tables
	tables  []*table
}

func (s *salvage) lose(l Loss) { s.report.Losses = append(s.report.Losses, l) }

// open reads the logs and opens the tables.
func (s *salvage) open() error {
	oldest, err := s.from.checkManifest()
	intact := err == nil && s.from.format != ""
	if !intact {
		oldest = 0 // no log is known to be superfluous
	}
	if err := s.openLogs(oldest); err != nil {
		return err
	}
	var tables []part
	if intact {
		if tables, err = s.live(); err != nil {
			s.lose(Loss{damaged(s.from.dir, err).File, -1, err.Error(), -1, nil})
		}
	}
	if !intact || err != nil {
		if s.from.holds() {
			s.lose(Loss{s.from.dir, -1, "which of its tables count is not known, so that deleted keys may be back, and what was added may count twice", 0, nil})
		}
		tables = nil
		for _, number := range s.from.tables {
			tables = append(tables, part{number: number})
		}
	}
	for _, p := range tables {
		t, err := s.openTable(p.number, p.bounds)
		if err != nil {
			s.lose(Loss{t.path, -1, err.Error(), t.total, nil})
			continue
		}
		s.tables = append(s.tables, t)
		s.tombs = append(s.tombs, t.tombs...)
	}
	return nil
}

func (s *salvage) openLogs(oldest uint64) error {
	if n := s.from.mark; s.from.marked && n.logBytes > 0 && n.log >= oldest && !slices.Contains(s.from.logs, n.log) {
		s.lose(Loss{s.from.path(logName(n.log)), -1, "missing", -1, nil})
	}
	for i, number := range s.from.logs {
		if number < oldest {
			continue
		}
		data, err := readFile(s.from.files, s.from.path(logName(number)))
		if err != nil {
			return err
		}
		s.salvageLog(number, data, i == len(s.from.logs)-1)
	}
	kept := s.entries[:0]
	for _, e := range s.entries {
		if e.kind == pebble.InternalKeyKindRangeDelete {
			s.tombs = append(s.tombs, e)
		} else {
			kept = append(kept, e)
		}
	}
	s.entries = kept
	slices.SortFunc(s.entries, func(a, b entry) int { return a.order(&b) })
	return nil
}

// part is a table, or what counts of it.
type part struct {
	number uint64
	bounds bounds
}

// live are the tables that the manifest says are current.
func (s *salvage) live() (parts []part, err error) {
	opts := s.options.Clone()
	opts.FS = tablesOnly{s.from.files}
	opts.ReadOnly = true
	opts.Logger = &failure{log: slog.New(slog.DiscardHandler)}
	opts.EventListener = &pebble.EventListener{DataCorruption: func(pebble.DataCorruptionInfo) {}}
	db, err := open(s.from.dir, opts)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	levels, err := db.SSTables()
	if err != nil {
		return nil, err
	}
	for _, level := range levels {
		for _, t := range level {
			p := part{number: uint64(t.BackingSSTNum)}
			if t.Virtual {
				p.bounds = bounds{t.Smallest.UserKey, t.Largest.UserKey}
			}
			parts = append(parts, p)
		}
	}
	return parts, nil
}

// tablesOnly is a file system on which an engine finds neither logs nor options.
type tablesOnly struct{ vfs.FS }

// List implements [vfs.FS].
func (f tablesOnly) List(dir string) ([]string, error) {
	names, err := f.FS.List(dir)
	return slices.DeleteFunc(names, func(name string) bool {
		kind, _ := parseName(name)
		return kind == kindLog || kind == kindOptions
	}), err
}

// close lets go of the tables, and takes down what could not be read of them.
func (s *salvage) close() error {
	for _, t := range s.tables {
		s.report.Losses = append(s.report.Losses, t.close(s.name)...)
	}
	s.tables = nil
	return nil
}

// merge gives every key that is not deleted to sink, in order.
func (s *salvage) merge(sink func(key, value []byte) error) error {
	next := s.inOrder()
	for e := next(); e != nil; {
		key := e.key
		versions := []entry{*e} // the newest first
		for e = next(); e != nil && bytes.Equal(e.key, key); e = next() {
			versions = append(versions, *e)
		}
		value, ok, err := s.newest(versions)
		if err == nil && ok {
			err = sink(key, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// newest is the value of a key by all of its versions; ok is false when it is deleted.
func (s *salvage) newest(versions []entry) (value []byte, ok bool, err error) {
	versions = withoutRepeated(versions)
	var operands [][]byte
	base := false
	for i := 0; i < len(versions) && !base && !s.deleted(&versions[i]); i++ {
		operands = append(operands, versions[i].value)
		base = versions[i].kind != pebble.InternalKeyKindMerge
	}
	if len(operands) == 0 || len(operands) == 1 && base {
		return slices.Concat(operands...), len(operands) > 0, nil
	}
	key := versions[0].key
	m, err := s.options.Merger.Merge(key, operands[0])
	for _, older := range operands[1:] {
		if err == nil {
			err = m.MergeOlder(older)
		}
	}
	if err != nil {
		return nil, false, err
	}
	merged, closer, err := m.Finish(base)
	if err != nil {
		return nil, false, err
	}
	value = bytes.Clone(merged)
	if closer != nil {
		err = closer.Close()
	}
	return value, true, err
}

// withoutRepeated leaves out what a log adds to a key that a table has too: all that is not
// newer than the table's version is in it.
func withoutRepeated(versions []entry) []entry {
	i := slices.IndexFunc(versions, func(e entry) bool { return e.inTable })
	if i < 0 {
		return versions
	}
	newest := versions[i].seq
	return slices.DeleteFunc(versions, func(e entry) bool {
		return !e.inTable && e.kind == pebble.InternalKeyKindMerge && e.seq <= newest
	})
}

// inOrder gives every version of every key in the engine's order; nil at the end.
func (s *salvage) inOrder() func() *entry {
	var h cursors
	if len(s.entries) > 0 {
		h = append(h, &cursor{head: &s.entries[0], next: s.nextEntry()})
	}
	for _, t := range s.tables {
		if t.next() {
			h = append(h, &cursor{head: &t.head, next: func() *entry {
				if t.next() {
					return &t.head
				}
				return nil
			}})
		}
	}
	heap.Init(&h)
	return func() *entry {
		if len(h) == 0 {
			return nil
		}
		e := *h[0].head
		if h[0].head = h[0].next(); h[0].head == nil {
			heap.Pop(&h)
		} else {
			heap.Fix(&h, 0)
		}
		return &e
	}
}

// nextEntry steps through the entries of logs, of which the first is taken.
func (s *salvage) nextEntry() func() *entry {
	i := 0
	return func() *entry {
		if i++; i < len(s.entries) {
			return &s.entries[i]
		}
		return nil
	}
}

// deleted reports whether a version of a key is that there is none, or is deleted.
func (s *salvage) deleted(e *entry) bool {
	switch e.kind {
	case pebble.InternalKeyKindSet, pebble.InternalKeyKindSetWithDelete, pebble.InternalKeyKindMerge:
	default:
		return true
	}
	return slices.ContainsFunc(s.tombs, func(t entry) bool {
		return t.seq > e.seq && bytes.Compare(t.key, e.key) <= 0 && bytes.Compare(e.key, t.value) < 0
	})
}

// cursor is a place in something that is in the engine's order.
type cursor struct {
	head *entry
	next func() *entry
}

// cursors are a heap.
type cursors []*cursor

// Len implements [heap.Interface].
func (c cursors) Len() int { return len(c) }

// Less implements [heap.Interface].
func (c cursors) Less(i, j int) bool { return cmp.Less(c[i].head.order(c[j].head), 0) }

// Swap implements [heap.Interface].
func (c cursors) Swap(i, j int) { c[i], c[j] = c[j], c[i] }

// Push implements [heap.Interface].
func (c *cursors) Push(x any) { *c = append(*c, x.(*cursor)) }

// Pop implements [heap.Interface].
func (c *cursors) Pop() any {
	old := *c
	x := old[len(old)-1]
	*c = old[:len(old)-1]
	return x
}
