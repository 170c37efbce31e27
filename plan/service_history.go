package plan

import (
	"reflect"
	"slices"
	"time"

	"fargo"
	"fargo/aws/ecs"
)

// History brings the record of deployment d up to date; old is nil at first. A
// deployment that the service has forgotten has ended. changed is false when the
// record says all of it already.
// Source: ECS developer guide, "View service history using Amazon ECS service
// deployments".
func History(s *fargo.Service, d *fargo.Deployment, ended bool, old *ecs.ServiceDeployment, tasks []ServiceTask, now time.Time) (next *ecs.ServiceDeployment, changed bool) {
	n := &ecs.ServiceDeployment{
		ServiceDeploymentArn: &d.Arn, ServiceArn: s.Service.ServiceArn, ClusterArn: s.Service.ClusterArn,
		CreatedAt: &d.CreatedAt, StartedAt: &d.CreatedAt, DeploymentConfiguration: s.Service.DeploymentConfiguration,
		SourceServiceRevisions: []ecs.ServiceRevisionSummary{},
		Alarms:                 &ecs.ServiceDeploymentAlarms{Status: ecs.ServiceDeploymentRollbackMonitorsStatusDisabled},
	}
	if old != nil {
		c := *old
		n = &c
	}
	if d.Source != "" && len(n.SourceServiceRevisions) == 0 {
		n.SourceServiceRevisions = []ecs.ServiceRevisionSummary{{Arn: &d.Source}}
	}
	target := summary(d, tasks, requested(s, d))
	n.TargetServiceRevision = &target
	if !final(n.Status) {
		n.Status, n.StatusReason = historyStatus(s, d, ended)
	}
	n.DeploymentCircuitBreaker = breakerView(s, d, n.Status)
	switch n.Status {
	case ecs.ServiceDeploymentStatusSuccessful, ecs.ServiceDeploymentStatusRollbackSuccessful, ecs.ServiceDeploymentStatusRollbackFailed:
		if n.FinishedAt == nil {
			n.FinishedAt = &now
		}
	case ecs.ServiceDeploymentStatusStopped:
		if n.StoppedAt == nil {
			n.StoppedAt, n.FinishedAt = &now, &now
		}
	}
	if back := rollbackOf(s, d); back != nil && n.Rollback == nil {
		n.Rollback = &ecs.Rollback{Reason: n.StatusReason, StartedAt: &back.CreatedAt, ServiceRevisionArn: back.Revision.ServiceRevisionArn}
	}
	if old != nil {
		n.UpdatedAt = old.UpdatedAt
		if reflect.DeepEqual(old, n) {
			return old, false
		}
	}
	n.UpdatedAt = &now
	return n, true
}

// historyRetention is how long deployments can be described.
// Source: ECS developer guide, "View service history using Amazon ECS service
// deployments".
const historyRetention = 90 * 24 * time.Hour

// HistoryExpired reports whether the record of a deployment can be forgotten: it
// is old, and the service neither runs its tasks nor would go back to them.
func HistoryExpired(s *fargo.Service, d *ecs.ServiceDeployment, now time.Time) bool {
	revision := *d.TargetServiceRevision.Arn
	inUse := func(o fargo.Deployment) bool { return *o.Revision.ServiceRevisionArn == revision }
	return now.Sub(*d.CreatedAt) > historyRetention && !slices.ContainsFunc(s.Deployments, inUse) &&
		(s.LastCompleted == nil || *s.LastCompleted.ServiceRevisionArn != revision)
}

func requested(s *fargo.Service, d *fargo.Deployment) int32 {
	if len(s.Deployments) > 0 && s.Deployments[0].ID == d.ID && s.Status() == "ACTIVE" {
		return int32(s.DesiredCount())
	}
	return 0
}

