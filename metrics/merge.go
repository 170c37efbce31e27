package metrics

import (
	"cmp"
	"io"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// merger lets the engine aggregate what is added to an hour of a series: an operand is
// encoded as the hour is.
var merger = &pebble.Merger{
	Name: "fargo.metrics.points.v1",
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		m := &points{make([]point, 0, 60)} // of each minute
		return m, m.add(value)
	},
}

// points are those of several operands.
type points struct{ all []point }

func (m *points) add(value []byte) error {
	d := decoder{rest: value}
	for p := (point{}); d.next(&p); {
		m.all = append(m.all, p)
	}
	return d.err()
}

// MergeNewer implements [pebble.ValueMerger].
func (m *points) MergeNewer(value []byte) error { return m.add(value) }

// MergeOlder implements [pebble.ValueMerger].
func (m *points) MergeOlder(value []byte) error { return m.add(value) }

// Finish implements [pebble.ValueMerger].
func (m *points) Finish(bool) ([]byte, io.Closer, error) { return m.encode(), nil, nil }

// encode orders the points, merges those of one time, and encodes them.
func (m *points) encode() []byte {
	byOffset := func(a, b point) int { return cmp.Compare(a.offset, b.offset) }
	if !slices.IsSortedFunc(m.all, byOffset) {
		slices.Reverse(m.all) // readers give the newest first
	}
	if !slices.IsSortedFunc(m.all, byOffset) {
		slices.SortStableFunc(m.all, byOffset)
	}
	var b []byte
	before := int64(0)
	for i := 0; i < len(m.all); {
		p := m.all[i]
		for i++; i < len(m.all) && m.all[i].offset == p.offset; i++ {
			p.set = p.set.Merge(m.all[i].set)
		}
		b = appendPoint(b, before, p)
		before = p.offset
	}
	return b
}
