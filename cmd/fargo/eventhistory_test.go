package main

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/control"
	"fargo/logs"
)

var historyScope = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

// toldTask is an event of a task, as the history keeps it.
func toldTask(id, detail string) string {
	return `{"version":"0","id":"` + id + `","detail-type":"ECS Task State Change","source":"aws.ecs","account":"123456789012",` +
		`"time":"2026-03-01T12:00:00Z","region":"us-east-1","resources":["arn:aws:ecs:us-east-1:123456789012:task/c/0123"],"detail":` + detail + `}`
}

// The group is made with the first event, and again when somebody has deleted it; each bus
// has a stream.
func TestEventHistory(t *testing.T) {
	store, err := logs.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	h := eventHistory{store}
	at := time.Now()
	if ids, err := h.StoppedTasks(t.Context(), historyScope, at); err != nil || len(ids) != 0 {
		t.Errorf("before the first event: %v, %v", ids, err)
	}
	stopped, running := toldTask("a", `{"lastStatus":"STOPPED"}`), toldTask("b", `{"lastStatus":"RUNNING"}`)
	for range 2 {
		err := h.Append(t.Context(), []control.HistoryEvent{
			{Scope: historyScope, Bus: "default", Event: stopped, At: at},
			{Scope: historyScope, Bus: "default", Event: running, At: at},
			{Scope: historyScope, Bus: "orders", Event: toldTask("c", `{}`), At: at},
		})
		if err != nil {
			t.Fatal(err)
		}
		found, _, err := store.Search(t.Context(), historyScope, historyGroup, logs.Search{Streams: []string{"default"}})
		if err != nil || len(found) != 2 || found[0].Message != stopped || found[1].Message != running {
			t.Errorf("kept: %+v, %v", found, err)
		}
		ids, err := h.StoppedTasks(t.Context(), historyScope, at.Add(-time.Second))
		if d := cmp.Diff(map[string]bool{"a": true}, ids); d != "" || err != nil {
			t.Error(d, err)
		}
		if err := store.DeleteGroup(t.Context(), historyScope, historyGroup); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEventLines(t *testing.T) {
	const at = "2026-03-01T12:00:05.402Z  "
	for _, c := range [][2]string{
		{toldTask("a", `{"lastStatus":"PENDING","desiredStatus":"RUNNING"}`), at + "ECS Task State Change  task/c/0123  PENDING"},
		{toldTask("a", `{"lastStatus":"RUNNING","desiredStatus":"STOPPED"}`), at + "ECS Task State Change  task/c/0123  RUNNING, to be STOPPED"},
		{
			toldTask("a", `{"lastStatus":"STOPPED","desiredStatus":"STOPPED","stoppedReason":"Essential container in task exited"}`),
			at + "ECS Task State Change  task/c/0123  STOPPED: Essential container in task exited",
		},
		{
			`{"detail-type":"ECS Deployment State Change","source":"aws.ecs","resources":["arn:aws:ecs:us-east-1:123456789012:service/c/web"],"detail":{"eventName":"SERVICE_DEPLOYMENT_FAILED","reason":"task failed to start."}}`,
			at + "ECS Deployment State Change  service/c/web  SERVICE_DEPLOYMENT_FAILED: task failed to start.",
		},
		{`{"detail-type":"Order Placed","source":"shop","resources":[],"detail":{"n":1}}`, at + `shop Order Placed  {"n":1}`},
		{"put by hand", "put by hand"},
	} {
		e := pastEvent{Timestamp: time.Date(2026, 3, 1, 12, 0, 5, 402_000_000, time.UTC).UnixMilli(), Message: c[0]}
		if d := cmp.Diff(c[1], e.line()); d != "" {
			t.Error(d)
		}
	}
}

// A task is one row, with what its last event says; the last to stop is the last row.
func TestStoppedTasksAreDrawn(t *testing.T) {
	task := func(id string, second int, reason string) string {
		return toldTask(id, `{"taskArn":"arn:aws:ecs:us-east-1:123456789012:task/c/`+id+`","clusterArn":"arn:aws:ecs:us-east-1:123456789012:cluster/c",`+
			`"taskDefinitionArn":"arn:aws:ecs:us-east-1:123456789012:task-definition/web:3","group":"service:web","lastStatus":"STOPPED","stopCode":"EssentialContainerExited",`+
			`"stoppedReason":"`+reason+`","stoppedAt":"`+time.Date(2026, 3, 1, 12, 0, second, 0, time.UTC).Format(time.RFC3339)+`",`+
			`"containers":[{"name":"app","exitCode":1},{"name":"side","reason":"OutOfMemoryError: container killed due to memory usage"}]}`)
	}
	var c tasksCommand
	last := stoppedTasks{}
	for _, event := range []string{task("b", 7, "not yet"), task("a", 5, "Essential container in task exited"), task("b", 7, "Task failed ELB health checks"), "{}"} {
		last.add(event, c.wants)
	}
	last.add(task("other", 9, ""), (&tasksCommand{Cluster: "production"}).wants)
	want := strings.TrimLeft(`
STOPPED               TASK  DEFINITION  GROUP        CODE                      REASON
2026-03-01T12:00:05Z  c/a   web:3       service:web  EssentialContainerExited  Essential container in task exited (app 1; side: OutOfMemoryError: container killed due to memory usage)
2026-03-01T12:00:07Z  c/b   web:3       service:web  EssentialContainerExited  Task failed ELB health checks (app 1; side: OutOfMemoryError: container killed due to memory usage)
`, "\n")
	if d := cmp.Diff(want, last.draw()); d != "" {
		t.Error(d)
	}
}