// summary counts a deployment's tasks.
func summary(d *fargo.Deployment, tasks []ServiceTask, wanted int32) ecs.ServiceRevisionSummary {
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
		if deployment != "" && str(t.Task.Intent.StartedBy) != deployment {
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

func rollbackOf(s *fargo.Service, d *fargo.Deployment) *fargo.Deployment {
	for i := range s.Deployments {
		if s.Deployments[i].RollbackOf == d.ID {
			return &s.Deployments[i]
		}
	}
	return nil
}

// final reports whether a deployment in a status stays there.
func final(s ecs.ServiceDeploymentStatus) bool {
	return s == ecs.ServiceDeploymentStatusSuccessful || s == ecs.ServiceDeploymentStatusStopped ||
		s == ecs.ServiceDeploymentStatusRollbackSuccessful || s == ecs.ServiceDeploymentStatusRollbackFailed
}

// historyStatus is where a deployment that has not ended yet stands, and why. The
// reason for a rollback by the circuit breaker is AWS's; the others are our own
// words.
func historyStatus(s *fargo.Service, d *fargo.Deployment, ended bool) (ecs.ServiceDeploymentStatus, *string) {
	back := rollbackOf(s, d)
	switch {
	case d.Rollout == ecs.DeploymentRolloutStateCompleted:
		return ecs.ServiceDeploymentStatusSuccessful, nil
	case back != nil:
		return rollbackStatus(back), new("Service deployment rolled back because " + cause(d))
	case d.Rollout == ecs.DeploymentRolloutStateFailed:
		return ecs.ServiceDeploymentStatusStopped, new("Service deployment stopped because " + cause(d))
	case ended:
		return ecs.ServiceDeploymentStatusStopped, new("Service deployment stopped because a newer one took its place or the service ended.")
	case d.StopRequested:
		return ecs.ServiceDeploymentStatusStopRequested, nil
	}
	return ecs.ServiceDeploymentStatusInProgress, nil
}

func cause(d *fargo.Deployment) string {
	if d.StopRequested {
		return "a user stopped it."
	}
	return "the circuit breaker threshold was exceeded."
}

// rollbackStatus is how the way back of a failed deployment goes. A newer
// deployment cuts it off.
func rollbackStatus(back *fargo.Deployment) ecs.ServiceDeploymentStatus {
	switch {
	case back.Rollout == ecs.DeploymentRolloutStateCompleted:
		return ecs.ServiceDeploymentStatusRollbackSuccessful
	case back.Rollout == ecs.DeploymentRolloutStateFailed, back.StopRequested:
		return ecs.ServiceDeploymentStatusRollbackFailed
	}
	return ecs.ServiceDeploymentStatusRollbackInProgress
}

func breakerView(s *fargo.Service, d *fargo.Deployment, status ecs.ServiceDeploymentStatus) *ecs.ServiceDeploymentCircuitBreaker {
	threshold, on := Breaker(s.Service.DeploymentConfiguration, s.DesiredCount())
	v := &ecs.ServiceDeploymentCircuitBreaker{
		Status:       ecs.ServiceDeploymentRollbackMonitorsStatusDisabled,
		FailureCount: new(int32(d.FailedTasks)), Threshold: new(int32(threshold)),
	}
	switch {
	case !on:
	case d.Rollout == ecs.DeploymentRolloutStateFailed && !d.StopRequested:
		v.Status = ecs.ServiceDeploymentRollbackMonitorsStatusTriggered
	case status == ecs.ServiceDeploymentStatusInProgress:
		v.Status = ecs.ServiceDeploymentRollbackMonitorsStatusMonitoring
	default:
		v.Status = ecs.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	}
	return v
}

// ServiceTaskTags are the tags a service's task begins with.
// Source: ECS developer guide, "How Amazon ECS resources are tagged".
func ServiceTaskTags(s *fargo.Service, d *fargo.TaskDefinition) []ecs.Tag {
	tags := []ecs.Tag{}
	switch s.Service.PropagateTags {
	case ecs.PropagateTagsService:
		tags = append(tags, s.Service.Tags...)
	case ecs.PropagateTagsTaskDefinition:
		tags = append(tags, d.Tags...)
	}
	if yes(s.Service.EnableECSManagedTags) {
		tags = append(tags,
			ecs.Tag{Key: new("aws:ecs:clusterName"), Value: &s.Cluster},
			ecs.Tag{Key: new("aws:ecs:serviceName"), Value: s.Service.ServiceName})
	}
	return tags
}
