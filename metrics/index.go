package metrics

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
)

// index is all series, in memory.
type index struct {
	mu     sync.RWMutex
	places map[place]map[string]*known // by what appendMetric writes
	byID   map[uint64]*series
}

// place is a namespace in an account and region.
type place struct {
	scope     fargo.Scope
	namespace string
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
	return x.places[place{m.Scope, m.Namespace}][string(key)]
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
		x.places, x.byID = map[place]map[string]*known{}, map[uint64]*series{}
	}
	at := place{m.Scope, m.Namespace}
	if x.places[at] == nil {
		x.places[at] = map[string]*known{}
	}
	key := string(appendMetric(nil, m.Name, m.Dimensions))
	k := x.places[at][key]
	if k == nil {
		m.Dimensions = slices.Clone(m.Dimensions)
		k = &known{Metric: m, key: key}
		x.places[at][key] = k
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
	at := place{k.Scope, k.Namespace}
	delete(x.places[at], k.key)
	if len(x.places[at]) == 0 {
		delete(x.places, at)
	}
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
