package metrics

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// Key says of what something was counted.
type Key struct {
	Balancer string // ARN
	Group    string // ARN; empty for what is of no group
	Zone     string // that of the load balancer's interface
}

// compare orders keys.
func (k Key) compare(other Key) int {
	return cmp.Or(cmp.Compare(k.Balancer, other.Balancer), cmp.Compare(k.Group, other.Group), cmp.Compare(k.Zone, other.Zone))
}

// Registry has the counters of one process. Its zero value is ready.
type Registry struct {
	mu      sync.Mutex
	entries map[Key]*entry
}

// entry is the counters with one key: one of the two.
type entry struct {
	balancer *Balancer
	group    *Group
	goneAt   time.Time // when it was no longer configured; zero while it is
}

// keepGone is how long counters are kept of what is no longer configured, so that whoever
// asks once a minute learns of the last of it.
const keepGone = 5 * time.Minute

// Set says what is configured now: there are counters for it from here on. Those of other
// things are kept for a while.
func (r *Registry) Set(configured []Key, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = map[Key]*entry{}
	}
	kept := make(map[Key]bool, len(configured))
	for _, k := range configured {
		kept[k] = true
		e := r.entries[k]
		if e == nil {
			e = newEntry(k)
			r.entries[k] = e
		}
		e.goneAt = time.Time{}
	}
	for k, e := range r.entries {
		switch {
		case kept[k]:
		case e.goneAt.IsZero():
			e.goneAt = now
		case now.Sub(e.goneAt) > keepGone:
			delete(r.entries, k)
		}
	}
}

func newEntry(k Key) *entry {
	if k.Group == "" {
		return &entry{balancer: &Balancer{}}
	}
	return &entry{group: &Group{}}
}

// Balancer gives a load balancer's counters in a zone. Those of one that was not configured
// are not part of what is counted.
func (r *Registry) Balancer(balancer, zone string) *Balancer {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[Key{Balancer: balancer, Zone: zone}]; e != nil {
		return e.balancer
	}
	return &Balancer{}
}

// Group gives a target group's counters in a zone; nil when it was not configured.
func (r *Registry) Group(balancer, group, zone string) *Group {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[Key{balancer, group, zone}]; e != nil {
		return e.group
	}
	return nil
}

// Counted gives all counters as they are now, in the order of their keys. Each is exact;
// together they are of almost the same moment. What is configured has a State, to be filled
// in for groups.
func (r *Registry) Counted() []Counted {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Counted
	for _, k := range slices.SortedFunc(maps.Keys(r.entries), Key.compare) {
		e := r.entries[k]
		c := Counted{Key: k}
		if e.goneAt.IsZero() {
			c.State = &State{}
		}
		if e.balancer != nil {
			c.Counts = e.balancer.counted()
			if c.State != nil {
				c.State.Sums = e.balancer.open()
			}
		} else {
			c.Counts = nonZero(e.group.counts[:], groupCounts[:])
			c.Times = e.group.times.counted()
		}
		all = append(all, c)
	}
	return all
}
