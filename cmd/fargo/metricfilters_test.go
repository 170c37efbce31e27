package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/logs"
	"fargo/metrics"
)

// Events become samples of the metrics that filters name, with the events' times; a
// minute without any that matches has the default value, once it is over.
func TestMetricFilters(t *testing.T) {
	store, err := logs.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Date(2026, 6, 1, 12, 0, 30, 0, time.UTC)
	var got []string
	m := newMetricFilters(func(_ context.Context, data []metrics.Datum) error {
		for _, d := range data {
			got = append(got, fmt.Sprintf("%s %s/%s%v %s %g %s", d.Scope.Region, d.Namespace, d.Name, d.Dimensions, d.Time.UTC().Format("15:04:05"), d.Sum, d.Unit))
		}
		return nil
	}, slog.New(slog.DiscardHandler), func() time.Time { return now })
	store.Watch(m.written)

	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(store.CreateGroup(t.Context(), scope, logs.Group{Name: "g"}))
	must(store.CreateStream(t.Context(), scope, "g", "s"))
	put := func(lines ...string) {
		t.Helper()
		var events []desired.LogEvent
		for i, line := range lines {
			events = append(events, desired.LogEvent{Timestamp: now.UnixMilli() + int64(i)*1000, Message: line})
		}
		must(store.Put(t.Context(), scope, "g", "s", events))
	}
	put("ERROR, before there is a filter")
	must(store.UpdateGroup(t.Context(), scope, "g", func(g *logs.Group) error {
		g.MetricFilters = []logs.MetricFilter{
			{Name: "bytes", Pattern: "{ $.host = * }", Namespace: "app", Metric: "Bytes", Value: "$.bytes", Unit: "Bytes", Dimensions: map[string]string{"Host": "$.host"}},
			{Name: "errors", Pattern: "ERROR", Namespace: "app", Metric: "Errors", Value: "1", Default: new(0.0)},
		}
		return nil
	}))
	put("fine", "ERROR 1", `{"host": "a", "bytes": 12}`, `{"host": "b"}`)
	now = now.Add(time.Minute)
	put("fine")
	m.addDefaults()
	want := []string{
		"us-east-1 app/Bytes[{Host a}] 12:00:32 12 Bytes",
		"us-east-1 app/Errors[] 12:00:31 1 ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	now = now.Add(time.Minute)
	m.addDefaults()
	m.addDefaults()
	if want = append(want, "us-east-1 app/Errors[] 12:01:00 0 "); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
