package sim

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"sync"
	"time"

	"fargo"
	"fargo/control"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// invariants is what must hold whatever happens. It looks at every state that the
// control plane has made durable, and compares it with the one before.
type invariants struct {
	trace *trace
	// containers gives the ids of all containers on the machine of a node.
	containers func(node string) []string
	target     *eventTarget
	mu         struct {
		sync.Mutex
		view    *store.Snapshot
		errs    []error
		expired map[string]bool // tasks that were rightly deleted, by ARN
	}
}

func newInvariants(t *trace, containers func(node string) []string, target *eventTarget) *invariants {
	v := &invariants{trace: t, containers: containers, target: target}
	v.mu.expired = map[string]bool{}
	return v
}

// isExpired reports whether a task had stopped, and was deleted in its time.
func (v *invariants) isExpired(arn string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.expired[arn]
}

// restart goes on from the state that a new control plane has loaded, which is the
// last one seen or that of a commit that was not acknowledged.
func (v *invariants) restart(view *store.Snapshot) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mu.view != nil {
		for t := range store.Tasks.All(v.mu.view) {
			v.task(t, get(view, t.Key()), time.Now())
		}
	}
	v.mu.view = view
}

// observe compares a state with the one before, from which it differs in changes.
func (v *invariants) observe(view *store.Snapshot, changes []store.Change, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.mu.view
	v.mu.view = view
	services := map[string]bool{}
	for _, c := range changes {
		switch c.Table {
		case store.Tasks.Name():
			old, next := get(before, c.Key), get(view, c.Key)
			v.task(old, next, now)
			if next != nil && next.Node != "" && (old == nil || old.Node == "") {
				v.placed(before, view, next)
			}
			if next != nil && next.Service != "" {
				services[next.ServiceKey()] = true
			}
		case store.Nodes.Name():
			v.node(before, view, c.Key)
		case store.EC2NetworkInterfaces.Name():
			v.address(view, c.Key)
		case store.Services.Name():
			v.events(before, view, c.Key)
		}
	}
	for key := range services {
		if s, ok := store.Services.Get(view, key); ok && s.Status() == "ACTIVE" {
			intents := []*record.Service{s}
			if old, ok := store.Services.Get(before, key); ok {
				intents = append(intents, old)
			}
			v.bounds(intents, view, countTasks(before, key, now), countTasks(view, key, now))
		}
	}
}

func get(view *store.Snapshot, key string) *record.Task {
	t, _ := store.Tasks.Get(view, key)
	return t
}

func (v *invariants) violated(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	v.trace.note("VIOLATED: %v", err)
	v.mu.errs = append(v.mu.errs, err)
}

// violations is every invariant that was violated so far.
func (v *invariants) violations() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return errors.Join(v.mu.errs...)
}

// task checks that a task only ever moves forward.
func (v *invariants) task(old, next *record.Task, now time.Time) {
	if next != nil {
		v.target.see(next)
	}
	switch {
	case old == nil && next != nil:
		v.trace.note("task %.8s of %s made", next.ID, next.Service)
		return
	case old == nil:
		return
	case next == nil:
		if !old.Stopped() || now.Before(plan.StoppedAt(old).Add(plan.StoppedRetention)) {
			v.violated("task %.8s is deleted while it is %s", old.ID, old.LastStatus())
		}
		v.mu.expired[old.ARN()] = true
		return
	}
	if a, b := old.LastStatus(), next.LastStatus(); a != b {
		v.trace.note("task %.8s of %s on %s: %s %s", next.ID, next.Service, next.Node, b, ended(next))
		if b.Before(a) {
			v.violated("task %.8s goes back from %s to %s", next.ID, a, b)
		}
	}
	if old.Desired != next.Desired {
		v.trace.note("task %.8s of %s is to stop: %s %s", next.ID, next.Service, next.StopCode, next.StoppedReason)
	}
	switch {
	case old.Desired == fargo.TaskStopped && next.Desired != fargo.TaskStopped:
		v.violated("task %.8s was to stop and is to run again", next.ID)
	case old.Node != "" && old.Node != next.Node:
		v.violated("task %.8s moves from %s to %s", next.ID, old.Node, next.Node)
	case old.Interface != nil && old.Interface.Address != next.Interface.Address:
		v.violated("task %.8s gets another address", next.ID)
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

// address checks that no two interfaces have the same, and that no other has its public
// one.
func (v *invariants) address(view *store.Snapshot, key string) {
	i, ok := store.EC2NetworkInterfaces.Get(view, key)
	if !ok {
		return
	}
	n := 0
	for range store.EC2NetworkInterfaces.By(view, store.InterfaceByAddress, store.InterfaceAddress(*i.Interface.VpcId, i.Address())) {
		n++
	}
	if n != 1 {
		v.violated("%d interfaces have the address %s", n, i.Address())
	}
	if !i.Public().IsValid() {
		return
	}
	for o := range store.EC2NetworkInterfaces.By(view, store.InterfaceByPublic, i.Public().String()) {
		if o.Key() != i.Key() {
			v.violated("the interfaces %s and %s have the address %s", i.Key(), o.Key(), i.Public())
		}
	}
}

// events traces a service's new events.
func (v *invariants) events(before, view *store.Snapshot, key string) {
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
		v.trace.note("event: %s", *e.Message)
	}
}

// taskCounts is how many tasks a service has.
type taskCounts struct {
	wanted  int
	healthy map[string]bool // by key: wanted and healthy
}

func countTasks(view *store.Snapshot, service string, now time.Time) taskCounts {
	s := taskCounts{healthy: map[string]bool{}}
	groups := control.GroupUses(view)
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
		if plan.EvaluateHealth(t, targets, groups, 0, 1, now).Health == plan.Healthy {
			s.healthy[t.Key()] = true
		}
	}
	return s
}

// bounds checks that no task is made above maximumPercent, and that no healthy task
// is stopped for another when that leaves fewer than minimumHealthyPercent. A task
// that became unhealthy by itself counts as healthy: it was not stopped by a
// decision. intents are the service after and before: one commit may have a user's
// update and what was decided without knowing of it.
func (v *invariants) bounds(intents []*record.Service, view *store.Snapshot, before, after taskCounts) {
	s, lower, upper := intents[0], math.MaxInt, 0
	for _, intent := range intents {
		l, u := plan.Bounds(intent, intent.DesiredCount())
		lower, upper = min(lower, l, intent.DesiredCount()), max(upper, u)
	}
	if after.wanted > upper && after.wanted > before.wanted {
		v.violated("service %s has %d tasks, more than %d", s.Name(), after.wanted, upper)
	}
	left, stopped := maps.Clone(after.healthy), 0
	for key := range before.healthy {
		t := get(view, key)
		if t.Desired == fargo.TaskStopped && t.StopCode == fargo.StopServiceSchedulerInitiated && strings.HasPrefix(t.StoppedReason, "Scaling activity") {
			stopped++
		} else {
			left[key] = true
		}
	}
	if stopped > 0 && len(left) < lower {
		v.violated("service %s stops %d healthy tasks, which leaves %d of at least %d", s.Name(), stopped, len(left), lower)
	}
}
