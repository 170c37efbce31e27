package control

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/events"
	"fargo/eventbus"
	"fargo/record"
	"fargo/store"
)

// memoryHistory is a history for tests.
type memoryHistory struct {
	events []HistoryEvent
	known  map[string]bool
}

func (m *memoryHistory) Append(_ context.Context, events []HistoryEvent) error {
	m.events = append(m.events, events...)
	return nil
}

func (m *memoryHistory) StoppedTasks(context.Context, fargo.Scope, time.Time) (map[string]bool, error) {
	return m.known, nil
}

func eventTask(id string, status fargo.TaskStatus) *record.Task {
	return &record.Task{
		Scope: eventScope, ID: id, Cluster: "c", Status: status, Desired: fargo.TaskRunning, Version: 1, StoppedAt: time.Now(),
		Intent: ecs.Task{TaskDefinitionArn: new("d"), Attachments: []ecs.Attachment{{}}},
	}
}

func openECSEvents(t *testing.T) (*store.DB, *ECSEvents, *memoryHistory) {
	t.Helper()
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	history := &memoryHistory{}
	e := &ECSEvents{Router: eventbus.NewRouter(), History: NewEventHistory(db.View(), history, slog.New(slog.DiscardHandler))}
	db.Derive(e.Derive)
	return db, e, history
}

// taskRule is a rule of the default bus with a target.
func taskRule(pattern string) *record.EventRule {
	return &record.EventRule{
		Scope: eventScope,
		Rule: events.DescribeRuleOutput{
			Name: new("r"), Arn: new("arn:aws:events:us-east-1:123456789012:rule/r"), EventBusName: new("default"), State: events.RuleStateEnabled,
			EventPattern: &pattern,
		},
		Targets: []events.Target{{Id: new("1"), Arn: new("arn:aws:logs:us-east-1:123456789012:log-group:g")}},
	}
}

// The event of a change is stored with it when a rule matches, and only then; routing it
// makes a delivery in its place.
func TestECSEventsArriveWithTheChange(t *testing.T) {
	db, e, history := openECSEvents(t)
	change := func(task *record.Task) {
		t.Helper()
		put(t, db, func(tx *store.Tx) { store.Tasks.Put(tx, task) })
	}
	change(eventTask("before", fargo.TaskRunning))
	if n := count(store.EventArrivals.All(db.View())); n != 0 {
		t.Errorf("%d arrivals without a rule", n)
	}
	put(t, db, func(tx *store.Tx) {
		store.EventRules.Put(tx, taskRule(`{"source":["aws.ecs"],"detail":{"lastStatus":["STOPPED"]}}`))
	})
	change(eventTask("running", fargo.TaskRunning))
	change(eventTask("stopped", fargo.TaskStopped))
	var arrivals []*record.EventArrival
	for a := range store.EventArrivals.All(db.View()) {
		arrivals = append(arrivals, a)
	}
	if len(arrivals) != 1 || !strings.Contains(arrivals[0].Event, "task/c/stopped") {
		t.Fatalf("arrivals: %+v", arrivals)
	}
	route := EventArrivals(e.Router)
	if err := db.Update(t.Context(), func(tx *store.Tx) error {
		_, err := route.Reconcile(tx, arrivals[0].Key(), time.Now())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for d := range store.EventDeliveries.All(db.View()) {
		if d.Body != arrivals[0].Event {
			t.Errorf("delivered: %s", d.Body)
		}
	}
	if a, d := count(store.EventArrivals.All(db.View())), count(store.EventDeliveries.All(db.View())); a != 0 || d != 1 {
		t.Errorf("%d arrivals and %d deliveries are left", a, d)
	}
	e.History.write(t.Context())
	if len(history.events) != 3 {
		t.Errorf("the history has %d events", len(history.events))
	}
}

// The end of a task that the history does not have is added when a process starts.
func TestEventHistoryIsCompleted(t *testing.T) {
	db, e, history := openECSEvents(t)
	put(t, db, func(tx *store.Tx) {
		for id, status := range map[string]fargo.TaskStatus{"known": fargo.TaskStopped, "lost": fargo.TaskStopped, "runs": fargo.TaskRunning} {
			store.Tasks.Put(tx, eventTask(id, status))
		}
	})
	for _, kept := range e.History.take() {
		if strings.Contains(kept.Event, "/known") {
			told, err := eventbus.Parse(kept.Event)
			if err != nil {
				t.Fatal(err)
			}
			history.known = map[string]bool{told.ID: true}
		}
	}
	// The next process begins with what there is.
	next := NewEventHistory(db.View(), history, slog.New(slog.DiscardHandler))
	if err := next.recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(history.events) != 1 || !strings.Contains(history.events[0].Event, "task/c/lost") {
		t.Errorf("added: %+v", history.events)
	}
}
