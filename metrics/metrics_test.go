package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"fargo"
)

var (
	discard   = slog.New(slog.DiscardHandler)
	testScope = fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	// noon is a whole hour.
	noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clock is a time that a test sets.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

func newStore(t testing.TB) (*Store, *clock) {
	t.Helper()
	c := &clock{noon}
	s, err := openOn(vfs.NewMem(), "metrics", discard, c.now)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s, c
}

func metric(name string, dimensions ...string) Metric {
	m := Metric{Scope: testScope, Namespace: "test", Name: name}
	for i := 0; i < len(dimensions); i += 2 {
		m.Dimensions = append(m.Dimensions, Dimension{dimensions[i], dimensions[i+1]})
	}
	return m
}

func datum(m Metric, at time.Time, v float64) Datum {
	return Datum{Metric: m, Time: at, StatisticSet: Value(v)}
}

// sums are the sums of a metric's points, with their times after noon.
func sums(t *testing.T, s *Store, q Query) []string {
	t.Helper()
	found, err := s.Statistics(t.Context(), q)
	must(t, err)
	var all []string
	for _, series := range found {
		for _, p := range series.Points {
			all = append(all, fmt.Sprintf("%s %v %g/%g", series.Unit, p.Start.Sub(noon), p.Sum, p.Count))
		}
	}
	return all
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What arrives late, again or in any order goes into the period that it is of.
func TestAggregation(t *testing.T) {
	s, _ := newStore(t)
	m := metric("m", "b", "1", "a", "2")
	must(t, s.Put(t.Context(), []Datum{
		datum(m, noon.Add(-10*time.Second), 1), datum(m, noon.Add(-70*time.Second), 2), datum(metric("m", "a", "2", "b", "1"), noon.Add(-59*time.Second), 4),
		datum(m, noon.Add(30*time.Second), 100), datum(metric("m", "a", "2"), noon, 1000),
	}))
	must(t, s.Put(t.Context(), []Datum{datum(m, noon.Add(-61*time.Second), 8)}))
	q := Query{Metric: m, Start: noon.Add(-2 * time.Minute), End: noon, Period: time.Minute}
	equal(t, sums(t, s, q), []string{"None -2m0s 10/2", "None -1m0s 5/2"})
	q.Start, q.Period = noon.Add(-90*time.Second), 2*time.Minute
	equal(t, sums(t, s, q), []string{"None -1m30s 5/2"})
	q.End = noon.Add(time.Second)
	equal(t, sums(t, s, q), []string{"None -1m30s 105/3"})
}

// Data of high resolution are kept by the second, and aggregated with others.
func TestHighResolution(t *testing.T) {
	s, _ := newStore(t)
	m := metric("m")
	for i := range 4 {
		d := datum(m, noon.Add(time.Duration(i)*time.Second+900*time.Millisecond), float64(i))
		d.HighResolution = i > 0
		must(t, s.Put(t.Context(), []Datum{d, d}))
	}
	q := Query{Metric: m, Start: noon, End: noon.Add(time.Minute), Period: time.Second}
	equal(t, sums(t, s, q), []string{"None 0s 0/2", "None 1s 2/2", "None 2s 4/2", "None 3s 6/2"})
	q.Period = 2 * time.Second
	equal(t, sums(t, s, q), []string{"None 0s 2/4", "None 2s 10/4"})
}

// Units are not converted: each has its own points.
func TestUnits(t *testing.T) {
	s, _ := newStore(t)
	m := metric("m")
	for _, unit := range []string{"Seconds", "", "Milliseconds", "None"} {
		must(t, s.Put(t.Context(), []Datum{{Metric: m, Unit: unit, Time: noon, StatisticSet: Value(1)}}))
	}
	q := Query{Metric: m, Start: noon, End: noon.Add(time.Minute), Period: time.Minute}
	equal(t, sums(t, s, q), []string{"Milliseconds 0s 1/1", "None 0s 2/2", "Seconds 0s 1/1"})
	q.Unit = "Seconds"
	equal(t, sums(t, s, q), []string{"Seconds 0s 1/1"})
	q.Unit = "Count"
	equal(t, sums(t, s, q), []string(nil))
	if got := s.Metrics(testScope, Filter{}); len(got) != 1 {
		t.Errorf("listed: %v", got)
	}
}

// What a source sends again is not added again, also after the store was opened anew.
func TestPutFrom(t *testing.T) {
	files, c := vfs.NewMem(), &clock{noon}
	m := metric("m")
	total := Query{Metric: m, Start: noon, End: noon.Add(time.Minute), Period: time.Minute}
	type sent struct{ number, held uint64 }
	for _, sends := range [][]sent{{{0, 0}, {1, 1}, {1, 1}, {3, 3}, {2, 3}, {0, 3}}, {{3, 3}, {2, 3}}} {
		s, err := openOn(files, "metrics", discard, c.now)
		must(t, err)
		for _, send := range sends {
			held, err := s.PutFrom(t.Context(), "a", send.number, []Datum{datum(m, noon, 1)})
			must(t, err)
			if held != send.held {
				t.Errorf("%d: held %d, want %d", send.number, held, send.held)
			}
		}
		held, err := s.PutFrom(t.Context(), "b", 2, []Datum{datum(m, noon, 10)})
		must(t, err)
		if held != 2 {
			t.Errorf("held %d of b", held)
		}
		equal(t, sums(t, s, total), []string{"None 0s 12/3"})
		must(t, s.Close())
	}
}

func TestMetrics(t *testing.T) {
	s, _ := newStore(t)
	other := Metric{Scope: testScope, Namespace: "other", Name: "m"}
	elsewhere := metric("m")
	elsewhere.Scope.Region = "eu-west-1"
	must(t, s.Put(t.Context(), []Datum{
		datum(metric("m", "b", "1", "a", "2"), noon.Add(-time.Hour), 1), datum(metric("m", "a", "3"), noon, 1), datum(metric("n"), noon, 1), datum(other, noon, 1), datum(elsewhere, noon, 1),
	}))
	must(t, s.Put(t.Context(), []Datum{datum(metric("n"), noon.Add(-2*time.Hour), 1)}))
	for _, c := range []struct {
		f    Filter
		want []Metric
	}{
		{Filter{}, []Metric{other, metric("m", "a", "2", "b", "1"), metric("m", "a", "3"), metric("n")}},
		{Filter{Namespace: "test", Name: "n"}, []Metric{metric("n")}},
		{Filter{Dimensions: []Dimension{{Name: "a"}}}, []Metric{metric("m", "a", "2", "b", "1"), metric("m", "a", "3")}},
		{Filter{Dimensions: []Dimension{{"a", "2"}, {Name: "b"}}}, []Metric{metric("m", "a", "2", "b", "1")}},
		{Filter{Namespace: "test", Since: noon.Add(-time.Minute)}, []Metric{metric("m", "a", "3"), metric("n")}},
	} {
		equal(t, s.Metrics(testScope, c.f), c.want)
	}
}

// As data get older, their periods get longer, and then they are removed. Source:
// CloudWatch user guide, "Metrics retention".
func TestAges(t *testing.T) {
	files, c := vfs.NewMem(), &clock{noon}
	s, err := openOn(files, "metrics", discard, c.now)
	must(t, err)
	m := metric("m")
	for i := range 7200 {
		d := datum(m, noon.Add(time.Duration(i-3600)*time.Second), 1)
		d.HighResolution = true
		must(t, s.Put(t.Context(), []Datum{d}))
	}
	must(t, s.Put(t.Context(), []Datum{datum(metric("n"), noon, 1)}))
	count := func(period time.Duration) (all []int) {
		for _, from := range []time.Time{noon.Add(-time.Hour), noon} {
			found, err := s.Statistics(t.Context(), Query{Metric: m, Start: from, End: from.Add(time.Hour), Period: period})
			must(t, err)
			n, total := 0, 0.0
			for _, series := range found {
				n = len(series.Points)
				for _, p := range series.Points {
					total += p.Sum
				}
			}
			if n > 0 && total != 3600 {
				t.Errorf("%v: the sum is %g", c.Time, total)
			}
			all = append(all, n)
		}
		return all
	}
	for _, step := range []struct {
		after time.Duration
		want  []int // points of both hours
	}{
		{2 * time.Hour, []int{3600, 3600}},
		{3*time.Hour - time.Second, []int{3600, 3600}},
		{3 * time.Hour, []int{60, 3600}},
		{4 * time.Hour, []int{60, 60}},
		{15 * day, []int{12, 60}},
		{15*day + time.Hour, []int{12, 12}},
		{63*day + time.Hour, []int{1, 1}},
		{455 * day, []int{0, 1}},
		{456 * day, []int{0, 0}},
	} {
		c.Time = noon.Add(step.after)
		must(t, s.age(t.Context()))
		equal(t, count(time.Second), step.want)
		must(t, s.Close())
		s, err = openOn(files, "metrics", discard, c.now)
		must(t, err)
	}
	if left := s.Metrics(testScope, Filter{}); left != nil {
		t.Errorf("left: %v", left)
	}
	equal(t, keys(t, s, tablePoints)+keys(t, s, tableSeries), 0)
	must(t, s.Close())
}

func keys(t *testing.T, s *Store, table byte) (n int) {
	t.Helper()
	it, err := s.db.NewIter(nil)
	must(t, err)
	for ok := it.SeekGE([]byte{table}); ok && it.Key()[0] == table; ok = it.Next() {
		n++
	}
	must(t, it.Close())
	return n
}

// Data that arrive old are kept as what is as old is.
func TestOldData(t *testing.T) {
	s, c := newStore(t)
	m := metric("m")
	c.Time = noon.Add(16 * day)
	d := datum(m, noon.Add(7*time.Minute+3*time.Second), 1)
	d.HighResolution = true
	must(t, s.Put(t.Context(), []Datum{d}))
	equal(t, sums(t, s, Query{Metric: m, Start: noon, End: noon.Add(time.Hour), Period: time.Second}), []string{"None 5m0s 1/1"})
	must(t, s.Put(t.Context(), []Datum{datum(metric("n"), noon.Add(-500*day), 1)}))
	if left := s.Metrics(testScope, Filter{Name: "n"}); left != nil {
		t.Errorf("listed: %v", left)
	}
}

// Percentiles are exact of few values, and within one hundredth of many.
func TestAccuracy(t *testing.T) {
	for _, n := range []int{10, maxExact, 1000} {
		var set StatisticSet
		var values []float64
		for i := range n {
			v := math.Exp(float64(i%23)-5) * float64(i)
			values = append(values, v)
			set = set.Merge(Value(v))
		}
		slices.Sort(values)
		for _, p := range []string{"p0", "p1", "p25", "p50", "p90", "p99.9", "p100"} {
			statistic, err := ParseStatistic(p)
			must(t, err)
			var at float64
			fmt.Sscanf(p, "p%g", &at)
			want := values[max(0, int(math.Ceil(at/100*float64(n)-1e-9))-1)]
			got, ok := statistic.Of(set)
			if !ok || math.Abs(got-want) > accuracy*math.Abs(want) || n <= maxExact && got != want {
				t.Errorf("%s of %d: %g, want %g", p, n, got, want)
			}
		}
	}
}

// Statistics of CloudWatch. Source of the definitions: CloudWatch user guide, "CloudWatch
// statistics definitions".
func TestStatistics(t *testing.T) {
	var ten, none StatisticSet
	for i := range 10 {
		ten = ten.Merge(Value(float64(i + 1)))
	}
	opaque := ten.Merge(Statistics(2, 30, 10, 20))
	same := Statistics(3, 15, 5, 5)
	for _, c := range []struct {
		name string
		set  StatisticSet
		want float64 // NaN: there is none
	}{
		{"SampleCount", ten, 10},
		{"Sum", ten, 55},
		{"Average", ten, 5.5},
		{"Minimum", ten, 1},
		{"Maximum", ten, 10},
		{"p90", ten, 9},
		{"p95.5", ten, 10},
		{"p0", ten, 1},
		{"p100", ten, 10},
		{"P50", ten, 5},
		{"tm90", ten, 5},
		{"TM(10%:90%)", ten, 5.5},
		{"TM(:90%)", ten, 5},
		{"TM(90%:)", ten, 10},
		{"TM(2:4)", ten, 3.5}, // above 2, up to 4
		{"TM(20:)", ten, math.NaN()},
		{"IQM", ten, 5.5},
		{"tc90", ten, 9},
		{"TC(2:4)", ten, 2},
		{"TC(20:)", ten, 0},
		{"ts90", ten, 45},
		{"TS(80%:)", ten, 19},
		{"wm90", ten, 5.4},        // 10 counts as 9
		{"WM(20%:80%)", ten, 5.3}, // 1 as 2, 9 and 10 as 8
		{"WM(3:5)", ten, 4.3},     // (3*3+4+5*6)/10
		{"PR(:4)", ten, 40},
		{"PR(4:)", ten, 60},
		{"PR(2:4)", ten, 20},
		{"Average", opaque, 85.0 / 12},
		{"p90", opaque, math.NaN()},
		{"PR(:4)", opaque, math.NaN()},
		{"p90", same, 5},
		{"p90", ten.Merge(Value(-1)), math.NaN()}, // as it has a negative value
		{"tm100", ten.Merge(Value(-1)), 54.0 / 11},
		{"TC(:4)", same, 0},
		{"Average", none, math.NaN()},
		{"p50", none, math.NaN()},
	} {
		statistic, err := ParseStatistic(c.name)
		must(t, err)
		got, ok := statistic.Of(c.set)
		if ok == math.IsNaN(c.want) || ok && math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %g %v, want %g", c.name, got, ok, c.want)
		}
	}
	for _, bad := range []string{"", "average", "p", "p101", "p-1", "px", "tm()", "TM(:)", "PR(10%:20%)", "p(10:20)", "TM(90%:10%)", "TM(4:2)", "p99_E", "q50", "TM(10:90%)"} {
		if statistic, err := ParseStatistic(bad); err == nil {
			t.Errorf("%q is %v", bad, statistic)
		}
	}
}

// Without room nothing is taken, what is there can be read, and with room again all goes
// on.
func TestFull(t *testing.T) {
	fs, c := &crowded{FS: vfs.NewMem(), free: 2 * reserve}, &clock{noon}
	s, err := openOn(fs, "metrics", discard, c.now)
	must(t, err)
	defer s.Close()
	m := metric("m")
	must(t, s.Put(t.Context(), []Datum{datum(m, noon, 1)}))
	fs.free = reserve - 1
	for name, write := range map[string]func() error{
		"Put":      func() error { return s.Put(t.Context(), []Datum{datum(m, noon, 1)}) },
		"PutFrom":  func() error { _, err := s.PutFrom(t.Context(), "a", 1, []Datum{datum(m, noon, 1)}); return err },
		"age":      func() error { return s.age(t.Context()) },
		"Writable": s.Writable,
	} {
		if err := write(); !errors.Is(err, fargo.ErrNotWritable) {
			t.Errorf("%s without room: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	running := make(chan error)
	go func() { running <- s.Run(ctx) }()
	q := Query{Metric: m, Start: noon, End: noon.Add(time.Minute), Period: time.Minute}
	equal(t, sums(t, s, q), []string{"None 0s 1/1"})
	cancel()
	if err := <-running; err != nil {
		t.Errorf("Run without room: %v", err)
	}
	fs.free = 2 * reserve
	must(t, s.Put(t.Context(), []Datum{datum(m, noon, 1)}))
	equal(t, sums(t, s, q), []string{"None 0s 2/2"})
}

// crowded is a file system with as much room as a test says.
type crowded struct {
	vfs.FS
	free uint64
}

func (c *crowded) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: c.free}, nil
}
