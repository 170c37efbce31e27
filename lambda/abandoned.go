package lambda

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/record"
	"fargo/store"
)

// Run stops the tasks that an earlier process has started and whose callers have not come
// again when the time of a function has passed twice. It returns when none is left.
func (t *Tasks) Run(ctx context.Context) error {
	left := t.running()
	slices.SortFunc(left, func(a, b *record.Task) int { return a.Intent.CreatedAt.Compare(*b.Intent.CreatedAt) })
	for _, task := range left {
		timer := time.NewTimer(time.Until(task.Intent.CreatedAt.Add(2 * timeout)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		if !t.mu.has(task.ARN()) {
			t.stop(ctx, task.Scope, &task.Cluster, task.ARN())
		}
	}
	return nil
}

// running are the tasks of functions that are to run.
func (t *Tasks) running() (all []*record.Task) {
	for task := range store.Tasks.All(t.cfg.DB.View()) {
		if ofFunction(task) && task.Desired != fargo.TaskStopped {
			all = append(all, task)
		}
	}
	return all
}

func (m *invocations) has(task string) bool {
	m.Lock()
	defer m.Unlock()
	_, ok := m.of[task]
	return ok
}
