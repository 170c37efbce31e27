package iam

import (
	"context"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// servicePath begins the path of roles that belong to AWS services.
const servicePath = "/aws-service-role/"

// defaultSession is how long a role's sessions may last if nobody says, in
// seconds.
const defaultSession = 3600

// role finds a role by name.
func role(r store.Reader, s fargo.Scope, name *string) (*record.Role, error) {
	if found, ok := store.Named(store.Roles, r, s.Key(*name)); ok {
		return found, nil
	}
	return nil, missing("The role with name %s cannot be found.", *name)
}

// changeRole lets f change a copy of a role, and stores it. Roles of services
// are not to be changed, except by what is allowed to.
func (s *Server) changeRole(ctx context.Context, name *string, f func(*store.Tx, *record.Role) error) error {
	return change(ctx, s.db, store.Roles, role, name, f)
}

// unprotected refuses to change what belongs to a service.
func unprotected(r *record.Role) error {
	if strings.HasPrefix(*r.Role.Path, servicePath) {
		return iam.UnmodifiableEntityException("Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", *r.Role.RoleName)
	}
	return nil
}

// shownRole is a role as answers carry it.
func shownRole(reader store.Reader, r *record.Role) *iam.Role {
	shown := r.Role
	shown.AssumeRolePolicyDocument = encoded(shownTrust(reader, *shown.AssumeRolePolicyDocument))
	return &shown
}

// madeRole is a role as the call that made it is answered: with the trust policy
// that was given, without what has a default. Source: recorded.
func madeRole(r *record.Role, trust string) *iam.Role {
	shown := r.Role
	shown.AssumeRolePolicyDocument, shown.MaxSessionDuration = encoded(trust), nil
	return &shown
}

// listedRole leaves out what lists do not have.
// Source: IAM API, ListRoles.
func listedRole(reader store.Reader) func(*record.Role) iam.Role {
	return func(r *record.Role) iam.Role {
		shown := *shownRole(reader, r)
		shown.PermissionsBoundary, shown.Tags, shown.RoleLastUsed = nil, nil, nil
		return shown
	}
}

// CreateRole implements the operation of that name.
func (s *Server) CreateRole(ctx context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(*path, servicePath) {
		return nil, iam.InvalidInputException("The path '%s' is reserved for service-linked roles.", servicePath)
	}
	tags, err := entityTags.Merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	scope := scopeOf(ctx)
	r := newRole(scope, *in.RoleName, *path, *in.AssumeRolePolicyDocument)
	r.Role.Description, r.Role.Tags = in.Description, tags
	if in.MaxSessionDuration != nil {
		r.Role.MaxSessionDuration = in.MaxSessionDuration
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Named(store.Roles, tx, r.Key()); ok {
			return exists("Role with name %s already exists.", *in.RoleName)
		}
		trust, err := keptTrust(tx, scope, *in.AssumeRolePolicyDocument)
		if err != nil {
			return err
		}
		r.Role.AssumeRolePolicyDocument = &trust
		if r.Role.PermissionsBoundary, err = boundary(tx, scope, in.PermissionsBoundary); err != nil {
			return err
		}
		store.Roles.Put(tx, r)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateRoleOutput{Role: madeRole(r, *in.AssumeRolePolicyDocument)}, nil
}

// newRole makes a role without anything but what every role has.
func newRole(s fargo.Scope, name, path, trust string) *record.Role {
	return &record.Role{Account: s.Account, Role: iam.Role{
		RoleName: &name, Path: &path, RoleId: new(fargo.NewIAMID("AROA")),
		Arn: new(s.ARN("iam", "role"+path+name)), CreateDate: now(),
		AssumeRolePolicyDocument: &trust, MaxSessionDuration: new(int32(defaultSession)),
	}}
}

// GetRole implements the operation of that name.
func (s *Server) GetRole(ctx context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	v := s.db.View()
	r, err := role(v, scopeOf(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	shown := shownRole(v, r)
	shown.RoleLastUsed = s.roleLastUsed(v, r)
	return &iam.GetRoleOutput{Role: shown}, nil
}

// ListRoles implements the operation of that name.
func (s *Server) ListRoles(ctx context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	v := s.db.View()
	roles := each(store.Roles.Prefix(v, scopeOf(ctx).Key()),
		func(r *record.Role) bool { return strings.HasPrefix(*r.Role.Path, aws.Value(in.PathPrefix)) }, listedRole(v))
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), roles, func(r iam.Role) string { return *r.RoleName })
	return &iam.ListRolesOutput{Roles: out, IsTruncated: more, Marker: next}, err
}

// DeleteRole implements the operation of that name.
func (s *Server) DeleteRole(ctx context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := role(tx, scopeOf(ctx), in.RoleName)
		if err != nil {
			return err
		}
		if err := unprotected(r); err != nil {
			return err
		}
		for range store.InstanceProfiles.By(tx, "role", r.Key()) {
			return conflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		if err := deletable(r.Permissions); err != nil {
			return err
		}
		store.Roles.Delete(tx, r.Key())
		return nil
	})
	return &iam.DeleteRoleOutput{}, err
}

// UpdateRole implements the operation of that name.
func (s *Server) UpdateRole(ctx context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) error {
		if err := unprotected(r); err != nil {
			return err
		}
		if in.Description != nil {
			r.Role.Description = in.Description
		}
		// Source: IAM API, UpdateRole: "If you do not specify a value for this setting,
		// the default value of one hour is applied."
		r.Role.MaxSessionDuration = new(aws.ValueOr(in.MaxSessionDuration, defaultSession))
		return nil
	})
	return &iam.UpdateRoleOutput{}, err
}

// UpdateRoleDescription implements the operation of that name.
func (s *Server) UpdateRoleDescription(ctx context.Context, in *iam.UpdateRoleDescriptionInput) (*iam.UpdateRoleDescriptionOutput, error) {
	var shown *iam.Role
	err := s.changeRole(ctx, in.RoleName, func(tx *store.Tx, r *record.Role) error {
		r.Role.Description = in.Description // of services' roles too
		shown = shownRole(tx, r)
		return nil
	})
	return &iam.UpdateRoleDescriptionOutput{Role: shown}, err
}

// UpdateAssumeRolePolicy implements the operation of that name.
func (s *Server) UpdateAssumeRolePolicy(ctx context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(tx *store.Tx, r *record.Role) error {
		if err := unprotected(r); err != nil {
			return err
		}
		trust, err := keptTrust(tx, scopeOf(ctx), *in.PolicyDocument)
		r.Role.AssumeRolePolicyDocument = &trust
		return err
	})
	return &iam.UpdateAssumeRolePolicyOutput{}, err
}

// PutRolePermissionsBoundary implements the operation of that name.
func (s *Server) PutRolePermissionsBoundary(ctx context.Context, in *iam.PutRolePermissionsBoundaryInput) (*iam.PutRolePermissionsBoundaryOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(tx *store.Tx, r *record.Role) (err error) {
		if err := unprotected(r); err != nil {
			return err
		}
		r.Role.PermissionsBoundary, err = boundary(tx, scopeOf(ctx), in.PermissionsBoundary)
		return err
	})
	return &iam.PutRolePermissionsBoundaryOutput{}, err
}

// DeleteRolePermissionsBoundary implements the operation of that name.
func (s *Server) DeleteRolePermissionsBoundary(ctx context.Context, in *iam.DeleteRolePermissionsBoundaryInput) (*iam.DeleteRolePermissionsBoundaryOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) error {
		r.Role.PermissionsBoundary = nil
		return unprotected(r)
	})
	return &iam.DeleteRolePermissionsBoundaryOutput{}, err
}
