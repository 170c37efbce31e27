package sim

import (
	"fmt"
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

// BenchmarkReconcile brings up clusters from nothing and then leaves them alone
// for an hour. make bench reads what it prints.
func BenchmarkReconcile(b *testing.B) {
	for _, s := range []Scale{
		{Services: 1000, Tasks: 10, Nodes: 100},
		{Services: 2000, Tasks: 10, Nodes: 100},
	} {
		b.Run(fmt.Sprintf("%dx%d", s.Services, s.Tasks), func(b *testing.B) {
			var total Cost
			for b.Loop() {
				inBubble(b, func(t *testing.T) {
					c, err := Measure(t.Context(), s)
					if err != nil {
						t.Fatal(err)
					}
					total.Rise += c.Rise
					total.Reconcile += c.Reconcile
					total.Idle += c.Idle
				})
			}
			n := float64(b.N)
			b.ReportMetric(0, "ns/op") // the clock of a bubble says nothing
			b.ReportMetric(total.Reconcile.Seconds()/n, "cpu-s/op")
			b.ReportMetric(total.Rise.Seconds()/n, "rise-cpu-s/op")
			b.ReportMetric(float64(s.Services*s.Tasks)*n/total.Rise.Seconds(), "tasks/cpu-s")
			b.ReportMetric(100*total.Idle/n, "idle-%")
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
