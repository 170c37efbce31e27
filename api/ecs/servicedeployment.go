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
	"fargo/aws/ecs"
	"fargo/plan"
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
	name, err := named("service", c, *in.Service)
	if err != nil {
		return nil, err
	}
	service, ok := findService(view, c, name)
	if !ok {
		return nil, ecs.ServiceNotFoundException("Service not found.")
	}
	var briefs []ecs.ServiceDeploymentBrief
	for r := range store.ServiceDeployments.By(view, store.ByService, service.Key()) {
		if passes(&r.Deployment, in) {
			briefs = append(briefs, brief(&r.Deployment))
		}
	}
	slices.SortFunc(briefs, func(a, b ecs.ServiceDeploymentBrief) int { return strings.Compare(dated(b), dated(a)) })
	max := in.MaxResults
	if max == nil {
		max = new(int32(maxDeployments))
	}
	out, next, err := page(slices.Values(briefs), dated, descending, in.NextToken, max)
	return &ecs.ListServiceDeploymentsOutput{ServiceDeployments: orEmpty(out), NextToken: next}, err
}

// dated is a deployment's place in a list by age.
func dated(b ecs.ServiceDeploymentBrief) string {
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
		row, ok := store.ServiceDeployments.Get(view, arn)
		if !ok || row.Scope != scope {
			out.Failures = append(out.Failures, missing(arn))
			continue
		}
		out.ServiceDeployments = append(out.ServiceDeployments, row.Deployment)
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
		row, ok := store.ServiceRevisions.Get(view, arn)
		if !ok || row.Scope != scope {
			out.Failures = append(out.Failures, missing(arn))
			continue
		}
		out.ServiceRevisions = append(out.ServiceRevisions, row.Revision)
	}
	return out, nil
}

// record makes what a call does to a deployment show in its history at once: who
// has begun or stopped one may look for it with the next call.
func record(tx *store.Tx, s *fargo.Service, d *fargo.Deployment, now time.Time) {
	var old *ecs.ServiceDeployment
	if row, ok := store.ServiceDeployments.Get(tx, d.Arn); ok {
		old = &row.Deployment
	}
	if next, changed := plan.History(s, d, false, old, serviceTasks(tx, s), now); changed {
		store.ServiceDeployments.Put(tx, &fargo.ServiceDeployment{Scope: s.Scope, Service: s.Key(), Deployment: *next})
	}
}

// StopServiceDeployment ends a deployment that is under way and goes back to
// the last one that was completed. One that is being stopped goes on with it.
// Source: ECS developer guide, "Stopping Amazon ECS service deployments".
func (s *Server) StopServiceDeployment(ctx context.Context, in *ecs.StopServiceDeploymentInput) (*ecs.StopServiceDeploymentOutput, error) {
	if in.StopType == ecs.StopServiceDeploymentStopTypeAbort {
		return nil, notImplemented("the stop type ABORT")
	}
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		row, ok := store.ServiceDeployments.Get(tx, *in.ServiceDeploymentArn)
		if !ok || row.Scope != scope {
			return ecs.ServiceDeploymentNotFoundException("The service deployment was not found.")
		}
		switch row.Deployment.Status {
		case ecs.ServiceDeploymentStatusStopRequested, ecs.ServiceDeploymentStatusRollbackRequested, ecs.ServiceDeploymentStatusRollbackInProgress:
			return nil // it is being stopped
		}
		service, ok := store.Services.Get(tx, row.Service)
		if !ok || row.Deployment.Status != ecs.ServiceDeploymentStatusInProgress || len(service.Deployments) == 0 || service.Deployments[0].Arn != *in.ServiceDeploymentArn {
			return ecs.ConflictException("The service deployment is not in progress.")
		}
		next := *service
		next.Deployments = slices.Clone(service.Deployments)
		if !plan.Abandon(&next, uuid.NewString(), now) {
			return ecs.ConflictException("There is no completed deployment to roll back to.")
		}
		store.Services.Put(tx, &next)
		for i := range next.Deployments {
			if d := &next.Deployments[i]; d.Arn == row.Key() && d.RollbackOf == "" {
				record(tx, &next, d, now)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.StopServiceDeploymentOutput{ServiceDeploymentArn: in.ServiceDeploymentArn}, nil
}
