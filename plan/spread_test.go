package plan

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fargo/record"
)

// A service's tasks are spread as evenly as they can be, those that are there and
// machines that are gone counted in, and tasks of no service come to every
// machine.
func TestSpread(t *testing.T) {
	if node, ok := NewSpread(nil, map[string]int{"gone": 1}).Place(&record.Task{ID: "t"}); ok {
		t.Errorf("without machines a task is placed on %q", node)
	}
	rapid.Check(t, func(t *rapid.T) {
		var nodes []string
		for i := range rapid.IntRange(1, 9).Draw(t, "nodes") {
			nodes = append(nodes, fmt.Sprint("node-", i))
		}
		load := map[string]int{"gone": 3}
		for _, n := range nodes {
			if there := rapid.IntRange(0, 4).Draw(t, n); there > 0 {
				load[n] = there
			}
		}
		s := NewSpread(nodes, load)
		for i := range rapid.IntRange(1, 30).Draw(t, "tasks") {
			fewest := load[slices.MinFunc(nodes, func(a, b string) int { return load[a] - load[b] })]
			node, ok := s.Place(&record.Task{ID: fmt.Sprintf("%032x", i)})
			if !ok || load[node] != fewest+1 {
				t.Fatalf("a task is placed where there were %d, and elsewhere were %d", load[node]-1, fewest)
			}
		}
		alone := map[string]bool{}
		for i := range 100 * len(nodes) {
			node, _ := NewSpread(nodes, map[string]int{}).Place(&record.Task{ID: fmt.Sprintf("%032x", i)})
			alone[node] = true
		}
		if len(alone) < len(nodes) {
			t.Fatalf("%d tasks without a service come to %d of %d machines", 100*len(nodes), len(alone), len(nodes))
		}
	})
}

// 2,000,000 tasks of services of 100 on 6,100 machines.
func BenchmarkSpread(b *testing.B) {
	var nodes []string
	for i := range 6100 {
		nodes = append(nodes, fmt.Sprintf("node-%05d", i))
	}
	for b.Loop() {
		for i := range 20_000 {
			s := NewSpread(nodes, map[string]int{})
			for j := range 100 {
				s.Place(&record.Task{ID: fmt.Sprintf("%032x", i*100+j)})
			}
		}
	}
	b.ReportMetric(float64(b.N)*2_000_000/b.Elapsed().Seconds(), "placements/s")
}
