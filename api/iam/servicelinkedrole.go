package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// CreateServiceLinkedRole implements the operation of that name, for the
// services in serviceRoles.
func (s *Server) CreateServiceLinkedRole(ctx context.Context, in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	service := *in.AWSServiceName
	kind, ok := serviceRoles[service]
	if !ok {
		return nil, iam.InvalidInputException("Service role creation is not supported for %s by Fargo.", service)
	}
	name := kind.name
	if in.CustomSuffix != nil {
		if !kind.suffix {
			return nil, iam.InvalidInputException("Custom suffix is not allowed for %s", service)
		}
		name += "_" + *in.CustomSuffix
	}
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
	r := newRole(scopeOf(ctx), name, servicePath+service+"/", trust)
	r.Role.Description = in.Description
	r.Attached = []string{"arn:aws:iam::aws:policy" + servicePath + kind.policy}
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Named(store.Roles, tx, r.Key()); ok {
			return iam.InvalidInputException("Service role name %s has been taken in this account, please try a different suffix.", name)
		}
		store.Roles.Put(tx, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateServiceLinkedRoleOutput{Role: madeRole(r, trust)}, nil
}

// descriptions are of the roles that services make for themselves.
// Source: GetRole's answers in public reports.
var descriptions = map[string]string{
	"ecs.amazonaws.com":                  "Role to enable Amazon ECS to manage your cluster.",
	"elasticloadbalancing.amazonaws.com": "Allows ELB to call AWS services on your behalf.",
}

// EnsureServiceRole makes the role that a service has for itself in the caller's account,
// with the permissions of the service's caller, unless it is there.
func (s *Server) EnsureServiceRole(ctx context.Context, service string) error {
	asked := api.CallFrom(ctx)
	if _, ok := store.Named(store.Roles, s.db.View(), scopeOf(ctx).Key(serviceRoles[service].name)); ok {
		return nil
	}
	call := &api.Call{RequestID: uuid.NewString(), Operation: "CreateServiceLinkedRole", Account: asked.Account, Region: plan.GlobalRegion, Caller: asked.Caller}
	call.InvokedBy = service
	_, err := api.CallAs(ctx, s.calls, &iam.API, call, &iam.CreateServiceLinkedRoleInput{
		AWSServiceName: &service, Description: aws.NonZero(descriptions[service]),
	}, s.CreateServiceLinkedRole)
	return err
}

// usage is what a service has in an account that needs its role, by region.
// Source: ECS developer guide and the guides of Elastic Load Balancing, "Delete the
// service-linked role".
func usage(r store.Reader, account, service string) []iam.RoleUsageType {
	used := map[string][]string{}
	add := func(s fargo.Scope, arn *string) {
		if s.Account == account {
			used[s.Region] = append(used[s.Region], *arn)
		}
	}
	switch service {
	case "ecs.amazonaws.com":
		for c := range store.Clusters.All(r) {
			if *c.Cluster.Status != "INACTIVE" {
				add(c.Scope, c.Cluster.ClusterArn)
			}
		}
	case "ecs.application-autoscaling.amazonaws.com":
		for t := range store.ScalableTargets.All(r) {
			add(t.Scope, t.Target.ScalableTargetARN)
		}
	case "elasticloadbalancing.amazonaws.com":
		for lb := range store.ELBLoadBalancers.All(r) {
			add(lb.Scope, lb.LoadBalancer.LoadBalancerArn)
		}
	}
	var all []iam.RoleUsageType
	for _, region := range slices.Sorted(maps.Keys(used)) {
		all = append(all, iam.RoleUsageType{Region: &region, Resources: used[region]})
	}
	return all
}

// DeleteServiceLinkedRole implements the operation of that name. The role is gone at
// once, or stays because its service needs it.
func (s *Server) DeleteServiceLinkedRole(ctx context.Context, in *iam.DeleteServiceLinkedRoleInput) (*iam.DeleteServiceLinkedRoleOutput, error) {
	var path, name string
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := role(tx, scopeOf(ctx), in.RoleName)
		if err != nil {
			return err
		}
		if path, name = *r.Role.Path, *r.Role.RoleName; !strings.HasPrefix(path, servicePath) {
			return iam.InvalidInputException("%s is not a service-linked role.", *in.RoleName)
		}
		if len(usage(tx, r.Account, serviceOf(r))) == 0 {
			store.Roles.Delete(tx, r.Key())
		}
		return nil
	})
	return &iam.DeleteServiceLinkedRoleOutput{DeletionTaskId: new("task" + path + name + "/" + uuid.NewString())}, err
}

// GetServiceLinkedRoleDeletionStatus implements the operation of that name. A
// task's id has the name of its role, whose absence is success.
func (s *Server) GetServiceLinkedRoleDeletionStatus(ctx context.Context, in *iam.GetServiceLinkedRoleDeletionStatusInput) (*iam.GetServiceLinkedRoleDeletionStatusOutput, error) {
	parts := strings.Split(*in.DeletionTaskId, "/")
	if len(parts) != 5 || parts[0] != "task" {
		return nil, missing("Deletion task %s cannot be found.", *in.DeletionTaskId)
	}
	view := s.db.View()
	if r, ok := store.Named(store.Roles, view, scopeOf(ctx).Key(parts[3])); ok {
		reason := &iam.DeletionTaskFailureReasonType{Reason: new("The role is there because its service needed it, or has made it again.")}
		if used := usage(view, r.Account, serviceOf(r)); len(used) > 0 {
			reason.Reason, reason.RoleUsageList = new("The service has resources that need the role."), used
		}
		return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: iam.DeletionTaskStatusTypeFailed, Reason: reason}, nil
	}
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: iam.DeletionTaskStatusTypeSucceeded}, nil
}

// serviceOf is the service that a service-linked role belongs to, by its path.
func serviceOf(r *record.Role) string {
	return strings.Trim(strings.TrimPrefix(*r.Role.Path, servicePath), "/")
}
