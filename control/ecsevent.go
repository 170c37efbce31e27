package control

import (
	"iter"
	"sync"
	"time"

	"fargo"
	"fargo/eventbus"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// ECSEvents sends what ECS tells of tasks, services and deployments, and CloudWatch of
// alarms, to the default buses.
type ECSEvents struct {
	Router  *eventbus.Router
	History *EventHistory
}

// Derive is for [store.DB.Derive]: an event that a rule matches becomes a part of the
// transaction which changes what it tells of, so that neither is without the other. The
// history learns of every event, when the change is durable.
func (e *ECSEvents) Derive(tx *store.Tx) error {
	now := time.Now()
	changes := changesOf(tx, now)
	if len(changes) == 0 {
		return nil
	}
	tx.Then(func() { e.History.add(func() []HistoryEvent { return historyOf(changes, now) }) })
	for _, c := range changes {
		if !e.Router.Listens(tx.Base(), c.scope, record.DefaultEventBus) {
			continue
		}
		for _, told := range c.events() {
			arrival, err := e.Router.Arrival(tx.Base(), c.scope, record.DefaultEventBus, busEvent(told, now), now)
			if err != nil {
				return err
			}
			if arrival != nil {
				store.EventArrivals.Put(tx, arrival)
			}
		}
	}
	return nil
}

// An ecsChange is a change of a record that ECS or CloudWatch may tell of.
type ecsChange struct {
	scope fargo.Scope
	// events are made when they are first asked for: mostly no rule wants them, and the
	// history does not hold up the transaction.
	events func() []*plan.SentEvent
}

// changesOf are those that a transaction has made. The records are not changed any more.
func changesOf(tx *store.Tx, now time.Time) (all []ecsChange) {
	add := func(scope fargo.Scope, events func() []*plan.SentEvent) {
		all = append(all, ecsChange{scope, sync.OnceValue(events)})
	}
	for before, after := range store.Tasks.Written(tx) {
		if after != nil && (before == nil || before.Version != after.Version) {
			add(after.Scope, func() []*plan.SentEvent { return []*plan.SentEvent{plan.TaskEvent(before, after, now)} })
		}
	}
	for before, after := range store.Services.Written(tx) {
		if after != nil {
			add(after.Scope, func() []*plan.SentEvent { return plan.ServiceEvents(before, after) })
		}
	}
	for before, after := range store.Deployments.Written(tx) {
		if after != nil {
			add(after.Scope, func() []*plan.SentEvent { return plan.DeploymentEvents(before, after) })
		}
	}
	for before, after := range store.Alarms.Written(tx) {
		if e := plan.AlarmEvent(before, after); e != nil {
			add(after.Scope, func() []*plan.SentEvent { return []*plan.SentEvent{e} })
		}
	}
	return all
}

func busEvent(e *plan.SentEvent, now time.Time) *eventbus.Event {
	return &eventbus.Event{
		ID: e.ID, Source: e.Source, DetailType: e.DetailType, Scope: e.Scope, Time: now, Resources: e.Resources, Detail: e.Detail,
	}
}

// historyOf are the events of changes, as the history keeps them.
func historyOf(changes []ecsChange, now time.Time) (all []HistoryEvent) {
	for _, c := range changes {
		for _, told := range c.events() {
			if text, err := busEvent(told, now).JSON(); err == nil { // it always is
				all = append(all, HistoryEvent{c.scope, record.DefaultEventBus, text, now})
			}
		}
	}
	return all
}

// EventArrivals is the controller that routes events which have arrived to the targets of
// the rules that match them.
func EventArrivals(router *eventbus.Router) Controller {
	return Controller{
		Name:  "eventarrival",
		All:   func(r store.Reader) iter.Seq[string] { return keys(store.EventArrivals.All(r)) },
		Scope: changed(store.EventArrivals.Name()),
		Reconcile: func(tx *store.Tx, key string, _ time.Time) (time.Time, error) {
			a, ok := store.EventArrivals.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			e, err := eventbus.Parse(a.Event)
			if err != nil {
				return time.Time{}, err
			}
			deliveries, err := router.Route(tx.Base(), a.Scope, a.Bus, e, a.At)
			if err != nil {
				return time.Time{}, err
			}
			for _, d := range deliveries {
				store.EventDeliveries.Put(tx, d)
			}
			store.EventArrivals.Delete(tx, key)
			return time.Time{}, nil
		},
	}
}
