package control

import (
	"log/slog"
	"testing"

	"fargo"
	"fargo/aws/events"
	"fargo/eventbus"
	"fargo/record"
	"fargo/store"
)

// BenchmarkECSEvents measures a transaction without ECS's events, with them, and with a
// rule that matches: one that changes nothing of ECS, and one that changes a task. The
// journal is in memory: a disk adds what it takes to sync. What the history has to make is
// part of it, and not what keeps it.
func BenchmarkECSEvents(b *testing.B) {
	for _, setting := range []string{"none", "history", "rule"} {
		db, err := store.Open(b.Context(), store.NewMemory())
		if err != nil {
			b.Fatal(err)
		}
		if setting == "rule" {
			put(b, db, func(tx *store.Tx) {
				store.EventRules.Put(tx, taskRule(`{"source":["aws.ecs"],"detail-type":["ECS Task State Change"]}`))
			})
		}
		drain := func() {}
		if setting != "none" {
			e := &ECSEvents{Router: eventbus.NewRouter(), History: NewEventHistory(db.View(), &memoryHistory{}, slog.New(slog.DiscardHandler))}
			db.Derive(e.Derive)
			drain = func() { e.History.take() }
		}
		b.Run("other/"+setting, func(b *testing.B) {
			for b.Loop() {
				put(b, db, func(tx *store.Tx) {
					store.EventBuses.Put(tx, &record.EventBus{Scope: eventScope, Bus: events.DescribeEventBusOutput{Name: new("b")}})
				})
			}
		})
		b.Run("task/"+setting, func(b *testing.B) {
			version := int64(0)
			for b.Loop() {
				version = version%100 + 1 // so that what is stored does not grow
				task := eventTask("t", fargo.TaskRunning)
				task.Version = version
				put(b, db, func(tx *store.Tx) { store.Tasks.Put(tx, task) })
				drain()
			}
		})
	}
}
