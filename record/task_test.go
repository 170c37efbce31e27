package record_test

import (
	"testing"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// A task that leaves its target groups is DEACTIVATING until its node stops it,
// and does not seem to run again in between.
func TestLeavingTargetsIsOneStatus(t *testing.T) {
	task := &record.Task{
		Status: fargo.TaskPending, Desired: fargo.TaskStopped, Report: &desired.TaskReport{Status: fargo.TaskRunning},
		LoadBalancers: make([]ecs.LoadBalancer, 1), Targets: make([]record.TargetRef, 1),
	}
	for _, step := range []struct {
		name   string
		do     func()
		status fargo.TaskStatus
	}{
		{"it drains", func() {}, fargo.TaskDeactivating},
		{"its targets are gone", func() { task.Targets = nil }, fargo.TaskDeactivating},
		{"its node stops it", func() { task.Report = &desired.TaskReport{Status: fargo.TaskStopping} }, fargo.TaskStopping},
	} {
		step.do()
		if got := task.LastStatus(); got != step.status {
			t.Errorf("when %s: %s, want %s", step.name, got, step.status)
		}
	}
}
