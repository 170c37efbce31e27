package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"fargo"
	"fargo/aws/events"
	"fargo/control"
	"fargo/eventbus"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// eventTarget is the target of a rule that matches all that ECS tells. It outlives the
// control plane, and knows what it must have been told in the end.
type eventTarget struct {
	mu struct {
		sync.Mutex
		told map[string]map[int64]toldTask // by the task's ARN and version
		seen map[string]map[int64]bool     // the versions that were durable, by the task's ARN
		errs []error
	}
}

// toldTask is the detail of an event on a task.
type toldTask struct {
	TaskARN    string           `json:"taskArn"`
	Version    int64            `json:"version"`
	LastStatus fargo.TaskStatus `json:"lastStatus"`
}

func newEventTarget() *eventTarget {
	e := &eventTarget{}
	e.mu.told, e.mu.seen = map[string]map[int64]toldTask{}, map[string]map[int64]bool{}
	return e
}

// rule sends all of ECS's events to the target.
func (e *eventTarget) rule(ctx context.Context, db *store.DB) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		store.EventRules.Put(tx, &record.EventRule{
			Scope: scope, Since: time.Now(), Targets: []events.Target{{Id: new("all"), Arn: new(scope.ARN("sqs", "all"))}},
			Rule: events.DescribeRuleOutput{
				Name: new("all"), Arn: new(scope.ARN("events", "rule/all")), EventBusName: new(record.DefaultEventBus),
				EventPattern: new(`{"source": ["aws.ecs"]}`), State: events.RuleStateEnabled,
			},
		})
		return nil
	})
}

// deliverer brings the target what the rule has for it.
func (e *eventTarget) deliverer(db *store.DB, c planeConfig) *control.Deliverer {
	return &control.Deliverer{DB: db, Logger: c.log, Pace: c.pace, Send: func(ctx context.Context, d *record.EventDelivery) ([]*record.EventDelivery, error) {
		if ctx.Err() == nil {
			e.tell(db.View(), d)
		}
		return nil, ctx.Err()
	}}
}

// tell takes in an event. The same may come again, and a version after a later one; but
// what it says is true.
func (e *eventTarget) tell(view store.Reader, d *record.EventDelivery) {
	e.mu.Lock()
	defer e.mu.Unlock()
	event, err := eventbus.Parse(plan.DeliveryBody(d))
	if err != nil {
		e.mu.errs = append(e.mu.errs, err)
		return
	}
	var t toldTask
	if event.DetailType != "ECS Task State Change" {
		return
	}
	if err := json.Unmarshal(event.Detail, &t); err != nil {
		e.mu.errs = append(e.mu.errs, err)
		return
	}
	a, _ := fargo.ParseARN(t.TaskARN)
	if task, ok := store.Tasks.Get(view, a.Scope().Key(fargo.ClusterOf(a), a.Name())); ok && task.Version < t.Version {
		e.mu.errs = append(e.mu.errs, fmt.Errorf("the event of version %d of task %.8s comes before it: it is %d", t.Version, a.Name(), task.Version))
	}
	if e.mu.told[t.TaskARN] == nil {
		e.mu.told[t.TaskARN] = map[int64]toldTask{}
	}
	if before, again := e.mu.told[t.TaskARN][t.Version]; again && before != t {
		e.mu.errs = append(e.mu.errs, fmt.Errorf("version %d of task %.8s is told as %v and as %v", t.Version, a.Name(), before, t))
	}
	e.mu.told[t.TaskARN][t.Version] = t
}

// see notes that a task has become durable.
func (e *eventTarget) see(t *record.Task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.mu.seen[t.ARN()] == nil {
		e.mu.seen[t.ARN()] = map[int64]bool{}
	}
	e.mu.seen[t.ARN()][t.Version] = true
}

// missed is what is wrong with what the target was told, when nothing is on its way any
// more: something that was durable and is not told, and tasks whose later versions have an
// earlier status.
func (e *eventTarget) missed() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	errs := slices.Clone(e.mu.errs)
	for arn, versions := range e.mu.seen {
		for version := range versions {
			if _, ok := e.mu.told[arn][version]; !ok {
				errs = append(errs, fmt.Errorf("version %d of %s is not told", version, arn))
			}
		}
	}
	for arn, versions := range e.mu.told {
		last := toldTask{}
		for _, version := range slices.Sorted(maps.Keys(versions)) {
			if t := versions[version]; last.Version > 0 && t.LastStatus.Before(last.LastStatus) {
				errs = append(errs, fmt.Errorf("%s is told to be %s in version %d, and %s in version %d", arn, last.LastStatus, last.Version, t.LastStatus, version))
			}
			last = versions[version]
		}
	}
	return errors.Join(errs...)
}

// noHistory keeps no events.
type noHistory struct{}

// Append implements [control.HistoryStore].
func (noHistory) Append(context.Context, []control.HistoryEvent) error { return nil }

// StoppedTasks implements [control.HistoryStore].
func (noHistory) StoppedTasks(context.Context, fargo.Scope, time.Time) (map[string]bool, error) {
	return nil, nil
}
