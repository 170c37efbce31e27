package measurement

import (
	"time"

	"fargo/desired"
	"fargo/host"
)

// look is a measurement in the making.
type look struct {
	before *counts
	now    counts
	tasks  []desired.TaskMeasurement
	done   []desired.BalancerMeasurement
}

// newLook begins a measurement that ends at a time, after counts of before, of which those
// of load balancers are kept.
func newLook(before *counts, end time.Time) *look {
	return &look{before: before, now: counts{
		At: end, Containers: map[string]containerCount{}, Interfaces: map[string]interfaceCount{}, Tasks: map[string]time.Time{},
		Balancers: before.Balancers,
	}}
}

// startOf is since when a task's usage is unknown: since it was last measured, or else it
// began. What was counted before a first look of ours is counted then.
func (l *look) startOf(t *host.Task) time.Time {
	if at, ok := l.before.Tasks[t.Assignment.ID]; ok {
		return at
	}
	first := l.now.At
	for _, c := range t.Containers {
		if !c.StartedAt.IsZero() && c.StartedAt.Before(first) {
			first = c.StartedAt
		}
	}
	return first.UTC()
}

// container is what a container has used since it was last looked at.
func (l *look) container(id string, s *host.Statistics) desired.Usage {
	c := countContainer(s)
	l.now.Containers[id] = c
	return c.since(l.before.Containers[id], s)
}

// network is what has gone through an interface since it was last looked at.
func (l *look) network(id string, s *host.InterfaceStatistics) *desired.NetworkUsage {
	c := interfaceCount{Received: s.Received.Bytes, Sent: s.Sent.Bytes}
	l.now.Interfaces[id] = c
	return c.since(l.before.Interfaces[id])
}

// keep keeps the counts of a task that is not measured now.
func (l *look) keep(t *host.Task) {
	a := t.Assignment
	at, ok := l.before.Tasks[a.ID]
	if !ok {
		return
	}
	l.now.Tasks[a.ID] = at
	for i := range a.Containers {
		id := a.Containers[i].RuntimeID
		if c, ok := l.before.Containers[id]; ok {
			l.now.Containers[id] = c
		}
	}
	if a.Interface != nil {
		if c, ok := l.before.Interfaces[a.Interface.ID]; ok {
			l.now.Interfaces[a.Interface.ID] = c
		}
	}
}
