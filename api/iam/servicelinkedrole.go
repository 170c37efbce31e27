package iam

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws/iam"
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
	r, trust := linkedRole(scopeOf(ctx), service, name)
	r.Role.Description = in.Description
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

// linkedRole makes the role of a service in serviceRoles, with its trust policy.
func linkedRole(scope fargo.Scope, service, name string) (r *record.Role, trust string) {
	trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
	r = newRole(scope, name, servicePath+service+"/", trust)
	r.Attached = []string{"arn:aws:iam::aws:policy" + servicePath + serviceRoles[service].policy}
	return r, trust
}

// LinkRole makes the service-linked role of a service, if the account does not have it, and
// gives its ARN: AWS's services do so by themselves when they are first used.
func LinkRole(tx *store.Tx, account, service string) (arn string) {
	r, _ := linkedRole(fargo.Scope{Account: account}, service, serviceRoles[service].name)
	if old, ok := store.Named(store.Roles, tx, r.Key()); ok {
		return *old.Role.Arn
	}
	store.Roles.Put(tx, r)
	return *r.Role.Arn
}

// DeleteServiceLinkedRole implements the operation of that name. The role is
// gone at once: nothing in Fargo works through it.
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
		store.Roles.Delete(tx, r.Key())
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
	if _, ok := store.Named(store.Roles, s.db.View(), scopeOf(ctx).Key(parts[3])); ok {
		return &iam.GetServiceLinkedRoleDeletionStatusOutput{
			Status: iam.DeletionTaskStatusTypeFailed,
			Reason: &iam.DeletionTaskFailureReasonType{Reason: new("The role was made again.")},
		}, nil
	}
	return &iam.GetServiceLinkedRoleDeletionStatusOutput{Status: iam.DeletionTaskStatusTypeSucceeded}, nil
}
