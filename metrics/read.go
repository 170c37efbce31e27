package metrics

import (
	"context"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Query asks for the statistics of a metric.
type Query struct {
	Metric Metric
	Unit   string // CloudWatch's name of it; "" is each
	// Start is when the first period begins, End is after the last point: those of the
	// time of End and later do not count. Both are whole seconds.
	Start, End time.Time
	Period     time.Duration // whole seconds
}

// Series are the points of a metric in one unit.
type Series struct {
	Unit   string
	Points []Point // in ascending order, those that have samples
}

// Point is what is known of a period.
type Point struct {
	Start time.Time // of the period, in UTC
	StatisticSet
}

// Statistics gives the points of a metric, by unit in their order. Units without points
// are left out. Of data that are kept by periods longer than the query's, a point is at
// the begin of that longer one.
func (s *Store) Statistics(ctx context.Context, q Query) ([]Series, error) {
	m := sorted(q.Metric)
	k := s.index.find(&m)
	if k == nil || !q.Start.Before(q.End) {
		return nil, nil
	}
	var all []Series
	s.index.mu.RLock()
	units := k.series
	s.index.mu.RUnlock()
	for _, u := range units {
		if q.Unit != "" && q.Unit != u.unit {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		points, err := s.points(u.id, &q)
		if err != nil {
			return nil, fmt.Errorf("read metric %s: %w", m.Name, s.engine.Read(err))
		}
		if len(points) > 0 {
			all = append(all, Series{u.unit, points})
		}
	}
	return all, nil
}

// mostAtFirst is for how many points there is room at first: those of a day of minutes.
const mostAtFirst = 24 * 60

// points aggregates what is stored of a series.
func (s *Store) points(id uint64, q *Query) ([]Point, error) {
	start, end, period := max(q.Start.Unix(), 0), q.End.Unix(), int64(q.Period/time.Second)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: pointsKey(id, start/3600), UpperBound: pointsKey(id, (end-1)/3600+1)})
	if err != nil {
		return nil, err
	}
	var points []Point
	last := int64(-1) // the number of the last point's period
	for ok := it.First(); ok; ok = it.Next() {
		_, hour := pointsOf(it.Key())
		d := decoder{rest: it.Value()}
		for p := (point{}); d.next(&p); {
			t := hour*3600 + p.offset
			if t < start || t >= end {
				continue
			}
			if n := (t - start) / period; n != last {
				if points == nil {
					points = make([]Point, 0, min((end-t)/period+1, mostAtFirst))
				}
				points = append(points, Point{time.Unix(start+n*period, 0).UTC(), p.set})
				last = n
			} else {
				at := &points[len(points)-1]
				at.StatisticSet = at.Merge(p.set)
			}
		}
		if err := d.err(); err != nil {
			it.Close()
			return nil, err
		}
	}
	return points, it.Close()
}

// RoundedStart is when the first period of a request begins.
// Source: CloudWatch API, GetMetricStatistics and GetMetricData, StartTime.
func RoundedStart(start time.Time, period time.Duration, now time.Time) time.Time {
	step := time.Minute
	switch old := now.Sub(start); {
	case old > 63*day:
		step = time.Hour
	case old > 15*day:
		step = 5 * time.Minute
	case period < time.Minute:
		step = period
	}
	return start.Truncate(step).UTC()
}

// WholeEnd is a request's end, rounded up to a second: what is in that second was before
// it.
func WholeEnd(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}
