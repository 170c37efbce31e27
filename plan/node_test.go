package plan

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fargo"
)

// A service's tasks are spread as evenly as they can be, and tasks of no service
// come to every machine.
func TestPlaceNode(t *testing.T) {
	if node, ok := PlaceNode(&fargo.Task{ID: "t"}, slices.Values([]string(nil)), nil); ok {
		t.Errorf("without machines a task is placed on %q", node)
	}
	rapid.Check(t, func(t *rapid.T) {
		var nodes []string
		for i := range rapid.IntRange(1, 9).Draw(t, "nodes") {
			nodes = append(nodes, fmt.Sprint("node-", i))
		}
		service, alone := map[string]int{}, map[string]int{}
		n := rapid.IntRange(1, 30).Draw(t, "tasks")
		for i := range n {
			task := &fargo.Task{ID: fmt.Sprintf("%032x", i)}
			node, _ := PlaceNode(task, slices.Values(nodes), service)
			service[node]++
		}
		for i := range 100 * len(nodes) {
			node, _ := PlaceNode(&fargo.Task{ID: fmt.Sprintf("%032x", i)}, slices.Values(nodes), nil)
			alone[node]++
		}
		for _, node := range nodes {
			if got := service[node]; got < n/len(nodes) || got > n/len(nodes)+1 {
				t.Fatalf("of %d tasks of a service on %d machines, one has %d", n, len(nodes), got)
			}
			if alone[node] == 0 {
				t.Fatalf("%d tasks without a service leave %s empty", 100*len(nodes), node)
			}
		}
	})
}
