package metrics

import (
	"maps"
	"slices"

	"fargo/desired"
)

// Counted is what one process has counted with one key since it began.
type Counted struct {
	Key
	// Counts only grow. They are by CloudWatch's names; those that are zero are left out.
	Counts map[string]uint64 `json:",omitempty"`
	// Times are of target groups.
	Times Histogram `json:",omitempty"` // TargetResponseTime
	// State is what is so now; nil for what is not configured any more, or of a process that
	// has ended.
	State *State `json:",omitempty"`
}

// State is what does not add up over time.
type State struct {
	// Sums add up over processes: open connections and flows, by CloudWatch's names.
	Sums map[string]int64 `json:",omitempty"`
	// Targets is what the load balancer's node in the zone sees of a group's targets, by
	// CloudWatch's names. Each process sees the same.
	Targets map[string]int64 `json:",omitempty"`
	// Serving is how many targets of the group, in all zones, requests are spread over.
	Serving int64 `json:",omitempty"`
	// Sticky says that clients of the group stay with a target.
	Sticky bool `json:",omitempty"`
}

// Snapshot is what each of several processes has counted, by what tells them apart.
type Snapshot map[string][]Counted

// Since gives what was counted since an earlier snapshot, in the order of keys. Of a
// process that is not in it, that is everything; so it is for a counter that is lower than
// it was. What is configured is there also when nothing was counted.
func (s Snapshot) Since(earlier Snapshot) []desired.BalancerMeasurement {
	sums := map[Key]*sum{}
	for process, counted := range s {
		before := map[Key]*Counted{}
		for i := range earlier[process] {
			before[earlier[process][i].Key] = &earlier[process][i]
		}
		for i := range counted {
			c := &counted[i]
			if sums[c.Key] == nil {
				sums[c.Key] = newSum()
			}
			sums[c.Key].add(c, before[c.Key])
		}
	}
	var all []desired.BalancerMeasurement
	for _, k := range slices.SortedFunc(maps.Keys(sums), Key.compare) {
		if m := sums[k].measurement(k); !sums[k].empty() {
			all = append(all, m)
		}
	}
	return all
}

// sum is what several processes have counted with the same key.
type sum struct {
	counts  map[string]uint64
	times   Histogram
	sums    map[string]int64
	targets map[string]int64
	serving int64
	sticky  bool
	state   bool // one of them has a state
}

func newSum() *sum {
	return &sum{counts: map[string]uint64{}, times: Histogram{}, sums: map[string]int64{}, targets: map[string]int64{}}
}

// add adds what a process has counted since before, which is nil when it had counted
// nothing.
func (s *sum) add(c, before *Counted) {
	if before == nil {
		before = &Counted{}
	}
	addSince(s.counts, c.Counts, before.Counts)
	addSince(s.times, c.Times, before.Times)
	if c.State == nil {
		return
	}
	s.state = true
	for name, n := range c.State.Sums {
		s.sums[name] += n
	}
	for name, n := range c.State.Targets {
		s.targets[name] = max(s.targets[name], n)
	}
	s.serving = max(s.serving, c.State.Serving)
	s.sticky = s.sticky || c.State.Sticky
}

func addSince[K comparable](sum, now, before map[K]uint64) {
	for k, n := range now {
		if was := before[k]; was <= n {
			n -= was
		}
		if n != 0 {
			sum[k] += n
		}
	}
}

func (s *sum) empty() bool { return len(s.counts) == 0 && len(s.times) == 0 && !s.state }

// measurement is the sum as nodes hand it up.
func (s *sum) measurement(k Key) desired.BalancerMeasurement {
	m := desired.BalancerMeasurement{Balancer: k.Balancer, Group: k.Group, Zone: k.Zone}
	m.Counts = floats(s.counts)
	m.Gauges = floats(s.sums)
	maps.Copy(m.Gauges, floats(s.targets))
	if n := s.counts[groupCounts[requests]]; n != 0 && s.serving != 0 {
		m.Counts["RequestCountPerTarget"] = float64(n) / float64(s.serving)
	}
	if s.sticky && m.Counts[nonStickyRequests] == 0 {
		m.Counts[nonStickyRequests] = 0 // which says that it could have been more
	}
	for _, bucket := range slices.Sorted(maps.Keys(s.times)) {
		if m.Times == nil {
			m.Times = map[string][]desired.MeasuredTime{}
		}
		m.Times[responseTime] = append(m.Times[responseTime], desired.MeasuredTime{Seconds: middleOf(bucket), Count: float64(s.times[bucket])})
	}
	return m
}

func floats[N int64 | uint64](of map[string]N) map[string]float64 {
	f := make(map[string]float64, len(of))
	for k, n := range of {
		f[k] = float64(n)
	}
	return f
}
