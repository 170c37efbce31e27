package ecs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxDeployments bounds the ARNs of the Describe calls here.
const maxDeployments = 20

// ListServiceDeployments gives a service's deployments, newest first.
func (s *Server) ListServiceDeployments(ctx context.Context, in *ecs.ListServiceDeploymentsInput) (*ecs.ListServiceDeploymentsOutput, error) {
	view := s.db.View()
	c, err := cluster(view, api.CallFrom(ctx).Scope(), clusterOf(in.Cluster, *in.Service))
	if err != nil {
		return nil, err
	}
	name, err := nameIn(c, serviceIDs, *in.Service)
	if err != nil {
		return nil, err
	}
	service, ok := findService(view, c, name)
	if !ok {
		return nil, ecs.ServiceNotFoundException("Service not found.")
	}
	var briefs []ecs.ServiceDeploymentBrief
	tasks := serviceTasks(view, service)
	for d := range store.Deployments.By(view, store.ByService, service.Key()) {
		if h := plan.History(service, d, tasks); passes(&h, in) {
			briefs = append(briefs, brief(&h))
		}
	}
	slices.SortFunc(briefs, func(a, b ecs.ServiceDeploymentBrief) int { return strings.Compare(byCreation(b), byCreation(a)) })
	asked := pages.WithDefault(maxDeployments).Ask(in, in.NextToken, in.MaxResults).Descending(true)
	out, next, err := page.Of(asked, slices.Values(briefs), byCreation)
	return &ecs.ListServiceDeploymentsOutput{ServiceDeployments: out, NextToken: next}, err
}

// byCreation is a deployment's place in a list by age.
func byCreation(b ecs.ServiceDeploymentBrief) string {
	return fmt.Sprintf("%019d %s", b.CreatedAt.UnixNano(), *b.ServiceDeploymentArn)
}

// clusterOf takes the cluster from a service's ARN when none is given.
func clusterOf(given *string, service string) *string {
	if given != nil {
		return given
	}
	if a, ok := fargo.ParseARN(service); ok {
		return new(fargo.ClusterOf(a))
	}
	return nil
}

func passes(d *ecs.ServiceDeployment, in *ecs.ListServiceDeploymentsInput) bool {
	if len(in.Status) > 0 && !slices.Contains(in.Status, d.Status) {
		return false
	}
	if in.CreatedAt != nil {
		if in.CreatedAt.After != nil && !d.CreatedAt.After(*in.CreatedAt.After) {
			return false
		}
		if in.CreatedAt.Before != nil && !d.CreatedAt.Before(*in.CreatedAt.Before) {
			return false
		}
	}
	return true
}

func brief(d *ecs.ServiceDeployment) ecs.ServiceDeploymentBrief {
	return ecs.ServiceDeploymentBrief{
		ServiceDeploymentArn: d.ServiceDeploymentArn, ServiceArn: d.ServiceArn, ClusterArn: d.ClusterArn,
		StartedAt: d.StartedAt, CreatedAt: d.CreatedAt, FinishedAt: d.FinishedAt,
		TargetServiceRevisionArn: d.TargetServiceRevision.Arn, Status: d.Status, StatusReason: d.StatusReason,
	}
}

// DescribeServiceDeployments shows deployments with their counts and breaker.
func (s *Server) DescribeServiceDeployments(ctx context.Context, in *ecs.DescribeServiceDeploymentsInput) (*ecs.DescribeServiceDeploymentsOutput, error) {
	if len(in.ServiceDeploymentArns) == 0 || len(in.ServiceDeploymentArns) > maxDeployments {
		return nil, invalid("serviceDeploymentArns should have between 1 and %d elements.", maxDeployments)
	}
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	out := &ecs.DescribeServiceDeploymentsOutput{ServiceDeployments: []ecs.ServiceDeployment{}, Failures: []ecs.Failure{}}
	for _, arn := range in.ServiceDeploymentArns {
		d, ok := store.Deployments.Get(view, arn)
		if !ok || d.Scope != scope {
			out.Failures = append(out.Failures, missing(arn))
			continue
		}
		service, _ := store.Services.Get(view, d.Service) // which its deployments go with
		out.ServiceDeployments = append(out.ServiceDeployments, plan.History(service, d, serviceTasks(view, service)))
	}
	return out, nil
}

