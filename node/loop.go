package node

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"fargo"
	"fargo/desired"
)

// loop steps one task until it is forgotten.
type loop struct {
	node   *Node
	log    *slog.Logger
	wakeUp chan struct{} // mu or an acknowledgement has changed

	containers []desired.ContainerAssignment // never change

	mu struct {
		sync.Mutex
		desired     desiredStatus   // the newest; never the same twice in a row
		changed     bool            // run has not taken it yet
		inspections map[string]bool // containers to inspect
	}

	// What follows belongs to run's goroutine.
	task    Task
	saved   []byte
	busy    map[slot]*operation
	results chan ended
	retry   time.Time // saving failed: not before
}

// desiredStatus is the part of an assignment that changes. left says that the task
// is no longer assigned.
type desiredStatus struct {
	desired fargo.TaskStatus
	code    fargo.StopCode
	reason  string
	left    bool
}

func desiredStatusOf(a *desired.Assignment) desiredStatus {
	return desiredStatus{desired: a.DesiredStatus, code: a.StopCode, reason: a.StoppedReason}
}

func (s desiredStatus) apply(t *Task) {
	if t.Left = s.left; s.left {
		return
	}
	a := &t.Assignment
	a.DesiredStatus, a.StopCode, a.StoppedReason = s.desired, s.code, s.reason
}

// slot is what at most one action is under way for: a container, a resource of the
// task, and apart from the container, its image, its log, its secrets and its health
// check.
type slot struct{ of, part string }

func slotOf(a Action) slot {
	switch a.Verb {
	case Pull, Check:
		return slot{a.Of, string(a.Verb)}
	case Fetch:
		return slot{a.Of, "secrets"}
	case OpenLog, Ship:
		return slot{a.Of, "log"}
	case Make, Drop:
		return slot{a.Of, "resource"}
	default:
		return slot{a.Of, ""}
	}
}

// operation is an action under way.
type operation struct {
	action  Action
	begun   time.Time
	cancel  context.CancelFunc
	givenUp bool // its result does not count
}

type ended struct {
	slot   slot
	result Result
}

func newLoop(n *Node, t Task) *loop {
	l := &loop{
		node: n, task: t, containers: t.Assignment.Containers,
		log:     n.cfg.Logger.With("task", t.Assignment.ID),
		wakeUp:  make(chan struct{}, 1),
		busy:    map[slot]*operation{},
		results: make(chan ended),
	}
	l.mu.desired = desiredStatusOf(&t.Assignment)
	l.mu.desired.left = t.Left
	l.mu.inspections = map[string]bool{}
	return l
}

// names are those of the task's containers with a runtime id, all when it is
// empty. They are of the assignment's part that never changes.
func (l *loop) names(runtimeID string) (names []string) {
	for _, c := range l.containers {
		if runtimeID == "" || c.RuntimeID == runtimeID {
			names = append(names, c.Name)
		}
	}
	return names
}

// assign sets the part of the task's assignment that changes.
func (l *loop) assign(s desiredStatus) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s != l.mu.desired {
		l.mu.desired, l.mu.changed = s, true
		wake(l.wakeUp)
	}
}

// inspect has containers inspected again, by name.
func (l *loop) inspect(names ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, name := range names {
		l.mu.inspections[name] = true
	}
	wake(l.wakeUp)
}

// run returns when ctx ends or the task is forgotten, and after all that it
// had under way.
func (l *loop) run(ctx context.Context) (forgotten bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer l.settle()
	defer cancel()
	for {
		l.takeDesired()
		again := l.step(ctx)
		if l.done() {
			return true
		}
		if !l.wait(ctx, again) {
			return false
		}
	}
}

// wait returns when something has changed, or it is time. It reports false when ctx
// has ended: the result of an action is not kept then.
func (l *loop) wait(ctx context.Context, again time.Time) bool {
	var alarm <-chan time.Time
	if !again.IsZero() {
		timer := time.NewTimer(time.Until(again))
		defer timer.Stop()
		alarm = timer.C
	}
	select {
	case <-ctx.Done():
	case <-l.wakeUp:
	case <-alarm:
	case e := <-l.results:
		if ctx.Err() != nil {
			l.free(e.slot)
			return false
		}
		l.finish(e)
	}
	return ctx.Err() == nil
}

