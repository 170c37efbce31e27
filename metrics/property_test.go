package metrics

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

// aSet draws a set of samples, whose sums are exact.
func aSet(t *rapid.T) StatisticSet {
	value := rapid.Float64Range(-1e6, 1e6).Draw(t, "value")
	if rapid.Bool().Draw(t, "whole") {
		value = float64(rapid.IntRange(-50, 50).Draw(t, "value"))
	}
	value = math.Trunc(value*8) / 8
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return Statistics(2, value+9, value, 9+value)
	case 1:
		many := StatisticSet{}
		for i := range 100 {
			many = many.Merge(Values(value+float64(i), 2))
		}
		return many
	}
	return Values(value, float64(rapid.IntRange(1, 3).Draw(t, "count")))
}

// encoded is a set as it is stored.
func encoded(s StatisticSet) string { return string(appendSet(nil, s)) }

// The order of merging does not matter, nor does storing in between.
func TestMergeOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets := make([]StatisticSet, rapid.IntRange(1, 12).Draw(t, "n"))
		for i := range sets {
			sets[i] = aSet(t)
		}
		var forward StatisticSet
		for _, s := range sets {
			forward = forward.Merge(s)
		}
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		for len(sets) > 1 {
			random.Shuffle(len(sets), func(i, j int) { sets[i], sets[j] = sets[j], sets[i] })
			d := decoder{rest: appendSet(nil, sets[0].Merge(sets[1]))}
			sets = append(sets[2:], d.set())
			if d.err() != nil || len(d.rest) > 0 {
				t.Fatalf("not decoded: %v, %d bytes left", d.err(), len(d.rest))
			}
		}
		if encoded(sets[0]) != encoded(forward) {
			t.Fatalf("%+v, in another order %+v", forward, sets[0])
		}
	})
}

// What a query gives is what was put, aggregated by a slow reference; however it was
// put, flushed and compacted, and although the store was opened anew.
func TestStoreMatchesReference(t *testing.T) {
	names := []string{"a", "b"}
	rapid.Check(t, func(rt *rapid.T) {
		h := &harness{fs: vfs.NewMem(), clock: &clock{noon}, t: t, all: map[string][]Datum{}}
		h.open()
		defer func() { h.Close() }()
		rt.Repeat(map[string]func(*rapid.T){
			"put": func(rt *rapid.T) {
				data := make([]Datum, rapid.IntRange(1, 5).Draw(rt, "n"))
				for i := range data {
					data[i] = Datum{
						Metric: metric(rapid.SampledFrom(names).Draw(rt, "name")), HighResolution: rapid.Bool().Draw(rt, "high"),
						Time: noon.Add(-time.Duration(rapid.IntRange(0, 9000).Draw(rt, "before")) * time.Second), StatisticSet: aSet(rt),
					}
					h.all[data[i].Name] = append(h.all[data[i].Name], data[i])
				}
				must(t, h.Put(t.Context(), data))
			},
			"flush":  func(*rapid.T) { must(t, h.db.Flush()) },
			"age":    func(*rapid.T) { must(t, h.age(t.Context())) },
			"reopen": func(*rapid.T) { must(t, h.Close()); h.open() },
			"query": func(rt *rapid.T) {
				q := Query{
					Metric: metric(rapid.SampledFrom(names).Draw(rt, "name")), Period: time.Duration(rapid.SampledFrom([]int{1, 60, 300, 3600}).Draw(rt, "period")) * time.Second,
					Start: noon.Add(-time.Duration(rapid.IntRange(0, 9000).Draw(rt, "start")) * time.Second),
				}
				q.End = q.Start.Add(time.Duration(rapid.IntRange(1, 9000).Draw(rt, "length")) * time.Second)
				found, err := h.Statistics(t.Context(), q)
				must(t, err)
				var got []string
				for _, s := range found {
					for _, p := range s.Points {
						got = append(got, fmt.Sprintf("%v %x", p.Start.Sub(noon), encoded(p.StatisticSet)))
					}
				}
				if want := reference(h.all[q.Metric.Name], q); !slices.Equal(got, want) {
					rt.Fatalf("%+v: got\n%v, want\n%v", q, got, want)
				}
			},
		})
	})
}

type harness struct {
	*Store
	fs    vfs.FS
	clock *clock
	t     *testing.T
	all   map[string][]Datum
}

func (h *harness) open() {
	var err error
	h.Store, err = openOn(h.fs, "metrics", discard, h.clock.now)
	must(h.t, err)
}

// reference aggregates data period by period.
func reference(data []Datum, q Query) (all []string) {
	sets := map[time.Duration]StatisticSet{}
	for _, d := range data {
		at := d.Time.Truncate(time.Minute)
		if d.HighResolution {
			at = d.Time.Truncate(time.Second)
		}
		if !at.Before(q.Start) && at.Before(q.End) {
			period := at.Sub(q.Start).Truncate(q.Period)
			sets[period] = sets[period].Merge(d.StatisticSet)
		}
	}
	type one struct {
		at  time.Duration
		set StatisticSet
	}
	var list []one
	for at, set := range sets {
		list = append(list, one{q.Start.Add(at).Sub(noon), set})
	}
	slices.SortFunc(list, func(a, b one) int { return cmp.Compare(a.at, b.at) })
	for _, o := range list {
		all = append(all, fmt.Sprintf("%v %x", o.at, encoded(o.set)))
	}
	return all
}

// Buckets are in the order of values, and what stands for one is near all in it.
func TestBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64().Draw(t, "a")
		b := rapid.Float64().Draw(t, "b")
		if (a < b) && indexOf(a) > indexOf(b) {
			t.Fatalf("%g is in bucket %d, %g in %d", a, indexOf(a), b, indexOf(b))
		}
		middle := bucket{index: indexOf(a)}.middle()
		if math.Abs(a) > 1e-300 && math.Abs(a) < 1e300 && math.Abs(middle-a) > accuracy*math.Abs(a)*(1+1e-9) || a == 0 && middle != 0 {
			t.Fatalf("%g has %g", a, middle)
		}
	})
}
