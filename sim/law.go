package sim

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"fargo"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// law is what must hold whatever happens. It looks at every state that the
// control plane has made durable, and remembers the one before.
type law struct {
	trace *trace
	mu    struct {
		sync.Mutex
		view *store.Snapshot
		errs []error
		over map[string]bool // tasks that were rightly forgotten, by ARN
	}
}

func newLaw(t *trace) *law {
	l := &law{trace: t}
	l.mu.over = map[string]bool{}
	return l
}

// over reports whether a task had stopped, and was forgotten in its time.
func (l *law) over(arn string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.over[arn]
}

// begin goes on from the state that a new control plane has found, which is the
// last one or one whose commit nobody has heard of.
func (l *law) begin(view *store.Snapshot) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.view != nil {
		for t := range store.Tasks.All(l.mu.view) {
			l.task(t, get(view, t.Key()), time.Now())
		}
	}
	l.mu.view = view
}

// look compares a state with the one before, from which it differs in changes.
func (l *law) look(view *store.Snapshot, changes []store.Change, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.mu.view
	l.mu.view = view
	services := map[string]bool{}
	for _, c := range changes {
		switch c.Table {
		case store.Tasks.Name():
			old, next := get(before, c.Key), get(view, c.Key)
			l.task(old, next, now)
			if next != nil && next.Service != "" {
				services[next.ServiceKey()] = true
			}
		case store.EC2NetworkInterfaces.Name():
			l.address(view, c.Key)
		case store.Services.Name():
			l.events(before, view, c.Key)
		}
	}
	for key := range services {
		if s, ok := store.Services.Get(view, key); ok && s.Status() == "ACTIVE" {
			l.bounds(s, view, standing(before, key, now), standing(view, key, now))
		}
	}
}

func get(view *store.Snapshot, key string) *record.Task {
	t, _ := store.Tasks.Get(view, key)
	return t
}

func (l *law) violated(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	l.trace.note("BROKEN: %v", err)
	l.mu.errs = append(l.mu.errs, err)
}

// broken is every law that was broken so far.
func (l *law) broken() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.mu.errs...)
}

// task holds that a task only ever moves forward.
func (l *law) task(old, next *record.Task, now time.Time) {
	switch {
	case old == nil && next != nil:
		l.trace.note("task %.8s of %s made", next.ID, next.Service)
		return
	case old == nil:
		return
	case next == nil:
		if !old.Stopped() || now.Before(plan.StoppedAt(old).Add(plan.StoppedRetention)) {
			l.violated("task %.8s is forgotten while it is %s", old.ID, old.LastStatus())
		}
		l.mu.over[old.ARN()] = true
		return
	}
	if a, b := old.LastStatus(), next.LastStatus(); a != b {
		l.trace.note("task %.8s of %s on %s: %s %s", next.ID, next.Service, next.Node, b, ended(next))
		if b.Before(a) {
			l.violated("task %.8s goes back from %s to %s", next.ID, a, b)
		}
	}
	if old.Desired != next.Desired {
		l.trace.note("task %.8s of %s is to stop: %s %s", next.ID, next.Service, next.StopCode, next.StoppedReason)
	}
	switch {
	case old.Desired == fargo.TaskStopped && next.Desired != fargo.TaskStopped:
		l.violated("task %.8s was to stop and is to run again", next.ID)
	case old.Node != "" && old.Node != next.Node:
		l.violated("task %.8s moves from %s to %s", next.ID, old.Node, next.Node)
	case old.Interface != nil && old.Interface.Address != next.Interface.Address:
		l.violated("task %.8s gets another address", next.ID)
	}
}

// ended is why a task has stopped.
func ended(t *record.Task) string {
	if !t.Stopped() {
		return ""
	}
	why := t.StoppedReason
	if t.Report != nil {
		for _, c := range t.Report.Containers {
			if c.ExitCode != nil {
				why += fmt.Sprintf(" (%s: %d)", c.Name, *c.ExitCode)
			}
		}
	}
	return why
}

// address holds that no two interfaces have the same.
func (l *law) address(view *store.Snapshot, key string) {
	i, ok := store.EC2NetworkInterfaces.Get(view, key)
	if !ok {
		return
	}
	n := 0
	for range store.EC2NetworkInterfaces.By(view, store.InterfaceByAddress, store.InterfaceAddress(*i.Interface.VpcId, i.Address())) {
		n++
	}
	if n != 1 {
		l.violated("%d interfaces have the address %s", n, i.Address())
	}
}

// events traces what a service says anew.
func (l *law) events(before, view *store.Snapshot, key string) {
	s, ok := store.Services.Get(view, key)
	if !ok {
		return
	}
	last := ""
	if old, ok := store.Services.Get(before, key); ok && len(old.Events) > 0 {
		last = *old.Events[0].Id
	}
	for _, e := range s.Events {
		if *e.Id == last {
			break
		}
		l.trace.note("event: %s", *e.Message)
	}
}

// stand is how a service's tasks stand.
type stand struct {
	wanted int
	good   map[string]bool // by key: wanted and healthy
}

func standing(view *store.Snapshot, service string, now time.Time) stand {
	s := stand{good: map[string]bool{}}
	for t := range store.Tasks.By(view, store.TaskByService, service) {
		if t.Desired != fargo.TaskRunning || t.Stopped() {
			continue
		}
		s.wanted++
		var targets []*record.ELBTarget
		for _, ref := range t.Targets {
			if target, ok := store.ELBTargets.Get(view, ref.Key()); ok {
				targets = append(targets, target)
			}
		}
		if v, _, _ := plan.Judge(t, targets, 0, 1, now); v == plan.Good {
			s.good[t.Key()] = true
		}
	}
	return s
}

// bounds holds that no task is made above maximumPercent, and that no healthy
// one is stopped for another when that leaves fewer than minimumHealthyPercent.
// One that is no longer healthy by itself counts as if it were: that it is not
// is nobody's decision.
func (l *law) bounds(s *record.Service, view *store.Snapshot, before, after stand) {
	lower, upper := plan.Bounds(s, s.DesiredCount())
	if after.wanted > upper && after.wanted > before.wanted {
		l.violated("service %s has %d tasks, more than %d", s.Name(), after.wanted, upper)
	}
	left, stopped := maps.Clone(after.good), 0
	for key := range before.good {
		t := get(view, key)
		if t.Desired == fargo.TaskStopped && t.StopCode == fargo.StopServiceSchedulerInitiated && strings.HasPrefix(t.StoppedReason, "Scaling activity") {
			stopped++
		} else {
			left[key] = true
		}
	}
	if stopped > 0 && len(left) < min(lower, s.DesiredCount()) {
		l.violated("service %s stops %d healthy tasks, which leaves %d of at least %d", s.Name(), stopped, len(left), lower)
	}
}
