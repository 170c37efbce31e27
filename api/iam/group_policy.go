package iam

import (
	"context"

	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// PutGroupPolicy implements the operation of that name.
func (s *Server) PutGroupPolicy(ctx context.Context, in *iam.PutGroupPolicyInput) (*iam.PutGroupPolicyOutput, error) {
	err := s.changeGroup(ctx, in.GroupName, func(_ *store.Tx, g *record.Group) error {
		return ofGroup(g).put(*in.GroupName, *in.PolicyName, *in.PolicyDocument)
	})
	return &iam.PutGroupPolicyOutput{}, err
}

// GetGroupPolicy implements the operation of that name.
func (s *Server) GetGroupPolicy(ctx context.Context, in *iam.GetGroupPolicyInput) (*iam.GetGroupPolicyOutput, error) {
	g, err := group(s.db.View(), scopeOf(ctx), in.GroupName)
	if err != nil {
		return nil, err
	}
	document, err := ofGroup(g).get(*in.PolicyName)
	return &iam.GetGroupPolicyOutput{GroupName: g.Group.GroupName, PolicyName: in.PolicyName, PolicyDocument: document}, err
}

// DeleteGroupPolicy implements the operation of that name.
func (s *Server) DeleteGroupPolicy(ctx context.Context, in *iam.DeleteGroupPolicyInput) (*iam.DeleteGroupPolicyOutput, error) {
	err := s.changeGroup(ctx, in.GroupName, func(_ *store.Tx, g *record.Group) error {
		return ofGroup(g).remove(*in.PolicyName)
	})
	return &iam.DeleteGroupPolicyOutput{}, err
}

// ListGroupPolicies implements the operation of that name.
func (s *Server) ListGroupPolicies(ctx context.Context, in *iam.ListGroupPoliciesInput) (*iam.ListGroupPoliciesOutput, error) {
	g, err := group(s.db.View(), scopeOf(ctx), in.GroupName)
	if err != nil {
		return nil, err
	}
	names, more, next, err := ofGroup(g).names(pages.Ask(in, in.Marker, in.MaxItems))
	return &iam.ListGroupPoliciesOutput{PolicyNames: names, IsTruncated: more, Marker: next}, err
}

// AttachGroupPolicy implements the operation of that name.
func (s *Server) AttachGroupPolicy(ctx context.Context, in *iam.AttachGroupPolicyInput) (*iam.AttachGroupPolicyOutput, error) {
	err := s.changeGroup(ctx, in.GroupName, func(tx *store.Tx, g *record.Group) error {
		return ofGroup(g).attach(tx, scopeOf(ctx), *in.PolicyArn)
	})
	return &iam.AttachGroupPolicyOutput{}, err
}

// DetachGroupPolicy implements the operation of that name.
func (s *Server) DetachGroupPolicy(ctx context.Context, in *iam.DetachGroupPolicyInput) (*iam.DetachGroupPolicyOutput, error) {
	err := s.changeGroup(ctx, in.GroupName, func(_ *store.Tx, g *record.Group) error {
		return ofGroup(g).detach(*in.PolicyArn)
	})
	return &iam.DetachGroupPolicyOutput{}, err
}

// ListAttachedGroupPolicies implements the operation of that name.
func (s *Server) ListAttachedGroupPolicies(ctx context.Context, in *iam.ListAttachedGroupPoliciesInput) (*iam.ListAttachedGroupPoliciesOutput, error) {
	g, err := group(s.db.View(), scopeOf(ctx), in.GroupName)
	if err != nil {
		return nil, err
	}
	policies, more, next, err := ofGroup(g).attached(in.PathPrefix, pages.Ask(in, in.Marker, in.MaxItems))
	return &iam.ListAttachedGroupPoliciesOutput{AttachedPolicies: policies, IsTruncated: more, Marker: next}, err
}
