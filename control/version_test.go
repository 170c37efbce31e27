package control

import (
	"context"
	"testing"
	"testing/synctest"

	"fargo"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// TestVersion follows a task's version from its beginning to its end: each step
// that clients can see is one more, whoever writes it, and no other write is.
func TestVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		id := w.run().Key()
		step := func(what string, want int64, do func(task *record.Task)) {
			t.Helper()
			task, _ := store.Tasks.Get(w.db.View(), id)
			do(task)
			synctest.Wait()
			if task, _ = store.Tasks.Get(w.db.View(), id); task.Version != want {
				t.Errorf("%s: version %d, want %d", what, task.Version, want)
			}
		}
		tell := func(r desired.TaskReport) func(*record.Task) {
			return func(task *record.Task) {
				r.TaskARN = task.ARN()
				if err := w.plane.Report(context.Background(), task.Node, []desired.TaskReport{r}); err != nil {
					t.Fatal(err)
				}
			}
		}
		app := desired.ContainerReport{Name: "app", Status: fargo.ContainerRunning, RuntimeID: "1"}
		step("placed", 2, func(*record.Task) {})
		step("running", 3, tell(desired.TaskReport{Status: fargo.TaskRunning, Containers: []desired.ContainerReport{app}}))
		app.RuntimeID, app.Restarts = "2", 1
		step("restarted", 3, tell(desired.TaskReport{Status: fargo.TaskRunning, Containers: []desired.ContainerReport{app}}))
		step("to stop, when drained", 4, func(task *record.Task) {
			stop := *task
			stop.Desired, stop.Targets = fargo.TaskStopped, []record.TargetRef{{Group: theGroup, ID: "10.0.0.4", Port: 80}}
			stop.Version = plan.TaskVersion(task, &stop)
			w.update(func(tx *store.Tx) { store.Tasks.Put(tx, &stop) })
		})
		ctx, cancel := context.WithCancel(t.Context())
		drained := make(chan error, 1)
		step("not waiting for that", 4, func(*record.Task) {
			go func() { drained <- w.plane.Drain(ctx, "put away") }()
			synctest.Wait()
			if task, _ := store.Tasks.Get(w.db.View(), id); task.Held() {
				t.Error("it waits still")
			}
		})
		step("stopped", 5, tell(desired.TaskReport{Status: fargo.TaskStopped, Containers: []desired.ContainerReport{app}}))
		cancel()
		<-drained
	})
}
