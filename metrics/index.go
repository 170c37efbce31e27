package metrics

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
)

// index is all series, in memory.
type index struct {
	mu     sync.RWMutex // also of what is in it
	places map[place]*namespace
	byID   map[uint64]*series
}

// place is a namespace in an account and region.
type place struct {
	scope     fargo.Scope
	namespace string
}

// namespace is the metrics of a place.
type namespace struct {
	metrics map[string]*known // by what appendMetric writes
	// ordered are the same in their order; nil when that has to be found out anew.
	ordered []*known
}

// known is a metric that has data.
type known struct {
	Metric
	key    string
	series []*series // one for each unit, in their order
}

// series is the data of a metric in one unit.
type series struct {
	id     uint64
	unit   string
	metric *known
	newest int64 // the time of the newest point, in seconds; under the index's mu
}

// sorted is a metric with its dimensions in order.
func sorted(m Metric) Metric {
	byName := func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) }
	if !slices.IsSortedFunc(m.Dimensions, byName) {
		m.Dimensions = slices.SortedFunc(slices.Values(m.Dimensions), byName)
	}
	return m
}

// find finds a metric whose dimensions are in order; nil when it has no data.
func (x *index) find(m *Metric) *known {
	var room [256]byte
	key := appendMetric(room[:0], m.Name, m.Dimensions)
	x.mu.RLock()
	defer x.mu.RUnlock()
	if at := x.places[place{m.Scope, m.Namespace}]; at != nil {
		return at.metrics[string(key)]
	}
	return nil
}

// of is the series of a unit, or nil.
func (k *known) of(unit string) *series {
	if k == nil {
		return nil
	}
	for _, s := range k.series {
		if s.unit == unit {
			return s
		}
	}
	return nil
}

// add adds a series; mu is held.
func (x *index) add(id uint64, m Metric, unit string) *series {
	if x.places == nil {
		x.places, x.byID = map[place]*namespace{}, map[uint64]*series{}
	}
	at := x.places[place{m.Scope, m.Namespace}]
	if at == nil {
		at = &namespace{metrics: map[string]*known{}}
		x.places[place{m.Scope, m.Namespace}] = at
	}
	key := string(appendMetric(nil, m.Name, m.Dimensions))
	k := at.metrics[key]
	if k == nil {
		m.Dimensions = slices.Clone(m.Dimensions)
		k = &known{Metric: m, key: key}
		at.metrics[key], at.ordered = k, nil
	}
	s := &series{id: id, unit: unit, metric: k}
	i, _ := slices.BinarySearchFunc(k.series, unit, func(s *series, unit string) int { return strings.Compare(s.unit, unit) })
	k.series = slices.Insert(slices.Clone(k.series), i, s) // readers may have the old list
	x.byID[id] = s
	return s
}

// remove removes a series; mu is held.
func (x *index) remove(s *series) {
	delete(x.byID, s.id)
	k := s.metric
	k.series = slices.DeleteFunc(slices.Clone(k.series), func(o *series) bool { return o == s })
	if len(k.series) > 0 {
		return
	}
	at := x.places[place{k.Scope, k.Namespace}]
	delete(at.metrics, k.key)
	if at.ordered = nil; len(at.metrics) == 0 {
		delete(x.places, place{k.Scope, k.Namespace})
	}
}

// inOrder are the metrics of a namespace in their order; mu is held.
func (n *namespace) inOrder() []*known {
	if n.ordered == nil {
		n.ordered = slices.SortedFunc(maps.Values(n.metrics), func(a, b *known) int { return a.Compare(b.Metric) })
	}
	return n.ordered
}

// loadSeries reads all series, and when each has its newest point.
func (s *Store) loadSeries() (err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tableSeries}, UpperBound: []byte{tableSeries + 1}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		m, unit, err := decodeSeries(it.Value())
		if err != nil {
			it.Close()
			return fmt.Errorf("series %x: %w", it.Key(), err)
		}
		s.index.add(binary.BigEndian.Uint64(it.Key()[1:]), m, unit)
	}
	if err := it.Close(); err != nil {
		return err
	}
	return s.loadNewest()
}

func (s *Store) loadNewest() error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tablePoints}, UpperBound: []byte{tablePoints + 1}})
	if err != nil {
		return err
	}
	for id, series := range s.index.byID {
		if !it.SeekLT(pointsKey(id+1, 0)) {
			continue
		}
		if of, hour := pointsOf(it.Key()); of == id {
			d := decoder{rest: it.Value()}
			for p := (point{}); d.next(&p); {
				series.newest = hour*3600 + d.offset
			}
		}
	}
	return it.Close()
}
