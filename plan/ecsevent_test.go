package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

var eventBegan = time.Date(2026, 3, 1, 12, 0, 0, 402_000_000, time.UTC)

// eventRunner is a task, a service and a deployment that change.
type eventRunner struct {
	now        time.Time
	task       *record.Task
	service    *record.Service
	deployment *record.Deployment
}

// The commands of the scenarios are
//
//	make, same, running, unhealthy, stopped <reason>   of a task
//	say <text>                                         of a service
//	rollout <state> <reason>, stop                     of a deployment
func TestECSEvents(t *testing.T) {
	scenarios(t, "testdata/ecsevent", func() func(*testing.T, string) string {
		scope := fargo.Scope{Account: "123456789012", Region: "us-east-1"}
		r := &eventRunner{now: eventBegan}
		r.service = &record.Service{Scope: scope, Cluster: "c", Service: ecs.Service{
			ServiceName: new("web"), ServiceArn: new(scope.ARN("ecs", "service/c/web")), ClusterArn: new(scope.ARN("ecs", "cluster/c")),
		}}
		return func(_ *testing.T, command string) string {
			r.now = r.now.Add(time.Second)
			if strings.HasPrefix(command, "say ") || r.service.Events != nil {
				return shown(r.say(command))
			}
			if strings.HasPrefix(command, "rollout ") || command == "stop" {
				return shown(r.roll(scope, command))
			}
			return shown(r.change(scope, command))
		}
	})
}

func (r *eventRunner) say(lines string) []*SentEvent {
	before := *r.service
	for line := range strings.Lines(lines) {
		if text, said := strings.CutPrefix(line, "say "); said {
			addEvent(r.service, fmt.Sprint(len(r.service.Events)), strings.TrimSpace(text), r.now)
		}
	}
	return ServiceEvents(&before, r.service)
}

func (r *eventRunner) roll(scope fargo.Scope, command string) []*SentEvent {
	next := record.Deployment{Scope: scope, ID: "ecs-svc/1", ARN: "d", Revision: ecs.ServiceRevision{ServiceArn: r.service.Service.ServiceArn, ClusterArn: r.service.Service.ClusterArn}}
	words := strings.SplitN(command, " ", 3)
	if next.UpdatedAt = r.now; command == "stop" {
		next.Rollout, next.StopRequested = ecs.DeploymentRolloutStateFailed, true
	} else {
		next.Rollout, next.Reason = ecs.DeploymentRolloutState(words[1]), words[2]
	}
	before := r.deployment
	r.deployment = &next
	return DeploymentEvents(before, r.deployment)
}

func (r *eventRunner) change(scope fargo.Scope, command string) []*SentEvent {
	before := r.task
	word, rest, _ := strings.Cut(command, " ")
	if word == "make" {
		r.task = &record.Task{
			Scope: scope, ID: "0123", Cluster: "c", Status: fargo.TaskProvisioning, Desired: fargo.TaskRunning, Version: 1,
			Intent: ecs.Task{
				TaskArn: new("t"), CreatedAt: &eventBegan, Tags: []ecs.Tag{{Key: new("k"), Value: new("v")}},
				Attachments: []ecs.Attachment{{Id: new("a"), Type: new("ElasticNetworkInterface"), Status: new("PRECREATED")}},
				Containers:  []ecs.Container{{Name: new("app"), Cpu: new("256"), HealthStatus: ecs.HealthStatusUnknown}},
			},
		}
		return []*SentEvent{TaskEvent(before, r.task, r.now)}
	}
	next := *r.task
	report := &desired.TaskReport{Status: fargo.TaskRunning, StartedAt: eventBegan, Containers: []desired.ContainerReport{{Name: "app", Status: fargo.ContainerRunning}}}
	switch word {
	case "running":
		next.Report = report
	case "unhealthy":
		report.Containers[0].Health = desired.Unhealthy
		next.Report = report
	case "stopped":
		next.Desired, next.StopCode, next.StoppedReason = fargo.TaskStopped, fargo.StopEssentialContainerExited, rest
		report.Status, report.StoppedAt, report.Containers[0].ExitCode = fargo.TaskStopped, r.now, new(1)
		next.Report = report
	}
	next.Version = TaskVersion(before, &next)
	r.task = &next
	return []*SentEvent{TaskEvent(before, r.task, r.now)}
}

// shown is each event's type and resources, and its detail in JSON.
func shown(events []*SentEvent) string {
	var b strings.Builder
	for _, e := range slices.DeleteFunc(events, func(e *SentEvent) bool { return e == nil }) {
		var detail bytes.Buffer
		if err := json.Indent(&detail, e.Detail, "", " "); err != nil {
			return err.Error()
		}
		fmt.Fprintf(&b, "%s %s\n%s\n", e.DetailType, e.Resources, detail.String())
	}
	return cmp.Or(strings.TrimSpace(b.String()), "no event")
}

// An event's id is that of the change, whoever makes the event, and no other's.
func TestECSEventIDs(t *testing.T) {
	task := func(id string, version int64) *record.Task {
		return &record.Task{ID: id, Version: version, Intent: ecs.Task{Attachments: []ecs.Attachment{{}}}}
	}
	first := TaskEvent(nil, task("a", 1), eventBegan).ID
	if again := TaskEvent(nil, task("a", 1), eventBegan.Add(time.Hour)).ID; again != first {
		t.Errorf("the same change has the ids %s and %s", first, again)
	}
	for _, other := range []*record.Task{task("a", 2), task("b", 1)} {
		if TaskEvent(nil, other, eventBegan).ID == first {
			t.Errorf("%s %d has the id of another", other.ID, other.Version)
		}
	}
}
