package plan

import (
	"iter"

	"fargo"
)

// PlaceNode chooses a machine for a task: one of those with the fewest tasks of
// its service, by the task's id. ok is false when there is no machine. Tasks may
// ask for more than a machine has: their sizes are ceilings here, not
// reservations.
// Source: ECS developer guide, "How Amazon ECS places tasks", on spreading.
func PlaceNode(t *fargo.Task, nodes iter.Seq[string], load map[string]int) (node string, ok bool) {
	var best []string
	for n := range nodes {
		switch {
		case len(best) == 0 || load[n] < load[best[0]]:
			best = append(best[:0], n)
		case load[n] == load[best[0]]:
			best = append(best, n)
		}
	}
	if len(best) == 0 {
		return "", false
	}
	return best[hash(t.ID)%uint32(len(best))], true
}
