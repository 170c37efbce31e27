package plan

import (
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
)

// The bounds of the threshold of type BOUNDED_PERCENT.
// Source: ECS API, ThresholdType.
const (
	minBoundedThreshold = 3
	maxBoundedThreshold = 200
)

// Breaker is how many failures end a deployment; ok is false when the service has
// no circuit breaker.
// Source: ECS developer guide, "How the Amazon ECS deployment circuit breaker
// detects failures"; ECS API, ThresholdConfiguration. That it takes a failure at
// least, even of a small percentage, is our own rule.
func Breaker(c *ecs.DeploymentConfiguration, desired int) (threshold int, ok bool) {
	if c == nil || c.DeploymentCircuitBreaker == nil || !aws.Value(c.DeploymentCircuitBreaker.Enable) {
		return 0, false
	}
	t := record.CompleteBreaker(c.DeploymentCircuitBreaker).ThresholdConfiguration
	percent := (desired*int(*t.Value) + 99) / 100
	switch t.Type {
	case ecs.ThresholdTypeCount:
		return int(*t.Value), true
	case ecs.ThresholdTypeUnboundedPercent:
		return max(1, percent), true
	default:
		return min(maxBoundedThreshold, max(minBoundedThreshold, percent)), true
	}
}

// countFailure counts a task that failed for the circuit breaker while its
// deployment is under way: one that never became healthy, or one that the service
// replaces because it no longer is.
// Source: ECS developer guide, "How the Amazon ECS deployment circuit breaker
// detects failures".
func countFailure(d *record.Deployment, t *record.Task) {
	if d.Rollout == ecs.DeploymentRolloutStateInProgress && (!t.Settled || t.StopCode == fargo.StopServiceSchedulerInitiated) {
		d.Failures++
	}
}

// countHealthy begins the count anew when a task became healthy, unless the user
// wants all failures of a deployment counted.
// Source: ECS API, DeploymentCircuitBreaker.
func (p *servicePlan) countHealthy(d *record.Deployment) {
	c := p.s.Service.DeploymentConfiguration
	if d.Rollout == ecs.DeploymentRolloutStateInProgress && (c == nil || *record.CompleteBreaker(c.DeploymentCircuitBreaker).ResetOnHealthyTask) {
		d.Failures = 0
	}
}

// breakerGrace is how old a deployment is before its failures end it. On AWS
// tasks take longer than that to fail; here they may do so at once, and a client
// that looks up the deployment it has just begun must still find it the newest.
// What has failed often enough starts nothing more meanwhile.
const breakerGrace = 5 * time.Second

// breakCircuit ends a deployment whose tasks keep failing, and, if the user
// wants that, rolls back to the last one that was completed.
func (p *servicePlan) breakCircuit() {
	d := p.primary()
	threshold, on := Breaker(p.s.Service.DeploymentConfiguration, p.desired())
	if !on || d.Rollout != ecs.DeploymentRolloutStateInProgress || d.Failures < threshold {
		return
	}
	if due := d.PrimaryAt.Add(breakerGrace); p.now.Before(due) {
		p.failing = true
		p.requeue(due)
		return
	}
	p.failDeployment("tasks failed to start.", "ECS deployment circuit breaker", "ECS deployment circuit breaker: tasks failed to start.", aws.Value(p.s.Service.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback))
}

// failDeployment ends the primary deployment, with an event that says what, and, if the user
// wants that, rolls back to the last one that was completed, because of why.
func (p *servicePlan) failDeployment(what, why, reason string, rollback bool) {
	d := p.primary()
	d.Rollout, d.Reason = ecs.DeploymentRolloutStateFailed, reason
	if d.EndedAt.IsZero() {
		d.EndedAt = p.now
	}
	p.event("(deployment " + d.ID + ") deployment failed: " + what)
	if failed := p.find(d.RollbackOf); failed != nil { // the way back fails too
		endRollback(failed, ecs.ServiceDeploymentStatusRollbackFailed, p.now)
		return
	}
	if !rollback {
		return
	}
	if back := p.find(p.s.Completed); rollBack(p.s, d, back, why, p.now) {
		p.changed = true
		SortDeployments(p.s, p.deployments)
		p.event(rollingBackEvent(p.s))
	}
}

// breakerView is the circuit breaker of a deployment, as it is or was when the
// deployment was under way.
func breakerView(s *record.Service, d *record.Deployment, status ecs.ServiceDeploymentStatus) *ecs.ServiceDeploymentCircuitBreaker {
	threshold, on := Breaker(d.Configuration, s.DesiredCount())
	v := &ecs.ServiceDeploymentCircuitBreaker{
		Status:       ecs.ServiceDeploymentRollbackMonitorsStatusDisabled,
		FailureCount: new(int32(d.Failures)), Threshold: new(int32(threshold)),
	}
	switch {
	case !on:
	case d.Rollout == ecs.DeploymentRolloutStateFailed && !d.StopRequested && !d.AlarmsTriggered():
		v.Status = ecs.ServiceDeploymentRollbackMonitorsStatusTriggered
	case status == ecs.ServiceDeploymentStatusInProgress:
		v.Status = ecs.ServiceDeploymentRollbackMonitorsStatusMonitoring
	default:
		v.Status = ecs.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	}
	return v
}
