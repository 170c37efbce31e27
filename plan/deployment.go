package plan

import (
	"cmp"
	"slices"
	"time"

	"fargo/aws/ecs"
	"fargo/record"
)

// strategy is how a service gets from the deployments it has to its primary one.
// A strategy sees the tasks of a plan, and starts and stops them; whether a
// deployment has failed, and which one is then rolled back to, is not its concern.
type strategy interface {
	// advance moves the service one step on.
	advance()
	// arrived reports whether there is nothing left to do.
	arrived() bool
}

// strategy is the one that the service's deployment configuration names.
func (p *servicePlan) strategy() strategy { return rolling{p} }

// SortDeployments puts a service's primary deployment first, and the others by
// when they were that, the newest first.
func SortDeployments(s *record.Service, deployments []*record.Deployment) {
	slices.SortFunc(deployments, func(a, b *record.Deployment) int {
		return cmp.Or(
			cmp.Compare(boolean(b.ID == s.Primary), boolean(a.ID == s.Primary)),
			b.PrimaryAt.Compare(a.PrimaryAt), cmp.Compare(b.ID, a.ID),
		)
	})
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Begin makes the rollout of a revision the primary deployment of a service, in
// place of the one before, nil if there was none, which is superseded if it is
// under way. rollbackOf is the deployment whose rollback previous is,
// nil if it was none. Those of the three that are new or changed are given back.
// digits end the names of the deployment and of its revision.
// Source: ECS developer guide, "View service history using Amazon ECS service
// deployments".
func Begin(s *record.Service, revision ecs.ServiceRevision, digests map[string]string, previous, rollbackOf *record.Deployment, digits, uuid string, now time.Time) []*record.Deployment {
	place := s.Cluster + "/" + s.Name() + "/"
	revision.ServiceRevisionArn = new(s.Scope.ARN("ecs", "service-revision/"+place+digits))
	revision.CreatedAt = &now
	d := &record.Deployment{
		Scope: s.Scope, Service: s.Key(), ID: "ecs-svc/" + digits, ARN: s.Scope.ARN("ecs", "service-deployment/"+place+uuid),
		Template: record.TemplateOf(s), Revision: revision, Digests: digests, Configuration: s.Service.DeploymentConfiguration,
		Rollout: ecs.DeploymentRolloutStateInProgress, Reason: "ECS deployment ecs-svc/" + digits + " in progress.",
		CreatedAt: now, PrimaryAt: now, UpdatedAt: now,
	}
	s.Primary, s.SteadyAt, s.Throttle = d.ID, time.Time{}, record.Throttle{}
	if previous == nil {
		return []*record.Deployment{d}
	}
	d.Replaces = previous.RevisionARN()
	if previous.Rollout != ecs.DeploymentRolloutStateInProgress {
		return []*record.Deployment{d}
	}
	superseded := *previous
	superseded.StopRequested, superseded.UpdatedAt = true, now
	if rollbackOf == nil {
		return []*record.Deployment{d, &superseded}
	}
	failed := *rollbackOf
	endRollback(&failed, ecs.ServiceDeploymentStatusRollbackFailed, now)
	return []*record.Deployment{d, &superseded, &failed}
}

// configure lets a deployment that is under way go by the deployment configuration
// that the service has now, and its history show it.
// Source: ECS API, UpdateService: another one begins no deployment.
func (p *servicePlan) configure() {
	if d := p.primary(); d.Rollout == ecs.DeploymentRolloutStateInProgress {
		d.Configuration = p.s.Service.DeploymentConfiguration
	}
}

// rollBack makes the deployment that was completed last, nil if there was none,
// primary in place of one that has failed. It is the same deployment with the
// same id, so that its tasks that still run count at once, and only what is
// missing is started. What the user wants stays what it is. ok is false when there
// is nothing to roll back to, or when it is the rollback that failed.
// Source: ECS developer guide, "How the Amazon ECS deployment circuit breaker
// detects failures": the deployment goes from COMPLETED to IN_PROGRESS again.
func rollBack(s *record.Service, failed, back *record.Deployment, why string, now time.Time) (ok bool) {
	if back == nil || back.ID == failed.ID || failed.RollbackOf != "" {
		return false
	}
	back.Rollout, back.Reason = ecs.DeploymentRolloutStateInProgress, why+": rolling back to deploymentId "+back.ID+"."
	back.RollbackOf, back.StopRequested, back.FailedTasks, back.Failures, back.Retired = failed.ID, false, 0, 0, false
	back.PrimaryAt = now
	failed.Rollback = &record.Rollback{To: back.RevisionARN(), StartedAt: now, Outcome: ecs.ServiceDeploymentStatusRollbackInProgress}
	failed.EndedAt = time.Time{}
	s.Primary, s.SteadyAt, s.Throttle = back.ID, time.Time{}, record.Throttle{}
	return true
}

// endRollback notes how the rollback of a deployment ended.
func endRollback(failed *record.Deployment, outcome ecs.ServiceDeploymentStatus, now time.Time) {
	if failed.Rollback != nil && failed.Rollback.Outcome == ecs.ServiceDeploymentStatusRollbackInProgress {
		r := *failed.Rollback
		r.Outcome = outcome
		failed.Rollback, failed.EndedAt, failed.UpdatedAt = &r, now, now
	}
}

// Abandon ends the primary deployment because the user wants it, and rolls back
// to the one that was completed last, nil if there was none. It changes all three; ok
// is false, and nothing changed, when there is nothing to roll back to.
// uuid is the id of the event that says so.
func Abandon(s *record.Service, primary, completed *record.Deployment, uuid string, now time.Time) (ok bool) {
	if !rollBack(s, primary, completed, "ECS deployment stopped", now) {
		return false
	}
	primary.Rollout, primary.StopRequested, primary.Reason = ecs.DeploymentRolloutStateFailed, true, "ECS deployment stopped."
	primary.UpdatedAt, completed.UpdatedAt = now, now
	addEvent(s, uuid, eventText(s, rollingBackEvent(s)), now)
	return true
}

func rollingBackEvent(s *record.Service) string {
	return "rolling back to deployment " + s.Primary + "."
}

// conclude retires deployments without tasks, completes the primary one, and says
// when the service is steady.
func (p *servicePlan) conclude() {
	p.retireOld()
	d := p.primary()
	p.steady = p.strategy().arrived()
	if p.steady && d.Rollout == ecs.DeploymentRolloutStateInProgress && !p.baking() {
		p.complete(d)
	}
	switch {
	case p.steady && p.s.Rebalance.Since.IsZero():
		p.saySteady() // else when nothing more is moved
	case !p.steady && !p.s.SteadyAt.IsZero():
		p.s.SteadyAt, p.changed = time.Time{}, true
	}
}

func (p *servicePlan) complete(d *record.Deployment) {
	d.Rollout, d.Reason = ecs.DeploymentRolloutStateCompleted, "ECS deployment "+d.ID+" completed."
	if d.CompletedAt.IsZero() {
		d.CompletedAt, d.EndedAt = p.now, p.now
	}
	if failed := p.find(d.RollbackOf); failed != nil {
		endRollback(failed, ecs.ServiceDeploymentStatusRollbackSuccessful, p.now)
	}
	p.s.Completed, p.changed = d.ID, true
	p.event("(deployment " + d.ID + ") deployment completed.")
}

// retireOld retires deployments without tasks. One that failed stays until its
// rollback has ended, which is its end too.
func (p *servicePlan) retireOld() {
	d := p.primary()
	for _, o := range p.deployments[1:] {
		failing := o.ID == d.RollbackOf && d.Rollout == ecs.DeploymentRolloutStateInProgress
		if !failing && !p.hasTasks(o.ID) {
			p.retire(o)
		}
	}
}

// retire leaves nothing of a deployment but its history.
func (p *servicePlan) retire(d *record.Deployment) {
	d.Retired = true
	if d.EndedAt.IsZero() {
		d.EndedAt = p.now
	}
	endRollback(d, ecs.ServiceDeploymentStatusRollbackFailed, p.now)
}

// saySteady says that the service is steady, again every now and then, and after
// a scale-in when all that there is to say of it was said.
func (p *servicePlan) saySteady() {
	if p.shrunk {
		p.s.SteadyAt, p.changed = time.Time{}, true
		return
	}
	if again := p.s.SteadyAt.Add(repeatAfter); !p.s.SteadyAt.IsZero() && p.now.Before(again) {
		p.requeue(again)
		return
	}
	p.event("has reached a steady state.")
	p.s.SteadyAt, p.changed = p.now, true
	p.requeue(p.now.Add(repeatAfter))
}

// hasTasks reports whether a deployment still has a task that has not stopped.
func (p *servicePlan) hasTasks(id string) bool {
	return slices.ContainsFunc(p.tasks, func(m *member) bool { return m.deployment() == id && !m.task.Stopped() })
}
