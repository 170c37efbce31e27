package plan

import (
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
)

// History is deployment d of a service as the ServiceDeployments API shows it.
// tasks are all of the service's.
// Source: ECS developer guide, "View service history using Amazon ECS service
// deployments".
func History(s *record.Service, d *record.Deployment, tasks []ServiceTask) ecs.ServiceDeployment {
	target := summary(d, tasks, requested(s, d))
	h := ecs.ServiceDeployment{
		ServiceDeploymentArn: &d.ARN, ServiceArn: s.Service.ServiceArn, ClusterArn: s.Service.ClusterArn,
		CreatedAt: &d.CreatedAt, StartedAt: &d.CreatedAt, UpdatedAt: &d.UpdatedAt,
		DeploymentConfiguration: d.Configuration, TargetServiceRevision: &target,
		SourceServiceRevisions: []ecs.ServiceRevisionSummary{},
	}
	h.Status, h.StatusReason = DeploymentStatus(d)
	h.DeploymentCircuitBreaker = breakerView(s, d, h.Status)
	h.Alarms = alarmsView(d, h.Status)
	if d.Replaces != "" {
		h.SourceServiceRevisions = []ecs.ServiceRevisionSummary{{Arn: &d.Replaces}}
	}
	if r := d.Rollback; r != nil {
		h.Rollback = &ecs.Rollback{Reason: h.StatusReason, StartedAt: &r.StartedAt, ServiceRevisionArn: &r.To}
	}
	if !d.EndedAt.IsZero() {
		h.FinishedAt = &d.EndedAt
	}
	if h.Status == ecs.ServiceDeploymentStatusStopped {
		h.StoppedAt = h.FinishedAt
	}
	return h
}

// historyRetention is how long deployments can be described.
// Source: ECS developer guide, "View service history using Amazon ECS service
// deployments".
const historyRetention = 90 * 24 * time.Hour

// HistoryExpired reports whether a deployment can be forgotten: it is old, and the
// service neither runs its tasks nor would roll back to them.
func HistoryExpired(s *record.Service, d *record.Deployment, now time.Time) bool {
	return d.Retired && d.ID != s.Completed && now.Sub(d.CreatedAt) > historyRetention
}

func requested(s *record.Service, d *record.Deployment) int32 {
	if s.Primary == d.ID && s.Status() == "ACTIVE" {
		return int32(s.DesiredCount())
	}
	return 0
}

// summary counts a deployment's tasks.
func summary(d *record.Deployment, tasks []ServiceTask, wanted int32) ecs.ServiceRevisionSummary {
	running, pending := TaskCounts(d.ID, tasks)
	return ecs.ServiceRevisionSummary{
		Arn: d.Revision.ServiceRevisionArn, RequestedTaskCount: &wanted, RunningTaskCount: &running, PendingTaskCount: &pending,
	}
}

// TaskCounts counts the tasks of a deployment, or of all for "", that run and
// that are on their way to. One whose targets drain runs until they have, so that
// a service that was scaled to 0 is stable when its tasks are out of use.
func TaskCounts(deployment string, tasks []ServiceTask) (running, pending int32) {
	for _, t := range tasks {
		if deployment != "" && aws.Value(t.Task.Intent.StartedBy) != deployment {
			continue
		}
		switch s := t.Task.LastStatus(); {
		case s == fargo.TaskRunning, s == fargo.TaskDeactivating:
			running++
		case s.Before(fargo.TaskRunning):
			pending++
		}
	}
	return running, pending
}

// DeploymentStatus is where a deployment stands, and why. The reason for a
// rollback by the circuit breaker is AWS's; the others are our own words.
func DeploymentStatus(d *record.Deployment) (ecs.ServiceDeploymentStatus, *string) {
	switch {
	case !d.CompletedAt.IsZero():
		return ecs.ServiceDeploymentStatusSuccessful, nil
	case d.Rollback != nil:
		return d.Rollback.Outcome, new("Service deployment rolled back because " + cause(d))
	case d.Rollout == ecs.DeploymentRolloutStateFailed:
		return ecs.ServiceDeploymentStatusStopped, new("Service deployment stopped because " + cause(d))
	case d.Retired:
		return ecs.ServiceDeploymentStatusStopped, new("Service deployment stopped because a newer one took its place or the service ended.")
	case d.StopRequested:
		return ecs.ServiceDeploymentStatusStopRequested, nil
	}
	return ecs.ServiceDeploymentStatusInProgress, nil
}

func cause(d *record.Deployment) string {
	if d.StopRequested {
		return "a user stopped it."
	}
	if d.AlarmsTriggered() {
		return "an alarm was detected."
	}
	return "the circuit breaker threshold was exceeded."
}

// ServiceTaskTags are the tags a service's task begins with.
// Source: ECS developer guide, "How Amazon ECS resources are tagged".
func ServiceTaskTags(s *record.Service, d *record.TaskDefinition) []ecs.Tag {
	tags := []ecs.Tag{}
	switch s.Service.PropagateTags {
	case ecs.PropagateTagsService:
		tags = append(tags, s.Service.Tags...)
	case ecs.PropagateTagsTaskDefinition:
		tags = append(tags, d.Tags...)
	}
	return append(tags, ManagedTags(s)...)
}

// ManagedTags are those that ECS gives to a service's tasks and their volumes, when it is to.
func ManagedTags(s *record.Service) []ecs.Tag {
	if !aws.Value(s.Service.EnableECSManagedTags) {
		return nil
	}
	return []ecs.Tag{
		{Key: new("aws:ecs:clusterName"), Value: &s.Cluster},
		{Key: new("aws:ecs:serviceName"), Value: s.Service.ServiceName},
	}
}