// settle waits for what is under way. Its results are not kept: the next node finds
// them on the machine.
func (l *loop) settle() {
	for len(l.busy) > 0 {
		l.free((<-l.results).slot)
	}
}

func (l *loop) free(s slot) {
	l.busy[s].cancel()
	delete(l.busy, s)
}

// takeDesired applies what assign has set.
func (l *loop) takeDesired() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.changed {
		l.mu.changed = false
		l.mu.desired.apply(&l.task)
	}
}

// step decides, saves, reports and begins, in this order, and says when to do
// so again by itself.
func (l *loop) step(ctx context.Context) (again time.Time) {
	now := time.Now().UTC().Round(0)
	if now.Before(l.retry) {
		return l.retry
	}
	next, do, again := Step(l.task, now)
	if err := l.save(&next); err != nil {
		l.log.Error("the task waits: its progress cannot be saved", "err", err)
		l.retry = now.Add(retryAfter)
		return l.retry
	}
	if next.Status != l.task.Status {
		l.log.Info("task moved", "status", next.Status, "reason", next.StoppedReason)
	}
	l.task = next
	l.node.secrets.hold(l.task.Assignment.TaskARN, l.task.secrets())
	report := l.task.report()
	l.node.reports.set(report)
	l.node.views.set(&l.task, report)
	l.reconcile(ctx, do)
	return again
}

func (l *loop) save(t *Task) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if bytes.Equal(data, l.saved) {
		return nil
	}
	if err := l.node.disk.saveTask(t.Assignment.ID, data); err != nil {
		return err
	}
	l.saved = data
	return nil
}

// done reports whether the task is over, nobody lists it and its end is known.
func (l *loop) done() bool {
	return l.task.Status == fargo.TaskStopped && l.task.Left && len(l.busy) == 0 &&
		l.node.reports.committed(l.task.Assignment.TaskARN)
}

// reconcile begins what should be under way and is not, gives up what should
// not be and can be, and then inspects what may have changed.
func (l *loop) reconcile(ctx context.Context, do []Action) {
	wanted := make(map[slot]Action, len(do))
	for _, a := range do {
		wanted[slotOf(a)] = a
	}
	for s, op := range l.busy {
		if op.action != wanted[s] && mayGiveUp(op.action.Verb) && !op.givenUp {
			op.givenUp = true
			op.cancel()
		}
	}
	for _, a := range do {
		l.begin(ctx, a)
	}
	for _, name := range l.takeInspections() {
		l.begin(ctx, Action{Inspect, name})
	}
}

// mayGiveUp says which actions can be cut short and leave nothing in doubt.
func mayGiveUp(v Verb) bool {
	switch v {
	case Pull, OpenLog, Fetch, Check, Ship, Make:
		return true
	default:
		return false
	}
}

// takeInspections gives the containers to inspect for which nothing is under way;
// the others are kept until then.
func (l *loop) takeInspections() (names []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.mu.inspections {
		if l.busy[slot{of: name}] != nil {
			continue
		}
		delete(l.mu.inspections, name)
		if c := &l.task.Containers[l.task.index(name)]; c.Asked && !c.Removed {
			names = append(names, name)
		}
	}
	return names
}

func (l *loop) begin(ctx context.Context, a Action) {
	s := slotOf(a)
	if l.busy[s] != nil {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	l.busy[s] = &operation{action: a, cancel: cancel, begun: time.Now()}
	task := l.task.clone()
	go func() {
		l.results <- ended{s, l.node.act(ctx, &task, a)}
	}()
}

// finish applies the result of an action.
func (l *loop) finish(e ended) {
	op := l.busy[e.slot]
	l.free(e.slot)
	l.log.Debug("action ended", "do", op.action.Verb, "of", op.action.Of, "took", time.Since(op.begun), "givenUp", op.givenUp)
	if op.givenUp {
		return
	}
	if e.result.Err != nil {
		l.log.Warn("action failed", "do", op.action.Verb, "of", op.action.Of, "err", e.result.Err)
	}
	l.task = l.task.withResult(op.action, e.result, time.Now().UTC().Round(0))
}
