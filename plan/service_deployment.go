package plan

import (
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

// breakCircuit ends a deployment whose tasks keep failing, and, if the user
// wants that, goes back to the last revision that was completed.
func (p *servicePlan) breakCircuit() {
	d := p.primary()
	threshold, on := Breaker(p.s.Service.DeploymentConfiguration, p.desired())
	if !on || d.Rollout != ecs.DeploymentRolloutStateInProgress || d.FailedTasks < threshold {
		return
	}
	p.changed = true
	d.Rollout, d.UpdatedAt = ecs.DeploymentRolloutStateFailed, p.now
	d.Reason = "ECS deployment circuit breaker: tasks failed to start."
	p.event("(deployment " + d.ID + ") deployment failed: tasks failed to start.")
	if yes(p.s.Service.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback) {
		p.rollBack("ECS deployment circuit breaker: rolling back to deploymentId ")
	}
}

// rollBack starts a new deployment of the last completed revision, if there is
// one. reason goes before the id in the failed deployment's reason.
func (p *servicePlan) rollBack(reason string) {
	if p.s.LastCompleted == nil || p.primary().RollbackOf != "" {
		return
	}
	failed := p.primary().ID
	next := NewDeployment(p.s, *p.s.LastCompleted, p.NewID(), p.UUID(), p.now)
	next.RollbackOf = failed
	if f := p.find(failed); f != nil {
		f.Reason = reason + next.ID + "."
	}
	p.s.Service.TaskDefinition = next.Revision.TaskDefinition
	p.event("rolling back to deployment " + next.ID + ".")
}

// Abandon ends the newest deployment because the user wants it, and begins to go
// back to the last one that was completed; ok is false when there is none.
func Abandon(s *fargo.Service, digits string, now time.Time) (ok bool) {
	d := &s.Deployments[0]
	if s.LastCompleted == nil || d.RollbackOf != "" {
		return false
	}
	stopped := d.ID
	d.Rollout, d.UpdatedAt = ecs.DeploymentRolloutStateFailed, now
	next := NewDeployment(s, *s.LastCompleted, digits, digits, now)
	next.RollbackOf = stopped
	s.Deployments[1].Reason = "ECS deployment stopped: rolling back to deploymentId " + next.ID + "."
	s.Service.TaskDefinition = next.Revision.TaskDefinition
	return true
}

// conclude forgets deployments without tasks, completes the newest one, and says
// when the service is steady.
func (p *servicePlan) conclude() {
	p.s.Deployments = slices.DeleteFunc(p.s.Deployments, func(d fargo.Deployment) bool {
		gone := d.ID != p.s.Deployments[0].ID && !p.hasTasks(d.ID)
		p.changed = p.changed || gone
		return gone
	})
	d, desired := p.primary(), p.desired()
	steady := len(p.s.Deployments) == 1 && len(p.launched) == 0 && len(p.of(d, nil)) == desired && len(p.of(d, good)) == desired
	if !steady {
		if !p.s.SteadyAt.IsZero() {
			p.s.SteadyAt, p.changed = time.Time{}, true
		}
		return
	}
	if d.Rollout == ecs.DeploymentRolloutStateInProgress {
		d.Rollout, d.UpdatedAt = ecs.DeploymentRolloutStateCompleted, p.now
		d.Reason = "ECS deployment " + d.ID + " completed."
		completed := d.Revision
		p.s.LastCompleted = &completed
		p.event("(deployment " + d.ID + ") deployment completed.")
	}
	p.saySteady()
}

// steadyAgain is how often a steady service says so.
const steadyAgain = 6 * time.Hour

func (p *servicePlan) saySteady() {
	if again := p.s.SteadyAt.Add(steadyAgain); !p.s.SteadyAt.IsZero() && p.now.Before(again) {
		p.lookAgain(again)
		return
	}
	p.event("has reached a steady state.")
	p.s.SteadyAt = p.now
	p.lookAgain(p.now.Add(steadyAgain))
}

// hasTasks reports whether a deployment still has a task that has not stopped.
func (p *servicePlan) hasTasks(id string) bool {
	return slices.ContainsFunc(p.tasks, func(m *member) bool { return m.deployment() == id && !m.task.Stopped() })
}
