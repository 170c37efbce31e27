package plan

import (
	"net/netip"
	"testing"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// TestTaskVersion holds which changes of a task are counted: those that clients
// can see.
func TestTaskVersion(t *testing.T) {
	at := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	report := func(change func(*desired.TaskReport)) func(*record.Task) {
		return func(t *record.Task) {
			r := *t.Report
			r.Containers = []desired.ContainerReport{r.Containers[0]}
			change(&r)
			t.Report = &r
		}
	}
	container := func(change func(*desired.ContainerReport)) func(*record.Task) {
		return report(func(r *desired.TaskReport) { change(&r.Containers[0]) })
	}
	tests := map[string]struct {
		change  func(*record.Task)
		visible bool
	}{
		"nothing":          {func(*record.Task) {}, false},
		"the same again":   {report(func(*desired.TaskReport) {}), false},
		"another place":    {report(func(r *desired.TaskReport) { r.StartedAt = at.In(time.FixedZone("there", 3600)) }), false},
		"runtime id":       {container(func(c *desired.ContainerReport) { c.RuntimeID = "another" }), false},
		"restarts":         {container(func(c *desired.ContainerReport) { c.Restarts++ }), false},
		"node's stopping":  {report(func(r *desired.TaskReport) { r.StoppingAt = at }), false},
		"node's reason":    {report(func(r *desired.TaskReport) { r.StopCode, r.StoppedReason = fargo.StopEssentialContainerExited, "why" }), false},
		"targets":          {func(t *record.Task) { t.Targets = []record.TargetRef{{Group: "g"}} }, false},
		"settled, counted": {func(t *record.Task) { t.Settled, t.Counted = true, true }, false},
		"protection":       {func(t *record.Task) { t.ProtectedUntil = at }, false},
		"digests":          {func(t *record.Task) { t.Digests = map[string]string{"app": "sha256:1"} }, false},
		"tags":             {func(t *record.Task) { t.Intent.Tags = []ecs.Tag{{Key: new("k"), Value: new("v")}} }, false},

		"desired status":   {func(t *record.Task) { t.Desired = fargo.TaskStopped }, true},
		"stop":             {func(t *record.Task) { t.StopCode, t.StoppedReason, t.StoppingAt = fargo.StopUserInitiated, "why", at }, true},
		"status":           {report(func(r *desired.TaskReport) { r.Status = fargo.TaskStopping }), true},
		"started":          {report(func(r *desired.TaskReport) { r.StartedAt = at.Add(time.Second) }), true},
		"container status": {container(func(c *desired.ContainerReport) { c.Status = fargo.ContainerStopped }), true},
		"exit code":        {container(func(c *desired.ContainerReport) { c.ExitCode = new(0) }), true},
		"health":           {container(func(c *desired.ContainerReport) { c.Health = desired.Unhealthy }), true},
		"container reason": {container(func(c *desired.ContainerReport) { c.Reason = "why" }), true},
		"interface": {func(t *record.Task) {
			t.Interface = &desired.Interface{ID: "eni-1", Address: netip.MustParseAddr("10.0.0.1")}
		}, true},
		"unreachable":  {func(t *record.Task) { t.Unreachable = []string{"public.ecr.aws"} }, true},
		"connectivity": {func(t *record.Task) { t.ConnectivityAt = at }, true},
	}
	for name, c := range tests {
		before := &record.Task{
			Version: 7, Status: fargo.TaskPending, Desired: fargo.TaskRunning, HealthChecked: []string{"app"},
			Intent: ecs.Task{Attachments: []ecs.Attachment{{Id: new("a")}}, Containers: []ecs.Container{{Name: new("app")}}},
			Report: &desired.TaskReport{
				Status: fargo.TaskRunning, StartedAt: at,
				Containers: []desired.ContainerReport{{Name: "app", Status: fargo.ContainerRunning, RuntimeID: "one"}},
			},
		}
		after := *before
		c.change(&after)
		want := before.Version
		if c.visible {
			want++
		}
		if got := TaskVersion(before, &after); got != want {
			t.Errorf("%s: version %d after %d", name, got, before.Version)
		}
	}
}
