package iam

import (
	"context"

	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// PutRolePolicy implements the operation of that name.
func (s *Server) PutRolePolicy(ctx context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) error {
		if err := unprotected(r); err != nil {
			return err
		}
		return ofRole(r).put(*in.RoleName, *in.PolicyName, *in.PolicyDocument)
	})
	return &iam.PutRolePolicyOutput{}, err
}

// GetRolePolicy implements the operation of that name.
func (s *Server) GetRolePolicy(ctx context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := role(s.db.View(), scopeOf(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	document, err := ofRole(r).get(*in.PolicyName)
	return &iam.GetRolePolicyOutput{RoleName: r.Role.RoleName, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// DeleteRolePolicy implements the operation of that name.
func (s *Server) DeleteRolePolicy(ctx context.Context, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) error {
		if err := unprotected(r); err != nil {
			return err
		}
		return ofRole(r).remove(*in.PolicyName)
	})
	return &iam.DeleteRolePolicyOutput{}, err
}

// ListRolePolicies implements the operation of that name.
func (s *Server) ListRolePolicies(ctx context.Context, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := role(s.db.View(), scopeOf(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	names, more, next, err := ofRole(r).names(pages.Ask(in, in.Marker, in.MaxItems))
	return &iam.ListRolePoliciesOutput{PolicyNames: names, IsTruncated: more, Marker: next}, err
}

// AttachRolePolicy implements the operation of that name.
func (s *Server) AttachRolePolicy(ctx context.Context, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(tx *store.Tx, r *record.Role) error {
		if err := unprotected(r); err != nil {
			return err
		}
		return ofRole(r).attach(tx, scopeOf(ctx), *in.PolicyArn)
	})
	return &iam.AttachRolePolicyOutput{}, err
}

// DetachRolePolicy implements the operation of that name.
func (s *Server) DetachRolePolicy(ctx context.Context, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	err := s.changeRole(ctx, in.RoleName, func(_ *store.Tx, r *record.Role) error {
		if err := unprotected(r); err != nil {
			return err
		}
		return ofRole(r).detach(*in.PolicyArn)
	})
	return &iam.DetachRolePolicyOutput{}, err
}

// ListAttachedRolePolicies implements the operation of that name.
func (s *Server) ListAttachedRolePolicies(ctx context.Context, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := role(s.db.View(), scopeOf(ctx), in.RoleName)
	if err != nil {
		return nil, err
	}
	policies, more, next, err := ofRole(r).attached(in.PathPrefix, pages.Ask(in, in.Marker, in.MaxItems))
	return &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: policies, IsTruncated: more, Marker: next}, err
}
