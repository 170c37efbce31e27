package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/aws/cloudwatch"
	"fargo/metrics"
	"fargo/plan"
)

// TestAlarmDatapoints: an alarm sees the statistic of each period that has samples, of all
// units or of one, and what an expression makes of it.
func TestAlarmDatapoints(t *testing.T) {
	end := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	at := plan.AlarmRange{End: end, Period: 3 * time.Second, Count: 5}
	store, err := metrics.Open(t.TempDir(), slog.New(slog.DiscardHandler), func() time.Time { return end })
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	metric := metrics.Metric{Scope: scope, Namespace: "App", Name: "Backlog", Dimensions: []metrics.Dimension{{Name: "Queue", Value: "q"}}}
	put := func(before time.Duration, unit string, v float64) {
		d := metrics.Datum{Metric: metric, Unit: unit, Time: end.Add(-before), HighResolution: true, StatisticSet: metrics.Value(v)}
		if err := store.Put(t.Context(), []metrics.Datum{d}); err != nil {
			t.Fatal(err)
		}
	}
	put(16*time.Second, "Count", 100) // before the range
	put(14*time.Second, "Count", 1)
	put(13*time.Second, "Bytes", 3)
	put(2*time.Second, "Count", 5)
	put(0, "Count", 100) // after it

	a := &cloudwatch.MetricAlarm{
		Namespace: new("App"), MetricName: new("Backlog"), Statistic: cloudwatch.StatisticAverage,
		Dimensions: []cloudwatch.Dimension{{Name: new("Queue"), Value: new("q")}},
	}
	inCount := *a
	inCount.Unit = cloudwatch.StandardUnitCount
	p99 := *a
	p99.Statistic, p99.ExtendedStatistic = "", new("p99")
	math := &cloudwatch.MetricAlarm{Metrics: []cloudwatch.MetricDataQuery{
		{Id: new("m"), ReturnData: new(false), MetricStat: &cloudwatch.MetricStat{
			Metric: &cloudwatch.Metric{Namespace: a.Namespace, MetricName: a.MetricName, Dimensions: a.Dimensions}, Period: new(int32(60)), Stat: new("Sum"),
			Unit: cloudwatch.StandardUnitCount,
		}},
		{Id: new("e"), Expression: new("m*10")},
	}}
	first, last := end.Add(-15*time.Second), end.Add(-3*time.Second)
	for _, c := range []struct {
		name  string
		alarm *cloudwatch.MetricAlarm
		want  []plan.AlarmDatapoint
	}{
		{"all units", a, []plan.AlarmDatapoint{{Start: first, Value: 2, Samples: 2}, {Start: last, Value: 5, Samples: 1}}},
		{"one unit", &inCount, []plan.AlarmDatapoint{{Start: first, Value: 1, Samples: 1}, {Start: last, Value: 5, Samples: 1}}},
		{"a percentile", &p99, []plan.AlarmDatapoint{{Start: first, Value: 3, Samples: 2}, {Start: last, Value: 5, Samples: 1}}},
		{"an expression", math, []plan.AlarmDatapoint{{Start: first, Value: 10, Samples: 1}, {Start: last, Value: 50, Samples: 1}}},
	} {
		got, err := alarmMetrics{store}.datapoints(t.Context(), scope, c.alarm, at)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
}
