package store

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/record"
)

// oldService is what a service's record had before deployments had records of
// their own.
type oldService struct {
	record.Service
	Deployments   []oldDeployment
	LastCompleted *ecs.ServiceRevision
}

type oldDeployment struct {
	ID                   string
	Revision             ecs.ServiceRevision
	Arn, Source          string
	Rollout              ecs.DeploymentRolloutState
	Reason               string
	FailedTasks          int
	RollbackOf           string
	StopRequested        bool
	CreatedAt, UpdatedAt time.Time
}

// The tables of that time: histories of deployments, and revisions.
var (
	oldHistories = NewTable("servicedeployment", func(h *oldHistory) string { return *h.Deployment.ServiceDeploymentArn })
	oldRevisions = NewTable("servicerevision", func(r *oldRevision) string { return *r.Revision.ServiceRevisionArn })
)

type oldHistory struct {
	Scope      fargo.Scope
	Service    string
	Deployment ecs.ServiceDeployment
}

type oldRevision struct {
	Revision ecs.ServiceRevision
}

// parseOldService reads a service's record if it is one of that time that has
// not ended.
func parseOldService(value []byte) (s oldService, ok bool) {
	err := json.Unmarshal(value, &s)
	return s, err == nil && len(s.Deployments) > 0
}

// upgradeServices gives the deployments of old services records of their own, and
// leaves nothing of how they were kept. It goes as far as one transaction should,
// and returns the services that are left, and whether anything is.
func upgradeServices(tx *Tx, services []oldService) (left []oldService, more bool) {
	for h := range oldHistories.All(tx) {
		if tx.Full() {
			return services, true
		}
		Deployments.Put(tx, deploymentOfHistory(tx, h))
		oldHistories.Delete(tx, *h.Deployment.ServiceDeploymentArn)
	}
	for r := range oldRevisions.All(tx) { // which histories are made of
		if tx.Full() {
			return services, true
		}
		oldRevisions.Delete(tx, *r.Revision.ServiceRevisionArn)
	}
	for i := range services {
		if tx.Full() {
			return services[i:], true
		}
		upgradeService(tx, &services[i])
	}
	return nil, false
}

func upgradeService(tx *Tx, old *oldService) {
	s := old.Service
	s.Primary = old.Deployments[0].ID
	if c := s.Service.DeploymentConfiguration; c != nil {
		c.DeploymentCircuitBreaker = record.CompleteBreaker(c.DeploymentCircuitBreaker)
	}
	if old.LastCompleted != nil {
		s.Completed = idOfRevision(old.LastCompleted)
	}
	for i, o := range old.Deployments {
		d := record.Deployment{Scope: s.Scope, Service: s.Key(), ARN: o.Arn, CreatedAt: o.CreatedAt}
		for known := range Deployments.By(tx, DeploymentByRevision, *o.Revision.ServiceRevisionArn) {
			d = *known // also of one that is gone back to, which had the name of the one that failed
		}
		d.ID, d.Revision, d.Digests = o.ID, o.Revision, digestsOf(&o.Revision)
		d.Template = templateOf(&o.Revision)
		if i == 0 && o.RollbackOf == "" {
			d.Template = record.TemplateOf(&s)
		}
		d.Rollout, d.Reason, d.RollbackOf, d.StopRequested = o.Rollout, o.Reason, o.RollbackOf, o.StopRequested
		d.FailedTasks, d.Failures = o.FailedTasks, o.FailedTasks
		d.PrimaryAt, d.UpdatedAt, d.Retired = o.CreatedAt, o.UpdatedAt, false
		if d.Configuration == nil {
			d.Configuration = s.Service.DeploymentConfiguration
		}
		if d.Replaces == "" && o.RollbackOf == "" {
			d.Replaces = o.Source
		}
		Deployments.Put(tx, &d)
	}
	Services.Put(tx, &s)
}

// deploymentOfHistory is a deployment of which nothing but its history was left.
func deploymentOfHistory(tx *Tx, old *oldHistory) *record.Deployment {
	h := &old.Deployment
	d := &record.Deployment{
		Scope: old.Scope, Service: old.Service, ARN: *h.ServiceDeploymentArn, Configuration: h.DeploymentConfiguration,
		CreatedAt: *h.CreatedAt, PrimaryAt: *h.CreatedAt, Rollout: ecs.DeploymentRolloutStateInProgress, Retired: true,
		Revision: ecs.ServiceRevision{ServiceRevisionArn: h.TargetServiceRevision.Arn},
	}
	if r, ok := oldRevisions.Get(tx, *h.TargetServiceRevision.Arn); ok {
		d.Revision = r.Revision
	}
	d.ID, d.Digests, d.Template = idOfRevision(&d.Revision), digestsOf(&d.Revision), templateOf(&d.Revision)
	if h.UpdatedAt != nil {
		d.UpdatedAt = *h.UpdatedAt
	}
	if h.FinishedAt != nil {
		d.EndedAt = *h.FinishedAt
	}
	if len(h.SourceServiceRevisions) > 0 {
		d.Replaces = *h.SourceServiceRevisions[0].Arn
	}
	if b := h.DeploymentCircuitBreaker; b != nil && b.FailureCount != nil {
		d.FailedTasks, d.Failures = int(*b.FailureCount), int(*b.FailureCount)
	}
	switch {
	case h.Status == ecs.ServiceDeploymentStatusSuccessful:
		d.Rollout, d.CompletedAt = ecs.DeploymentRolloutStateCompleted, d.EndedAt
	case h.Rollback != nil:
		d.Rollout = ecs.DeploymentRolloutStateFailed
		d.Rollback = &record.Rollback{To: *h.Rollback.ServiceRevisionArn, StartedAt: *h.Rollback.StartedAt, Outcome: h.Status}
		d.StopRequested = h.StatusReason != nil && strings.Contains(*h.StatusReason, "a user stopped it")
	}
	return d
}

func idOfRevision(r *ecs.ServiceRevision) string {
	arn := *r.ServiceRevisionArn
	return "ecs-svc/" + arn[strings.LastIndex(arn, "/")+1:]
}

func digestsOf(r *ecs.ServiceRevision) map[string]string {
	out := map[string]string{}
	for _, image := range r.ContainerImages {
		out[*image.ContainerName] = ""
		if image.ImageDigest != nil {
			out[*image.ContainerName] = *image.ImageDigest
		}
	}
	return out
}

func templateOf(r *ecs.ServiceRevision) record.Template {
	return record.Template{
		TaskDefinition: r.TaskDefinition, LaunchType: r.LaunchType, CapacityProviderStrategy: slices.Clone(r.CapacityProviderStrategy),
		PlatformVersion: r.PlatformVersion, NetworkConfiguration: r.NetworkConfiguration,
		LoadBalancers: r.LoadBalancers, ServiceRegistries: r.ServiceRegistries,
	}
}
