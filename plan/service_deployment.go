package plan

import (
	"reflect"
	"slices"
	"time"

	"fargo"
	"fargo/aws/ecs"
)

// NewDeployment makes the rollout of a revision and puts it first. What was
// under way before it is superseded. A revision without a name is new and gets
// one of the same digits as the deployment.
// Source: ECS developer guide, "View service history using Amazon ECS service
// deployments".
func NewDeployment(s *fargo.Service, revision ecs.ServiceRevision, digits, uuid string, now time.Time) *fargo.Deployment {
	scope := s.Scope
	if revision.ServiceRevisionArn == nil {
		revision.ServiceRevisionArn = new(scope.ARN("ecs", "service-revision/"+s.Cluster+"/"+s.Name()+"/"+digits))
		revision.CreatedAt = &now
	}
	id := "ecs-svc/" + digits
	d := fargo.Deployment{
		ID: id, Revision: revision, Arn: scope.ARN("ecs", "service-deployment/"+s.Cluster+"/"+s.Name()+"/"+uuid),
		Rollout: ecs.DeploymentRolloutStateInProgress, Reason: "ECS deployment " + id + " in progress.",
		CreatedAt: now, UpdatedAt: now,
	}
	if len(s.Deployments) > 0 {
		previous := &s.Deployments[0]
		d.Source = *previous.Revision.ServiceRevisionArn
		if previous.Rollout == ecs.DeploymentRolloutStateInProgress {
			previous.StopRequested, previous.UpdatedAt = true, now
		}
	}
	s.Deployments = append([]fargo.Deployment{d}, s.Deployments...)
	s.SteadyAt, s.Throttle = time.Time{}, fargo.Throttle{}
	return &s.Deployments[0]
}

// breakerPatience is how old a deployment is before its failures end it. On AWS
// tasks take longer than that to fail; here they may do so at once, and a client
// that looks up the deployment it has just begun must still find it the newest.
// What has failed often enough starts nothing more meanwhile.
const breakerPatience = 5 * time.Second

// breakCircuit ends a deployment whose tasks keep failing, and, if the user
// wants that, goes back to the last one that was completed.
func (p *servicePlan) breakCircuit() {
	d := p.primary()
	threshold, on := Breaker(p.s.Service.DeploymentConfiguration, p.desired())
	if !on || d.Rollout != ecs.DeploymentRolloutStateInProgress || d.FailedTasks < threshold {
		return
	}
	if due := d.CreatedAt.Add(breakerPatience); p.now.Before(due) {
		p.failing = true
		p.lookAgain(due)
		return
	}
	p.changed = true
	d.Rollout, d.UpdatedAt = ecs.DeploymentRolloutStateFailed, p.now
	d.Reason = "ECS deployment circuit breaker: tasks failed to start."
	p.event("(deployment " + d.ID + ") deployment failed: tasks failed to start.")
	if yes(p.s.Service.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback) && goBack(p.s, "ECS deployment circuit breaker", p.now) {
		p.event(rollingBackEvent(p.s))
	}
}

// goBack puts the deployment that was completed last in the newest one's place,
// which has failed. It is the same deployment with the same id, so that its
// tasks that still run count at once, and only what is missing is started. ok is
// false when there is none, or when it is this one that failed.
// Source: ECS developer guide, "How the Amazon ECS deployment circuit breaker
// detects failures": the deployment goes from COMPLETED to IN_PROGRESS again.
func goBack(s *fargo.Service, why string, now time.Time) (ok bool) {
	failed := s.Deployments[0]
	if s.LastCompleted == nil || failed.RollbackOf != "" {
		return false
	}
	d := fargo.Deployment{ID: fargo.DeploymentOf(s.LastCompleted), Revision: *s.LastCompleted}
	isIt := func(o fargo.Deployment) bool { return o.ID == d.ID }
	if i := slices.IndexFunc(s.Deployments, isIt); i >= 0 {
		d = s.Deployments[i]
	}
	d.Rollout, d.Reason = ecs.DeploymentRolloutStateInProgress, why+": rolling back to deploymentId "+d.ID+"."
	d.RollbackOf, d.Arn = failed.ID, failed.Arn
	d.Source, d.StopRequested, d.FailedTasks = *failed.Revision.ServiceRevisionArn, false, 0
	d.CreatedAt, d.UpdatedAt = now, now
	s.Deployments = append([]fargo.Deployment{d}, slices.DeleteFunc(s.Deployments, isIt)...)
	s.SteadyAt, s.Throttle = time.Time{}, fargo.Throttle{}
	takeBack(&s.Service, &failed.Revision, &d.Revision)
	return true
}

