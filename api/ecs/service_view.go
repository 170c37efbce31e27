package ecs

import (
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// serviceView is a service as clients see it: the intent, of which a rollback
// shows what it goes back to, and what the controller and the nodes made of it.
func serviceView(r store.Reader, s *record.Service, withTags bool) *ecs.Service {
	shown := *s
	v := &shown.Service
	tasks := serviceTasks(r, s)
	running, pending := plan.TaskCounts("", tasks)
	v.RunningCount, v.PendingCount = &running, &pending
	v.DesiredCount = new(store.DesiredCount(r, s))
	v.ResourceManagementType = ecs.ResourceManagementTypeCustomer
	v.Events, v.Deployments, v.TaskSets = aws.List(s.Events), []ecs.Deployment{}, []ecs.TaskSet{}
	for i, d := range deployments(r, s) {
		if i == 0 {
			d.Template.Put(&shown)
			v.CurrentServiceDeployment = currentDeployment(r, s, d)
		}
		v.Deployments = append(v.Deployments, deploymentView(d, i == 0, tasks, *v.DesiredCount))
		running, pending := plan.TaskCounts(d.ID, tasks)
		v.CurrentServiceRevisions = append(v.CurrentServiceRevisions, ecs.ServiceCurrentRevisionSummary{
			Arn: d.Revision.ServiceRevisionArn, RequestedTaskCount: requested(i == 0, *v.DesiredCount), RunningTaskCount: &running, PendingTaskCount: &pending,
		})
	}
	if !withTags {
		v.Tags = nil
	}
	return v
}

func serviceTasks(r store.Reader, s *record.Service) []plan.ServiceTask {
	var out []plan.ServiceTask
	for t := range store.Tasks.By(r, store.TaskByService, s.Key()) {
		out = append(out, plan.ServiceTask{Task: t})
	}
	return out
}

// deployments are those of a service that are not retired, the primary one first.
func deployments(r store.Reader, s *record.Service) []*record.Deployment {
	var out []*record.Deployment
	for d := range store.Deployments.By(r, store.ByService, s.Key()) {
		if !d.Retired {
			out = append(out, d)
		}
	}
	plan.SortDeployments(s, out)
	return out
}

// currentDeployment names the service deployment that is under way or was last:
// the way back is part of the one that failed.
func currentDeployment(r store.Reader, s *record.Service, primary *record.Deployment) *string {
	if failed := deployment(r, s, primary.RollbackOf); failed != nil {
		return &failed.ARN
	}
	return &primary.ARN
}

// requested is how many tasks a deployment should have: the primary one all, the
// others none.
func requested(primary bool, desired int32) *int32 {
	if !primary {
		desired = 0
	}
	return &desired
}

func deploymentView(d *record.Deployment, primary bool, tasks []plan.ServiceTask, desired int32) ecs.Deployment {
	status := "ACTIVE"
	if primary {
		status = "PRIMARY"
	}
	running, pending := plan.TaskCounts(d.ID, tasks)
	return ecs.Deployment{
		Id: &d.ID, Status: &status, TaskDefinition: d.Revision.TaskDefinition,
		DesiredCount: requested(primary, desired), RunningCount: &running, PendingCount: &pending, FailedTasks: new(int32(d.FailedTasks)),
		CreatedAt: &d.PrimaryAt, UpdatedAt: &d.UpdatedAt, LaunchType: d.Revision.LaunchType,
		CapacityProviderStrategy: d.Template.CapacityProviderStrategy,
		PlatformVersion:          d.Revision.PlatformVersion, PlatformFamily: d.Revision.PlatformFamily,
		NetworkConfiguration: d.Revision.NetworkConfiguration, RolloutState: d.Rollout, RolloutStateReason: &d.Reason,
		VolumeConfigurations: d.Revision.VolumeConfigurations,
	}
}
