package sim

import (
	"testing"
	"testing/synctest"
)

// A cluster of any size comes to rest.
func TestCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if _, err := Measure(t.Context(), Scale{Services: 20, Tasks: 5, Nodes: 3}); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkReconcile(b *testing.B) {
	for _, s := range []struct {
		name string
		Scale
	}{
		{"1000x10on1", Scale{Services: 1000, Tasks: 10, Nodes: 1}},
		{"1000x10on100", Scale{Services: 1000, Tasks: 10, Nodes: 100}},
		{"200x10on10", Scale{Services: 200, Tasks: 10, Nodes: 10}},
	} {
		b.Run(s.name, func(b *testing.B) {
			var total Cost
			for b.Loop() {
				inBubble(b, func(t *testing.T) {
					c, err := Measure(t.Context(), s.Scale)
					if err != nil {
						t.Fatal(err)
					}
					total.Reconcile += c.Reconcile
					total.Idle += c.Idle
				})
			}
			n := float64(b.N)
			b.ReportMetric(0, "ns/op") // the clock of a bubble says nothing
			b.ReportMetric(total.Reconcile.Seconds()/n, "cpu-s/op")
			b.ReportMetric(float64(s.Services*s.Tasks)*n/total.Reconcile.Seconds(), "tasks/cpu-s")
			b.ReportMetric(100*total.Idle/n, "idle-%core")
		})
	}
}

// inBubble runs f with fake time. Package synctest wants a test, and a benchmark
// is none.
func inBubble(b *testing.B, f func(t *testing.T)) {
	all := func(string, string) (bool, error) { return true, nil }
	test := func(t *testing.T) { synctest.Test(t, f) }
	if !testing.RunTests(all, []testing.InternalTest{{Name: b.Name(), F: test}}) {
		b.FailNow()
	}
}
