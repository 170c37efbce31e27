package ecs

import (
	"fargo"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/store"
)

// serviceView is a service as clients see it: the intent, and what the
// controller and the nodes made of it.
func serviceView(r store.Reader, s *fargo.Service, withTags bool) *ecs.Service {
	v := s.Service
	tasks := serviceTasks(r, s)
	running, pending := plan.TaskCounts("", tasks)
	v.RunningCount, v.PendingCount = &running, &pending
	v.DesiredCount = new(desired(r, s))
	v.ResourceManagementType = ecs.ResourceManagementTypeCustomer
	v.Events, v.Deployments, v.TaskSets = orEmpty(s.Events), []ecs.Deployment{}, []ecs.TaskSet{}
	for i := range s.Deployments {
		v.Deployments = append(v.Deployments, deploymentView(s, i, tasks, *v.DesiredCount))
	}
	if len(s.Deployments) > 0 {
		v.CurrentServiceDeployment = &s.Deployments[0].Arn
	}
	for i := range s.Deployments {
		d := &s.Deployments[i]
		running, pending := plan.TaskCounts(d.ID, tasks)
		v.CurrentServiceRevisions = append(v.CurrentServiceRevisions, ecs.ServiceCurrentRevisionSummary{
			Arn: d.Revision.ServiceRevisionArn, RequestedTaskCount: requested(i, *v.DesiredCount), RunningTaskCount: &running, PendingTaskCount: &pending,
		})
	}
	if !withTags {
		v.Tags = nil
	}
	return &v
}

// desired is how many tasks a service should have: one for each machine, when
// nobody says how many.
func desired(r store.Reader, s *fargo.Service) int32 {
	if s.Service.DesiredCount != nil {
		return *s.Service.DesiredCount
	}
	n := int32(0)
	for range store.Nodes.All(r) {
		n++
	}
	return n
}

func serviceTasks(r store.Reader, s *fargo.Service) []plan.ServiceTask {
	var out []plan.ServiceTask
	for t := range store.Tasks.By(r, store.TaskByService, s.Key()) {
		out = append(out, plan.ServiceTask{Task: t})
	}
	return out
}

// requested is how many tasks a deployment should have: the newest all, the
// others none.
func requested(place int, desired int32) *int32 {
	if place > 0 {
		desired = 0
	}
	return &desired
}

func deploymentView(s *fargo.Service, place int, tasks []plan.ServiceTask, desired int32) ecs.Deployment {
	d := &s.Deployments[place]
	status := "ACTIVE"
	if place == 0 {
		status = "PRIMARY"
	}
	running, pending := plan.TaskCounts(d.ID, tasks)
	return ecs.Deployment{
		Id: &d.ID, Status: &status, TaskDefinition: d.Revision.TaskDefinition,
		DesiredCount: requested(place, desired), RunningCount: &running, PendingCount: &pending, FailedTasks: new(int32(d.FailedTasks)),
		CreatedAt: &d.CreatedAt, UpdatedAt: &d.UpdatedAt, LaunchType: d.Revision.LaunchType,
		CapacityProviderStrategy: d.Revision.CapacityProviderStrategy,
		PlatformVersion:          d.Revision.PlatformVersion, PlatformFamily: d.Revision.PlatformFamily,
		NetworkConfiguration: d.Revision.NetworkConfiguration, RolloutState: d.Rollout, RolloutStateReason: &d.Reason,
	}
}
