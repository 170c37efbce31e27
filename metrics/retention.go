package metrics

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
)

const day = 24 * time.Hour

// age is how data are kept from an age on.
type age struct {
	after time.Duration
	step  int64 // the period of points, in seconds; 0: they are removed
}

// ages are in ascending order. Source: CloudWatch user guide, "Metrics retention".
var ages = []age{{3 * time.Hour, 60}, {15 * day, 300}, {63 * day, 3600}, {455 * day, 0}}

// stepAt is the period of the points that data of an age are kept by, in seconds; 0 when
// they are not kept.
func stepAt(old time.Duration, highResolution bool) int64 {
	step := int64(60)
	if highResolution {
		step = 1
	}
	for _, a := range ages {
		if old >= a.after {
			step = a.step
		}
	}
	return step
}

const (
	ageEvery = 10 * time.Minute
	ageStep  = 500 // hours of series that are changed at a time, so that writers wait little
)

// Run aggregates and removes what has become old until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(ageEvery)
	defer tick.Stop()
	for {
		// Without room on the disk there is nothing to do but to come again.
		if err := s.age(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, fargo.ErrNotWritable) {
			return fmt.Errorf("aggregate old metrics: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// age does what the time asks for. Whole hours get older together.
func (s *Store) age(ctx context.Context) error {
	for _, a := range ages {
		until := s.now().Add(-a.after).Unix() / 3600
		from, err := s.aged(a)
		if err != nil {
			return err
		}
		if until <= from {
			continue
		}
		if err := s.ageHours(ctx, a, from, until); err != nil {
			return err
		}
		err = s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
			return nil, b.Set(agedKey(int64(a.after/time.Second)), binary.BigEndian.AppendUint64(nil, uint64(until)), nil)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// aged is the hour before which all is as an age wants it.
func (s *Store) aged(a age) (hour int64, err error) {
	value, found, err := s.engine.Get(agedKey(int64(a.after / time.Second)))
	if err != nil || !found {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(value)), nil
}

// ageHours makes all points from an hour on and before another as an age wants them.
func (s *Store) ageHours(ctx context.Context, a age, from, until int64) error {
	at := pointsKey(0, 0)
	for at != nil {
		keys, next, err := s.hours(at, from, until)
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			if err := s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) { return nil, s.ageKeys(b, a, keys) }); err != nil {
				return err
			}
		}
		if a.step == 0 {
			if err := s.removeEmpty(ctx, keys); err != nil {
				return err
			}
		}
		at = next
	}
	return nil
}

// hours lists the next keys of such hours, and where to go on; nil at the end.
func (s *Store) hours(at []byte, from, until int64) (keys [][]byte, next []byte, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tablePoints}, UpperBound: []byte{tablePoints + 1}})
	if err != nil {
		return nil, nil, err
	}
	ok := it.SeekGE(at)
	for ok && len(keys) < ageStep {
		switch id, hour := pointsOf(it.Key()); {
		case hour < from:
			ok = it.SeekGE(pointsKey(id, from))
		case hour >= until:
			ok = it.SeekGE(pointsKey(id+1, 0))
		default:
			keys = append(keys, bytes.Clone(it.Key()))
			ok = it.Next()
		}
	}
	if ok {
		next = bytes.Clone(it.Key())
	}
	return keys, next, it.Close()
}

// ageKeys adds to a batch what becomes of hours. Those of a series that is not known,
// which a repair may leave, are removed.
func (s *Store) ageKeys(b *pebble.Batch, a age, keys [][]byte) error {
	for _, key := range keys {
		id, _ := pointsOf(key)
		if a.step == 0 || !s.index.has(id) {
			b.Delete(key, nil)
			continue
		}
		value, found, err := s.engine.Get(key)
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		coarse, err := coarser(value, a.step)
		if err != nil {
			return err
		}
		if !bytes.Equal(coarse, value) {
			b.Set(key, coarse, nil)
		}
	}
	return nil
}

func (x *index) has(id uint64) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.byID[id] != nil
}

// coarser aggregates the points of an hour.
func coarser(value []byte, step int64) ([]byte, error) {
	var m points
	if err := m.add(value); err != nil {
		return nil, err
	}
	for i := range m.all {
		m.all[i].offset -= m.all[i].offset % step
	}
	return m.encode(), nil
}

// removeEmpty removes those series of keys that have no points any more.
func (s *Store) removeEmpty(ctx context.Context, keys [][]byte) error {
	return s.engine.Update(ctx, func(b *pebble.Batch) (seen func(), err error) {
		it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tablePoints}, UpperBound: []byte{tablePoints + 1}})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, it.Close()) }()
		var empty []uint64
		for i, key := range keys {
			id, _ := pointsOf(key)
			if i > 0 && bytes.HasPrefix(keys[i-1], key[:9]) {
				continue
			}
			if it.SeekGE(pointsKey(id, 0)) && bytes.HasPrefix(it.Key(), key[:9]) {
				continue
			}
			b.Delete(seriesKey(id), nil)
			empty = append(empty, id)
		}
		return func() {
			s.index.mu.Lock()
			defer s.index.mu.Unlock()
			for _, id := range empty {
				if series := s.index.byID[id]; series != nil {
					s.index.remove(series)
				}
			}
		}, nil
	})
}
