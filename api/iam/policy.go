package iam

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"iter"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// awsPolicies are the managed policies of AWS, by ARN, as if a customer had made
// them.
var awsPolicies = func() map[string]*record.Policy {
	all := map[string]*record.Policy{}
	for arn, document := range policy.Managed() {
		all[arn] = awsPolicy(arn, document)
	}
	return all
}()

// awsDate stands for the dates of AWS's own policies: ECS's beginning.
var awsDate = time.Date(2014, 11, 13, 0, 0, 0, 0, time.UTC)

func awsPolicy(arn, document string) *record.Policy {
	a, _ := fargo.ParseARN(arn)
	id := sha256.Sum256([]byte(arn))
	return &record.Policy{
		Account: a.Account,
		Policy: iam.Policy{
			PolicyName: new(a.Name()), Arn: new(arn),
			Path:             new(policyPath(arn)),
			PolicyId:         new("ANPA" + base32.StdEncoding.EncodeToString(id[:])[:17]),
			DefaultVersionId: new("v1"), IsAttachable: new(true), CreateDate: &awsDate, UpdateDate: &awsDate,
		},
		Versions: []iam.PolicyVersion{{VersionId: new("v1"), Document: &document, CreateDate: &awsDate}},
		Latest:   1,
	}
}

// findPolicy finds a managed policy, of the account or of AWS, by its ARN.
func findPolicy(r store.Reader, s fargo.Scope, arn string) (*record.Policy, bool) {
	if p, ok := awsPolicies[arn]; ok {
		return p, true
	}
	a, ok := fargo.ParseARN(arn)
	if !ok || a.Account != s.Account {
		return nil, false
	}
	p, ok := store.Policies.Get(r, s.Key(a.Name()))
	return p, ok && *p.Policy.Arn == arn
}

// managed is findPolicy for calls that look at a policy.
func managed(r store.Reader, s fargo.Scope, arn *string) (*record.Policy, error) {
	if err := checkPolicyARN(*arn); err != nil {
		return nil, err
	}
	p, ok := findPolicy(r, s, *arn)
	if !ok {
		return nil, missing("Policy %s was not found.", *arn)
	}
	return p, nil
}

// customers is managed for calls that change a policy.
func customers(r store.Reader, s fargo.Scope, arn *string) (*record.Policy, error) {
	if _, isAWS := awsPolicies[*arn]; isAWS {
		return nil, errNotYours
	}
	return managed(r, s, arn)
}

// changePolicy lets f change a copy of a customer's policy, and stores it.
func (s *Server) changePolicy(ctx context.Context, arn *string, f func(*store.Tx, *record.Policy) error) error {
	return change(ctx, s.db, store.Policies, customers, arn, f)
}

// errNotYours refuses to change a policy of AWS.
var errNotYours = iam.InvalidInputException("Cannot perform the operation on an AWS managed policy: it is only modifiable by AWS.")

// shownPolicy is a policy as answers carry it, with what it is attached to
// counted.
func shownPolicy(r store.Reader, s fargo.Scope, p *record.Policy) *iam.Policy {
	shown := p.Policy
	attached, limits := entitiesWith(r, s, *p.Policy.Arn, "policy"), entitiesWith(r, s, *p.Policy.Arn, "boundary")
	shown.AttachmentCount, shown.PermissionsBoundaryUsageCount = new(int32(len(attached))), new(int32(len(limits)))
	return &shown
}

// entitiesWith lists the roles, users and groups of an account that an index finds
// under a policy.
func entitiesWith(r store.Reader, s fargo.Scope, arn, index string) (found []any) {
	for role := range store.Roles.By(r, index, arn) {
		if role.Account == s.Account {
			found = append(found, role)
		}
	}
	for user := range store.Users.By(r, index, arn) {
		if user.Account == s.Account {
			found = append(found, user)
		}
	}
	if index == "policy" {
		for group := range store.Groups.By(r, index, arn) {
			if group.Account == s.Account {
				found = append(found, group)
			}
		}
	}
	return found
}

func under(p *iam.Policy, pathPrefix *string) bool {
	return strings.HasPrefix(*p.Path, aws.Value(pathPrefix))
}

// checkManaged refuses what is no document for a managed policy.
func checkManaged(document string) error {
	if size(document) > maxManaged {
		return iam.LimitExceededException("Cannot exceed quota for PolicySize: %d", maxManaged)
	}
	_, err := policy.ParseManaged(document)
	return malformed(err)
}

