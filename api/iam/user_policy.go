package iam

import (
	"context"

	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// PutUserPolicy implements the operation of that name.
func (s *Server) PutUserPolicy(ctx context.Context, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(_ *store.Tx, u *record.User) error {
		return ofUser(u).put(*in.UserName, *in.PolicyName, *in.PolicyDocument)
	})
	return &iam.PutUserPolicyOutput{}, err
}

// GetUserPolicy implements the operation of that name.
func (s *Server) GetUserPolicy(ctx context.Context, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	u, err := user(s.db.View(), scopeOf(ctx), in.UserName)
	if err != nil {
		return nil, err
	}
	document, err := ofUser(u).get(*in.PolicyName)
	return &iam.GetUserPolicyOutput{UserName: u.User.UserName, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// DeleteUserPolicy implements the operation of that name.
func (s *Server) DeleteUserPolicy(ctx context.Context, in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(_ *store.Tx, u *record.User) error {
		return ofUser(u).remove(*in.PolicyName)
	})
	return &iam.DeleteUserPolicyOutput{}, err
}

// ListUserPolicies implements the operation of that name.
func (s *Server) ListUserPolicies(ctx context.Context, in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	u, err := user(s.db.View(), scopeOf(ctx), in.UserName)
	if err != nil {
		return nil, err
	}
	names, more, next, err := ofUser(u).names(pages.Ask(in, in.Marker, in.MaxItems))
	return &iam.ListUserPoliciesOutput{PolicyNames: names, IsTruncated: more, Marker: next}, err
}

// AttachUserPolicy implements the operation of that name.
func (s *Server) AttachUserPolicy(ctx context.Context, in *iam.AttachUserPolicyInput) (*iam.AttachUserPolicyOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(tx *store.Tx, u *record.User) error {
		return ofUser(u).attach(tx, scopeOf(ctx), *in.PolicyArn)
	})
	return &iam.AttachUserPolicyOutput{}, err
}

// DetachUserPolicy implements the operation of that name.
func (s *Server) DetachUserPolicy(ctx context.Context, in *iam.DetachUserPolicyInput) (*iam.DetachUserPolicyOutput, error) {
	err := s.changeUser(ctx, in.UserName, func(_ *store.Tx, u *record.User) error {
		return ofUser(u).detach(*in.PolicyArn)
	})
	return &iam.DetachUserPolicyOutput{}, err
}

// ListAttachedUserPolicies implements the operation of that name.
func (s *Server) ListAttachedUserPolicies(ctx context.Context, in *iam.ListAttachedUserPoliciesInput) (*iam.ListAttachedUserPoliciesOutput, error) {
	u, err := user(s.db.View(), scopeOf(ctx), in.UserName)
	if err != nil {
		return nil, err
	}
	policies, more, next, err := ofUser(u).attached(in.PathPrefix, pages.Ask(in, in.Marker, in.MaxItems))
	return &iam.ListAttachedUserPoliciesOutput{AttachedPolicies: policies, IsTruncated: more, Marker: next}, err
}
