package fargo_test

import (
	"testing"

	"fargo"
	"fargo/aws/ecs"
)

// A task that leaves its target groups is DEACTIVATING until its node stops it,
// and does not seem to run again in between.
func TestLeavingTargetsIsOneStatus(t *testing.T) {
	task := &fargo.Task{
		Status: fargo.TaskPending, Desired: fargo.TaskStopped, Report: &fargo.TaskReport{Status: fargo.TaskRunning},
		LoadBalancers: make([]ecs.LoadBalancer, 1), Targets: make([]fargo.TargetRef, 1),
	}
	for _, step := range []struct {
		name   string
		do     func()
		status fargo.TaskStatus
	}{
		{"it drains", func() {}, fargo.TaskDeactivating},
		{"its targets are gone", func() { task.Targets = nil }, fargo.TaskDeactivating},
		{"its node stops it", func() { task.Report = &fargo.TaskReport{Status: fargo.TaskStopping} }, fargo.TaskStopping},
	} {
		step.do()
		if got := task.LastStatus(); got != step.status {
			t.Errorf("when %s: %s, want %s", step.name, got, step.status)
		}
	}
}
