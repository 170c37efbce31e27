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

// container is what a container of a task has used, and how it was, since it was last looked
// at. Without statistics it is between two lives, and measured in the next one.
func (l *look) container(t *host.Task, i int, s *host.Statistics) (m desired.ContainerMeasurement, measured bool) {
	a, report := &t.Assignment.Containers[i], &desired.ContainerReport{}
	if i < len(t.Report.Containers) {
		report = &t.Report.Containers[i]
	}
	before := l.before.Containers[a.RuntimeID]
	if s == nil {
		if before.Restarts > 0 {
			l.now.Containers[a.RuntimeID] = containerCount{Restarts: before.Restarts}
		}
		return m, false
	}
	now := countContainer(s, report.Restarts)
	l.now.Containers[a.RuntimeID] = now
	m = desired.ContainerMeasurement{Name: a.Name, Usage: now.since(before, s)}
	if a.Restart != nil {
		m.Restarts = new(max(0, now.Restarts-before.Restarts))
	}
	if a.HealthCheck != nil {
		m.Health = report.Health
	}
	return m, true
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