// CreatePolicy implements the operation of that name.
func (s *Server) CreatePolicy(ctx context.Context, in *iam.CreatePolicyInput) (*iam.CreatePolicyOutput, error) {
	path, err := pathOf(in.Path)
	if err != nil {
		return nil, err
	}
	tags, err := otherTags.Merge(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	scope, made := scopeOf(ctx), now()
	p := &record.Policy{Account: scope.Account, Latest: 1, Policy: iam.Policy{
		PolicyName: in.PolicyName, Path: path, PolicyId: new(fargo.NewIAMID("ANPA")),
		Arn: new(scope.ARN("iam", "policy"+*path+*in.PolicyName)), Description: in.Description, Tags: tags,
		DefaultVersionId: new("v1"), IsAttachable: new(true), CreateDate: made, UpdateDate: made,
	}, Versions: []iam.PolicyVersion{{VersionId: new("v1"), Document: in.PolicyDocument, CreateDate: made}}}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		if _, ok := store.Named(store.Policies, tx, p.Key()); ok {
			return exists("A policy called %s already exists. Duplicate names are not allowed.", *in.PolicyName)
		}
		store.Policies.Put(tx, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreatePolicyOutput{Policy: shownPolicy(s.db.View(), scope, p)}, nil
}

// GetPolicy implements the operation of that name.
func (s *Server) GetPolicy(ctx context.Context, in *iam.GetPolicyInput) (*iam.GetPolicyOutput, error) {
	v, scope := s.db.View(), scopeOf(ctx)
	p, err := managed(v, scope, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	return &iam.GetPolicyOutput{Policy: shownPolicy(v, scope, p)}, nil
}

// DeletePolicy implements the operation of that name.
func (s *Server) DeletePolicy(ctx context.Context, in *iam.DeletePolicyInput) (*iam.DeletePolicyOutput, error) {
	scope := scopeOf(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		p, err := customers(tx, scope, in.PolicyArn)
		if err != nil {
			return err
		}
		if len(entitiesWith(tx, scope, *in.PolicyArn, "policy"))+len(entitiesWith(tx, scope, *in.PolicyArn, "boundary")) > 0 {
			return conflict("Cannot delete a policy attached to entities.")
		}
		if len(p.Versions) > 1 {
			return conflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		store.Policies.Delete(tx, p.Key())
		return nil
	})
	return &iam.DeletePolicyOutput{}, err
}

// ListPolicies implements the operation of that name.
func (s *Server) ListPolicies(ctx context.Context, in *iam.ListPoliciesInput) (*iam.ListPoliciesOutput, error) {
	v, scope := s.db.View(), scopeOf(ctx)
	usage := func(p *iam.Policy) int32 {
		switch in.PolicyUsageFilter {
		case iam.PolicyUsageTypePermissionsPolicy:
			return *p.AttachmentCount
		case iam.PolicyUsageTypePermissionsBoundary:
			return *p.PermissionsBoundaryUsageCount
		}
		return *p.AttachmentCount + *p.PermissionsBoundaryUsageCount
	}
	policies := each(s.policies(v, scope, in.Scope),
		func(p *iam.Policy) bool {
			unused := usage(p) == 0 && (in.PolicyUsageFilter != "" || in.OnlyAttached != nil && *in.OnlyAttached)
			return under(p, in.PathPrefix) && !unused
		},
		func(p *iam.Policy) iam.Policy {
			listed := *p
			listed.Description, listed.Tags = nil, nil
			return listed
		})
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), policies, func(p iam.Policy) string { return *p.Arn })
	return &iam.ListPoliciesOutput{Policies: out, IsTruncated: more, Marker: next}, err
}

// policies gives the policies of one kind in order of their ARNs: the account's
// come before AWS's, as digits before letters.
func (s *Server) policies(r store.Reader, scope fargo.Scope, kind iam.PolicyScopeType) iter.Seq[*iam.Policy] {
	var found []*iam.Policy
	if kind != iam.PolicyScopeTypeAws {
		for p := range store.Policies.Prefix(r, scope.Key()) {
			found = append(found, shownPolicy(r, scope, p))
		}
	}
	if kind != iam.PolicyScopeTypeLocal {
		for _, p := range awsPolicies {
			found = append(found, shownPolicy(r, scope, p))
		}
	}
	slices.SortFunc(found, func(a, b *iam.Policy) int { return strings.Compare(*a.Arn, *b.Arn) })
	return slices.Values(found)
}

// ListEntitiesForPolicy implements the operation of that name. Everything is on
// one page.
func (s *Server) ListEntitiesForPolicy(ctx context.Context, in *iam.ListEntitiesForPolicyInput) (*iam.ListEntitiesForPolicyOutput, error) {
	v, scope := s.db.View(), scopeOf(ctx)
	if _, err := managed(v, scope, in.PolicyArn); err != nil {
		return nil, err
	}
	var found []any
	if in.PolicyUsageFilter != iam.PolicyUsageTypePermissionsBoundary {
		found = entitiesWith(v, scope, *in.PolicyArn, "policy")
	}
	if in.PolicyUsageFilter != iam.PolicyUsageTypePermissionsPolicy {
		found = append(found, entitiesWith(v, scope, *in.PolicyArn, "boundary")...)
	}
	wanted := func(kind iam.EntityType, path *string) bool {
		return (in.EntityFilter == "" || in.EntityFilter == kind) && strings.HasPrefix(*path, aws.Value(in.PathPrefix))
	}
	out := &iam.ListEntitiesForPolicyOutput{
		IsTruncated: new(false),
		PolicyRoles: []iam.PolicyRole{}, PolicyUsers: []iam.PolicyUser{}, PolicyGroups: []iam.PolicyGroup{},
	}
	for _, h := range found {
		switch h := h.(type) {
		case *record.Role:
			if wanted(iam.EntityTypeRole, h.Role.Path) {
				out.PolicyRoles = append(out.PolicyRoles, iam.PolicyRole{RoleName: h.Role.RoleName, RoleId: h.Role.RoleId})
			}
		case *record.User:
			if wanted(iam.EntityTypeUser, h.User.Path) {
				out.PolicyUsers = append(out.PolicyUsers, iam.PolicyUser{UserName: h.User.UserName, UserId: h.User.UserId})
			}
		case *record.Group:
			if wanted(iam.EntityTypeGroup, h.Group.Path) {
				out.PolicyGroups = append(out.PolicyGroups, iam.PolicyGroup{GroupName: h.Group.GroupName, GroupId: h.Group.GroupId})
			}
		}
	}
	return out, nil
}
