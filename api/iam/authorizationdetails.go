package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"fargo"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// detail is one entity as GetAccountAuthorizationDetails lists it: one of the four.
type detail struct {
	key    string // orders users, groups, roles, policies
	user   *iam.UserDetail
	group  *iam.GroupDetail
	role   *iam.RoleDetail
	policy *iam.ManagedPolicyDetail
}

// GetAccountAuthorizationDetails implements the operation of that name.
func (s *Server) GetAccountAuthorizationDetails(ctx context.Context, in *iam.GetAccountAuthorizationDetailsInput) (*iam.GetAccountAuthorizationDetailsOutput, error) {
	of := details{s, s.db.View(), scopeOf(ctx)}
	var all []detail
	for _, kind := range []struct {
		name iam.EntityType
		list func() []detail
	}{
		{iam.EntityTypeUser, of.users},
		{iam.EntityTypeGroup, of.groups},
		{iam.EntityTypeRole, of.roles},
		{iam.EntityTypeLocalManagedPolicy, of.policies},
		{iam.EntityTypeAWSManagedPolicy, of.awsPolicies},
	} {
		if len(in.Filter) == 0 || slices.Contains(in.Filter, kind.name) {
			all = append(all, kind.list()...)
		}
	}
	slices.SortFunc(all, func(a, b detail) int { return strings.Compare(a.key, b.key) })
	page, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), slices.Values(all), func(d detail) string { return d.key })
	out := &iam.GetAccountAuthorizationDetailsOutput{
		UserDetailList: []iam.UserDetail{}, GroupDetailList: []iam.GroupDetail{}, RoleDetailList: []iam.RoleDetail{}, Policies: []iam.ManagedPolicyDetail{},
		IsTruncated: more, Marker: next,
	}
	for _, d := range page {
		switch {
		case d.user != nil:
			out.UserDetailList = append(out.UserDetailList, *d.user)
		case d.group != nil:
			out.GroupDetailList = append(out.GroupDetailList, *d.group)
		case d.role != nil:
			out.RoleDetailList = append(out.RoleDetailList, *d.role)
		default:
			out.Policies = append(out.Policies, *d.policy)
		}
	}
	return out, err
}

// details reads the entities of an account.
type details struct {
	server *Server
	view   *store.Snapshot
	scope  fargo.Scope
}

func (d details) users() (all []detail) {
	for u := range store.Users.Prefix(d.view, d.scope.Key()) {
		all = append(all, detail{key: "1" + *u.User.UserName, user: &iam.UserDetail{
			Path: u.User.Path, UserName: u.User.UserName, UserId: u.User.UserId, Arn: u.User.Arn, CreateDate: u.User.CreateDate,
			UserPolicyList: inlineDetails(u.Permissions), GroupList: append([]string{}, u.Groups...), AttachedManagedPolicies: attachedDetails(u.Permissions),
			PermissionsBoundary: u.User.PermissionsBoundary, Tags: u.User.Tags,
		}})
	}
	return all
}

func (d details) groups() (all []detail) {
	for g := range store.Groups.Prefix(d.view, d.scope.Key()) {
		all = append(all, detail{key: "2" + *g.Group.GroupName, group: &iam.GroupDetail{
			Path: g.Group.Path, GroupName: g.Group.GroupName, GroupId: g.Group.GroupId, Arn: g.Group.Arn, CreateDate: g.Group.CreateDate,
			GroupPolicyList: inlineDetails(g.Permissions), AttachedManagedPolicies: attachedDetails(g.Permissions),
		}})
	}
	return all
}

func (d details) roles() (all []detail) {
	for r := range store.Roles.Prefix(d.view, d.scope.Key()) {
		shown := shownRole(d.view, r)
		profiles := []iam.InstanceProfile{}
		for p := range store.InstanceProfiles.By(d.view, "role", r.Key()) {
			profiles = append(profiles, shownProfile(d.view, p))
		}
		all = append(all, detail{key: "3" + *shown.RoleName, role: &iam.RoleDetail{
			Path: shown.Path, RoleName: shown.RoleName, RoleId: shown.RoleId, Arn: shown.Arn, CreateDate: shown.CreateDate,
			AssumeRolePolicyDocument: shown.AssumeRolePolicyDocument, InstanceProfileList: profiles,
			RolePolicyList: inlineDetails(r.Permissions), AttachedManagedPolicies: attachedDetails(r.Permissions),
			PermissionsBoundary: shown.PermissionsBoundary, Tags: shown.Tags, RoleLastUsed: d.server.roleLastUsed(d.view, r),
		}})
	}
	return all
}

func (d details) policies() (all []detail) {
	for p := range store.Policies.Prefix(d.view, d.scope.Key()) {
		all = append(all, d.policy(p))
	}
	return all
}

// awsPolicies are those of AWS's that something has.
func (d details) awsPolicies() (all []detail) {
	for _, p := range awsPolicies {
		if one := d.policy(p); *one.policy.AttachmentCount+*one.policy.PermissionsBoundaryUsageCount > 0 {
			all = append(all, one)
		}
	}
	return all
}

func (d details) policy(p *record.Policy) detail {
	shown := shownPolicy(d.view, d.scope, p)
	versions := []iam.PolicyVersion{}
	for _, v := range slices.Backward(p.Versions) {
		versions = append(versions, shownVersion(p, v, true))
	}
	return detail{key: "4" + *shown.Arn, policy: &iam.ManagedPolicyDetail{
		PolicyName: shown.PolicyName, PolicyId: shown.PolicyId, Arn: shown.Arn, Path: shown.Path, DefaultVersionId: shown.DefaultVersionId,
		AttachmentCount: shown.AttachmentCount, PermissionsBoundaryUsageCount: shown.PermissionsBoundaryUsageCount,
		IsAttachable: shown.IsAttachable, Description: shown.Description, CreateDate: shown.CreateDate, UpdateDate: shown.UpdateDate,
		PolicyVersionList: versions,
	}}
}

func inlineDetails(p record.Permissions) []iam.PolicyDetail {
	all := []iam.PolicyDetail{}
	for _, name := range slices.Sorted(maps.Keys(p.Inline)) {
		all = append(all, iam.PolicyDetail{PolicyName: new(name), PolicyDocument: encoded(p.Inline[name])})
	}
	return all
}

func attachedDetails(p record.Permissions) []iam.AttachedPolicy {
	all := []iam.AttachedPolicy{}
	for _, arn := range p.Attached {
		all = append(all, attachedPolicy(arn))
	}
	return all
}