// takeBack makes a service want what its tasks are made from again, as far as
// what failed was different.
func takeBack(s *ecs.Service, failed, back *ecs.ServiceRevision) {
	s.TaskDefinition = back.TaskDefinition
	if failed.LaunchType != back.LaunchType || !reflect.DeepEqual(failed.CapacityProviderStrategy, back.CapacityProviderStrategy) {
		s.LaunchType, s.CapacityProviderStrategy = back.LaunchType, back.CapacityProviderStrategy
	}
	if !reflect.DeepEqual(failed.NetworkConfiguration, back.NetworkConfiguration) {
		s.NetworkConfiguration = back.NetworkConfiguration
	}
	if !reflect.DeepEqual(failed.LoadBalancers, back.LoadBalancers) {
		s.LoadBalancers = back.LoadBalancers
	}
}

// Abandon ends the newest deployment because the user wants it, and begins to go
// back to the last one that was completed; ok is false when there is none. uuid
// is the id of the event that says so.
func Abandon(s *fargo.Service, uuid string, now time.Time) (ok bool) {
	if !goBack(s, "ECS deployment stopped", now) {
		return false
	}
	for i := range s.Deployments {
		if d := &s.Deployments[i]; d.ID == s.Deployments[0].RollbackOf {
			d.Rollout, d.StopRequested, d.UpdatedAt = ecs.DeploymentRolloutStateFailed, true, now
			d.Reason = "ECS deployment stopped."
		}
	}
	addEvent(s, uuid, eventText(s, rollingBackEvent(s)), now)
	return true
}

func rollingBackEvent(s *fargo.Service) string {
	return "rolling back to deployment " + s.Deployments[0].ID + "."
}

// conclude forgets deployments without tasks, completes the newest one, and says
// when the service is steady.
func (p *servicePlan) conclude() {
	p.forget()
	d, desired := p.primary(), p.desired()
	alone := !slices.ContainsFunc(p.s.Deployments[1:], func(o fargo.Deployment) bool { return p.hasTasks(o.ID) })
	steady := alone && len(p.launched) == 0 && len(p.of(d, nil)) == desired && len(p.of(d, good)) == desired
	if steady && d.Rollout == ecs.DeploymentRolloutStateInProgress {
		d.Rollout, d.UpdatedAt = ecs.DeploymentRolloutStateCompleted, p.now
		d.Reason = "ECS deployment " + d.ID + " completed."
		completed := d.Revision
		p.s.LastCompleted = &completed
		p.event("(deployment " + d.ID + ") deployment completed.")
	}
	p.steady = steady
	switch {
	case steady && p.s.Rebalance.Since.IsZero():
		p.saySteady() // else when nothing more is moved
	case !steady && !p.s.SteadyAt.IsZero():
		p.s.SteadyAt, p.changed = time.Time{}, true
	}
}

// forget drops deployments without tasks. One that failed stays until its
// rollback has ended, which is its end too.
func (p *servicePlan) forget() {
	d := *p.primary()
	p.s.Deployments = slices.DeleteFunc(p.s.Deployments, func(o fargo.Deployment) bool {
		failing := o.ID == d.RollbackOf && d.Rollout == ecs.DeploymentRolloutStateInProgress
		gone := o.ID != d.ID && !failing && !p.hasTasks(o.ID)
		p.changed = p.changed || gone
		return gone
	})
}

// saySteady says that the service is steady, again every now and then, and after
// a scale-in when all that there is to say of it was said.
func (p *servicePlan) saySteady() {
	if p.shrunk {
		p.s.SteadyAt, p.changed = time.Time{}, true
		return
	}
	if again := p.s.SteadyAt.Add(sayAgain); !p.s.SteadyAt.IsZero() && p.now.Before(again) {
		p.lookAgain(again)
		return
	}
	p.event("has reached a steady state.")
	p.s.SteadyAt, p.changed = p.now, true
	p.lookAgain(p.now.Add(sayAgain))
}

// hasTasks reports whether a deployment still has a task that has not stopped.
func (p *servicePlan) hasTasks(id string) bool {
	return slices.ContainsFunc(p.tasks, func(m *member) bool { return m.deployment() == id && !m.task.Stopped() })
}
