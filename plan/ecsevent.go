package plan

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	googleuuid "github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/record"
)

// ECSEventSource is the source of events that ECS sends.
const ECSEventSource = "aws.ecs"

// SentEvent is an event that ECS or CloudWatch sends to EventBridge. Its id follows from
// what it tells: the same change has the same one whoever asks.
type SentEvent struct {
	ID         string
	Source     string
	DetailType string
	Scope      fargo.Scope
	Resources  []string
	Detail     json.RawMessage
}

// eventNames is the name space of events' ids.
var eventNames = googleuuid.MustParse("5ab1f0a4-2f0c-4a53-9f4e-8a0cb0a6b7d1")

func eventID(parts ...any) string {
	return googleuuid.NewSHA1(eventNames, []byte(fmt.Sprintln(parts...))).String()
}

// TaskEvent is what ECS sends when a task has changed, nil when clients cannot see that.
// before is nil of a new task. now is the task's updatedAt.
// Sources: ECS developer guide, "Amazon ECS task state change events": the detail is the
// task as DescribeTasks has it, without health; tags are left out as they are there.
func TaskEvent(before, after *record.Task, now time.Time) *SentEvent {
	if after == nil || before != nil && before.Version == after.Version {
		return nil
	}
	view := TaskView(after)
	view.HealthStatus, view.Tags = "", nil
	for i := range view.Containers {
		view.Containers[i].HealthStatus = ""
	}
	for i := range view.Attachments {
		if aws.Value(view.Attachments[i].Type) == "ElasticNetworkInterface" {
			view.Attachments[i].Type = new("eni")
		}
	}
	detail, err := protocol.EventDetail(view)
	if err != nil {
		panic(err) // a task always has JSON
	}
	detail = fmt.Appendf(detail[:len(detail)-1], `,"updatedAt":%q}`, detailTime(now))
	return &SentEvent{eventID(after.ARN(), after.Version), ECSEventSource, "ECS Task State Change", after.Scope, []string{after.ARN()}, detail}
}

// detailTime is a time in the detail of an event.
func detailTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// serviceDetail is the detail of what ECS sends of services.
// Source: ECS developer guide, "Amazon ECS service action events", "Amazon ECS service
// deployment state change events".
type serviceDetail struct {
	EventType    string `json:"eventType"`
	EventName    string `json:"eventName"`
	ClusterARN   string `json:"clusterArn,omitempty"`
	DeploymentID string `json:"deploymentId,omitempty"`
	CreatedAt    string `json:"createdAt,omitempty"`
	UpdatedAt    string `json:"updatedAt,omitempty"`
	Reason       string `json:"reason,omitempty"`
}

func serviceEvent(id, detailType string, scope fargo.Scope, serviceARN string, d serviceDetail) *SentEvent {
	return &SentEvent{id, ECSEventSource, detailType, scope, []string{serviceARN}, json.RawMessage(jsonText(d))}
}

// serviceActions are the names of what service events tell, by what their texts have.
// Other texts are told by DescribeServices alone, as on AWS.
// Source: ECS developer guide, "Amazon ECS service action events".
var serviceActions = []struct{ text, eventType, eventName string }{
	{") has reached a steady state.", "INFO", "SERVICE_STEADY_STATE"},
	{") has stopped ", "INFO", "TASKS_STOPPED"},
	{"Successfully set desired count to ", "INFO", "SERVICE_DESIRED_COUNT_UPDATED"},
	{") is unable to consistently start tasks successfully.", "WARN", "SERVICE_TASK_START_IMPAIRED"},
	{") failed to launch a task with (error ", "ERROR", "SERVICE_TASK_CONFIGURATION_FAILURE"},
}

// ServiceEvents is what ECS sends when a service has said something that it has not before,
// oldest first. before is nil of a new service.
func ServiceEvents(before, after *record.Service) (sent []*SentEvent) {
	if after == nil {
		return nil
	}
	for _, e := range after.Events { // the newest first
		if before != nil && len(before.Events) > 0 && *e.Id == *before.Events[0].Id {
			break
		}
		for _, a := range serviceActions {
			if _, reason, found := strings.Cut(*e.Message, a.text); found {
				d := serviceDetail{EventType: a.eventType, EventName: a.eventName, ClusterARN: *after.Service.ClusterArn, CreatedAt: detailTime(*e.CreatedAt)}
				if a.eventType == "ERROR" {
					d.Reason = strings.TrimSuffix(reason, ").")
				}
				sent = append([]*SentEvent{serviceEvent(eventID(after.ARN(), *e.Id), "ECS Service Action", after.Scope, after.ARN(), d)}, sent...)
				break
			}
		}
	}
	return sent
}

// DeploymentEvents is what ECS sends when a deployment has begun, is completed, has failed
// by the circuit breaker, or has become the one to go back to: a deployment's own event and
// the service's. before is nil of a new deployment.
func DeploymentEvents(before, after *record.Deployment) []*SentEvent {
	if after == nil || before != nil && before.Rollout == after.Rollout && before.Reason == after.Reason {
		return nil
	}
	if after.Rollout == ecs.DeploymentRolloutStateFailed && after.StopRequested {
		return nil
	}
	eventType := "INFO"
	if after.Rollout == ecs.DeploymentRolloutStateFailed {
		eventType = "ERROR"
	}
	reason := after.Reason
	if after.Rollout == ecs.DeploymentRolloutStateFailed {
		// DescribeServices says "tasks". Source: ECS developer guide, "Amazon ECS service
		// deployment state change events".
		reason = strings.Replace(reason, "tasks failed to start.", "task failed to start.", 1)
	}
	name, service := "SERVICE_DEPLOYMENT_"+string(after.Rollout), *after.Revision.ServiceArn
	id := func(kind string) string { return eventID(kind, after.ARN, after.Rollout, after.UpdatedAt.UnixNano()) }
	return []*SentEvent{
		serviceEvent(id("deployment"), "ECS Deployment State Change", after.Scope, service, serviceDetail{
			EventType: eventType, EventName: name, DeploymentID: after.ID, UpdatedAt: EventTime(after.UpdatedAt), Reason: reason,
		}),
		serviceEvent(id("action"), "ECS Service Action", after.Scope, service, serviceDetail{
			EventType: eventType, EventName: name, ClusterARN: *after.Revision.ClusterArn, CreatedAt: detailTime(after.UpdatedAt), Reason: reason,
		}),
	}
}
