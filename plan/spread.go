package plan

import (
	"slices"

	"fargo/record"
)

// Spread chooses machines for the tasks of one service, one after the other: each
// time one of those with the fewest. What it costs does not depend on how many
// machines there are. Tasks may ask for more than a machine has: their sizes are
// ceilings here, not reservations.
// Source: ECS developer guide, "How Amazon ECS places tasks", on spreading.
type Spread struct {
	nodes []string
	load  map[string]int // the service's tasks, by machine
	least int            // the fewest that a machine has
	free  int            // machines that have no more than that
}

// NewSpread begins with the service's tasks that there are, by machine: load is
// the Spread's own from now on. nodes are sorted and may be shared.
func NewSpread(nodes []string, load map[string]int) *Spread {
	s := &Spread{nodes: nodes, load: load, free: len(nodes)}
	for n := range load {
		if _, there := slices.BinarySearch(nodes, n); there {
			s.free--
		}
	}
	s.level()
	return s
}

// level finds the fewest tasks that a machine has, when all have more than that.
func (s *Spread) level() {
	if s.free > 0 || len(s.nodes) == 0 {
		return
	}
	s.least = s.load[s.nodes[0]]
	for _, n := range s.nodes {
		s.least = min(s.least, s.load[n])
	}
	for _, n := range s.nodes {
		if s.load[n] == s.least {
			s.free++
		}
	}
}

// Place chooses a machine for a task, beginning to look where its id says. ok is
// false when there is no machine.
func (s *Spread) Place(t *record.Task) (node string, ok bool) {
	if len(s.nodes) == 0 {
		return "", false
	}
	i := int(hash(t.ID) % uint32(len(s.nodes)))
	for s.load[s.nodes[i]] > s.least {
		i = (i + 1) % len(s.nodes)
	}
	node = s.nodes[i]
	s.load[node]++
	s.free--
	s.level()
	return node, true
}
