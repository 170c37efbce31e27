package metrics

import (
	"cmp"
	"context"
	"encoding/binary"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Put adds data. Called again, it adds them again. Their values must be finite.
func (s *Store) Put(ctx context.Context, data []Datum) error {
	return s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) { return s.add(b, data) })
}

// PutFrom adds data of a source that numbers what it sends, upwards and from 1 on. The
// data and the number are written together: so what is sent again because nobody knows
// whether it has arrived is not added again. It returns the highest number that the store
// has of the source; without data and with the number 0 it does nothing else.
func (s *Store) PutFrom(ctx context.Context, source string, number uint64, data []Datum) (held uint64, err error) {
	err = s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		key := sourceKey(source)
		value, found, err := s.engine.Get(key)
		if err != nil {
			return nil, err
		}
		if found {
			held = binary.BigEndian.Uint64(value)
		}
		if number <= held {
			// The write that this one repeats may not be on disk yet: sync, too.
			return nil, b.LogData(nil, nil)
		}
		held = number
		b.Set(key, binary.BigEndian.AppendUint64(nil, number), nil)
		return s.add(b, data)
	})
	if err != nil {
		return 0, err
	}
	return held, nil
}

// addition is data on their way into a batch.
type addition struct {
	*Store
	batch   *pebble.Batch
	now     time.Time
	scratch []byte
	fresh   map[string]*fresh // by what is stored of them
	touched []touched
}

// fresh is a series that begins.
type fresh struct {
	id     uint64
	metric Metric
	unit   string
	newest int64
}

// touched is a series that gets a point, and the point's time.
type touched struct {
	*series
	time int64
}

// add adds data to a batch, and returns what is to be done when it is visible. The caller
// is writing.
func (s *Store) add(b *pebble.Batch, data []Datum) (seen func(), err error) {
	a := addition{Store: s, batch: b, now: s.now(), fresh: map[string]*fresh{}}
	for i := range data {
		if err := a.datum(&data[i]); err != nil {
			return nil, err
		}
	}
	if len(a.fresh) > 0 {
		b.Set(nextIDKey, binary.BigEndian.AppendUint64(nil, s.nextID), nil)
	}
	return a.seen, nil
}

func (a *addition) datum(d *Datum) error {
	step := stepAt(a.now.Sub(d.Time), d.HighResolution)
	if d.Count == 0 || step == 0 {
		return nil
	}
	seconds := max(d.Time.Unix(), 0)
	seconds -= seconds % step
	a.scratch = appendPoint(a.scratch[:0], 0, point{seconds % 3600, d.StatisticSet})
	return a.batch.Merge(pointsKey(a.id(d, seconds), seconds/3600), a.scratch, nil)
}

// id finds the series of a datum that is for a time, or makes one.
func (a *addition) id(d *Datum, seconds int64) uint64 {
	m, unit := sorted(d.Metric), cmp.Or(d.Unit, NoUnit)
	if s := a.index.find(&m).of(unit); s != nil {
		a.touched = append(a.touched, touched{s, seconds})
		return s.id
	}
	encoded := encodeSeries(m, unit)
	f := a.fresh[string(encoded)]
	if f == nil {
		f = &fresh{id: a.nextID, metric: m, unit: unit}
		a.nextID++ // the id of a failed write is not used again
		a.fresh[string(encoded)] = f
		a.batch.Set(seriesKey(f.id), encoded, nil)
	}
	f.newest = max(f.newest, seconds)
	return f.id
}

func (a *addition) seen() {
	a.index.mu.Lock()
	defer a.index.mu.Unlock()
	for _, f := range a.fresh {
		a.index.add(f.id, f.metric, f.unit).newest = f.newest
	}
	for _, t := range a.touched {
		t.newest = max(t.newest, t.time)
	}
}
