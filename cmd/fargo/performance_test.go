package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/logs"
	"fargo/plan"
)

// TestPutPerformance makes the group of a cluster with the first event, and adds each number
// of a source once.
func TestPutPerformance(t *testing.T) {
	store, err := logs.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	put := func(source string, number uint64, text string) {
		t.Helper()
		events := []plan.PerformanceEvent{{Stream: "ClusterTelemetry-c", At: time.Now(), Text: text}}
		if err := (performanceLogs{store}).PutPerformance(t.Context(), scope, "c", source, number, events); err != nil {
			t.Fatal(err)
		}
	}
	put("a", 1_700_000_000, "one")
	put("a", 1_700_000_000, "one again")
	put("a", 1_700_000_060, "two")
	put("b", 1, "another's")
	group := plan.PerformanceGroup("c")
	if g, err := store.Group(scope, group); err != nil || g.RetentionDays != plan.PerformanceRetention {
		t.Errorf("the group is %+v, %v", g, err)
	}
	found, _, err := store.Search(t.Context(), scope, group, logs.Search{Match: func(string) bool { return true }})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range found {
		got = append(got, e.Message)
	}
	if diff := cmp.Diff([]string{"one", "two", "another's"}, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
