package metrics

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkPut adds a point to each of 100,000 series, 1,000 at a time, again and again:
// the time of one round is what a minute costs.
func BenchmarkPut(b *testing.B) {
	s, err := Open(b.TempDir(), discard, time.Now)
	must(b, err)
	defer s.Close()
	var batches [100][]Datum
	for i := range 100_000 {
		m := metric("CPUUtilization", "ClusterName", "production", "ServiceName", fmt.Sprint("service-", i))
		m.Namespace = "AWS/ECS"
		batches[i%100] = append(batches[i%100], Datum{Metric: m, Unit: "Percent", StatisticSet: Value(float64(i) / 7)})
	}
	now, before := time.Now(), processorTime(b)
	for minute := 0; b.Loop(); minute++ {
		for _, batch := range batches {
			for i := range batch {
				batch[i].Time = now.Add(time.Duration(minute%60) * time.Minute)
			}
			must(b, s.Put(b.Context(), batch))
		}
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// processorTime is what this process has used, in threads that write to the disk too.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	must(b, unix.Getrusage(unix.RUSAGE_SELF, &used))
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkOpen opens a store of 100,000 series.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s, err := Open(dir, discard, time.Now)
	must(b, err)
	var data []Datum
	for i := range 100_000 {
		data = append(data, datum(metric("m", "d", fmt.Sprint(i)), time.Now(), 1))
	}
	must(b, s.Put(b.Context(), data))
	must(b, s.Close())
	for b.Loop() {
		s, err := Open(dir, discard, time.Now)
		must(b, err)
		must(b, s.Close())
	}
}

// BenchmarkStatistics reads a day of 100 series, minute by minute.
func BenchmarkStatistics(b *testing.B) {
	s, err := Open(b.TempDir(), discard, time.Now)
	must(b, err)
	defer s.Close()
	start := time.Now().Add(-25 * time.Hour).Truncate(time.Hour)
	for minute := range 24 * 60 {
		var data []Datum
		for i := range 100 {
			data = append(data, datum(metric("m", "d", fmt.Sprint(i)), start.Add(time.Duration(minute)*time.Minute), float64(minute*i)))
		}
		must(b, s.Put(b.Context(), data))
	}
	for b.Loop() {
		for i := range 100 {
			found, err := s.Statistics(b.Context(), Query{Metric: metric("m", "d", fmt.Sprint(i)), Start: start, End: start.Add(day), Period: time.Minute})
			must(b, err)
			if len(found[0].Points) != 24*60 {
				b.Fatal(len(found[0].Points))
			}
		}
	}
}

// BenchmarkMetrics lists 100,000 metrics.
func BenchmarkMetrics(b *testing.B) {
	s, err := Open(b.TempDir(), discard, time.Now)
	must(b, err)
	defer s.Close()
	var data []Datum
	for i := range 100_000 {
		data = append(data, datum(metric("m", "d", fmt.Sprint(i)), time.Now(), 1))
	}
	must(b, s.Put(b.Context(), data))
	for b.Loop() {
		if n := len(s.Metrics(testScope, Filter{Since: time.Now().Add(-time.Hour)})); n != 100_000 {
			b.Fatal(n)
		}
	}
}