// DescribeServiceRevisions shows what tasks are made from.
func (s *Server) DescribeServiceRevisions(ctx context.Context, in *ecs.DescribeServiceRevisionsInput) (*ecs.DescribeServiceRevisionsOutput, error) {
	if len(in.ServiceRevisionArns) == 0 || len(in.ServiceRevisionArns) > maxDeployments {
		return nil, invalid("serviceRevisionArns should have between 1 and %d elements.", maxDeployments)
	}
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	out := &ecs.DescribeServiceRevisionsOutput{ServiceRevisions: []ecs.ServiceRevision{}, Failures: []ecs.Failure{}}
	for _, arn := range in.ServiceRevisionArns {
		d, ok := deploymentOfRevision(view, arn)
		if !ok || d.Scope != scope {
			out.Failures = append(out.Failures, missing(arn))
			continue
		}
		out.ServiceRevisions = append(out.ServiceRevisions, plan.Revision(d))
	}
	return out, nil
}

func deploymentOfRevision(r store.Reader, arn string) (*record.Deployment, bool) {
	for d := range store.Deployments.By(r, store.DeploymentByRevision, arn) {
		return d, true
	}
	return nil, false
}

// deployment finds one of a service's deployments by its id, nil for none.
func deployment(r store.Reader, s *record.Service, id string) *record.Deployment {
	for d := range store.Deployments.By(r, store.ByService, s.Key()) {
		if d.ID == id {
			return d
		}
	}
	return nil
}

// primary is what a service that has not ended should become.
func primary(r store.Reader, s *record.Service) *record.Deployment {
	return deployment(r, s, s.Primary)
}

// begin starts the rollout of a revision of a service, stores both, and forgets
// what is long over.
func begin(tx *store.Tx, s *record.Service, revision ecs.ServiceRevision, now time.Time) {
	store.DeleteDeployments(tx, s.Key(), func(d *record.Deployment) bool { return plan.HistoryExpired(s, d, now) })
	var previous, rollbackOf *record.Deployment
	if previous = primary(tx, s); previous != nil {
		rollbackOf = deployment(tx, s, previous.RollbackOf)
	}
	definition, _ := store.TaskDefinitionByARN(tx, *revision.TaskDefinition)
	digests := plan.ImagesToResolve(&definition.Definition, func(image string) string { return store.PushedDigest(tx, image) })
	uuid := strings.ReplaceAll(uuid.NewString(), "-", "")[:21]
	for _, d := range plan.Begin(s, revision, digests, previous, rollbackOf, fargo.NewDeploymentDigits(), uuid, now) {
		store.Deployments.Put(tx, d)
	}
	store.Services.Put(tx, s)
}

// StopServiceDeployment ends a deployment that is under way and goes back to
// the last one that was completed. One that is being stopped goes on with it.
// Source: ECS developer guide, "Stopping Amazon ECS service deployments".
func (s *Server) StopServiceDeployment(ctx context.Context, in *ecs.StopServiceDeploymentInput) (*ecs.StopServiceDeploymentOutput, error) {
	if in.StopType == ecs.StopServiceDeploymentStopTypeAbort {
		return nil, notImplemented("the stop type ABORT")
	}
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		d, ok := store.Deployments.Get(tx, *in.ServiceDeploymentArn)
		if !ok || d.Scope != scope {
			return ecs.ServiceDeploymentNotFoundException("The service deployment does not exist.")
		}
		status, _ := plan.DeploymentStatus(d)
		switch status {
		case ecs.ServiceDeploymentStatusStopRequested, ecs.ServiceDeploymentStatusRollbackRequested, ecs.ServiceDeploymentStatusRollbackInProgress:
			return nil // it is being stopped
		}
		service, ok := store.Services.Get(tx, d.Service)
		if !ok || status != ecs.ServiceDeploymentStatusInProgress || service.Primary != d.ID {
			return ecs.ConflictException("The service deployment is not in progress.")
		}
		next, failed := *service, *d
		completed := deployment(tx, service, service.Completed)
		if completed != nil {
			completed = new(*completed)
		}
		if !plan.Abandon(&next, &failed, completed, uuid.NewString(), now) {
			return ecs.ConflictException("There is no completed deployment to roll back to.")
		}
		store.Services.Put(tx, &next)
		store.Deployments.Put(tx, &failed)
		store.Deployments.Put(tx, completed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.StopServiceDeploymentOutput{ServiceDeploymentArn: in.ServiceDeploymentArn}, nil
}
