package iam

import (
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/iam"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "AWS Identity and Access Management";
// of tags on what is created, IAM user guide, "Tags for IAM resources".
var Actions = &api.Actions{
	Prefix: "iam",
	Tags:   resourceTags,
	Rows: map[string]api.Row{
		"CreateRole": onNew("role", func(in *iam.CreateRoleInput) (path, name *string) { return in.Path, in.RoleName }).
			Tags(func(in *iam.CreateRoleInput) map[string]string { return tagMap(in.Tags) }).
			Also(func(q *api.Query, in *iam.CreateRoleInput) []api.Access {
				return tagNew(q, "iam:TagRole", in.Tags, "role", in.Path, in.RoleName)
			}).
			Key("iam:PermissionsBoundary", func(_ *api.Query, in *iam.CreateRoleInput) []string { return api.Given(in.PermissionsBoundary) }),
		"CreateUser": onNew("user", func(in *iam.CreateUserInput) (path, name *string) { return in.Path, in.UserName }).
			Tags(func(in *iam.CreateUserInput) map[string]string { return tagMap(in.Tags) }).
			Also(func(q *api.Query, in *iam.CreateUserInput) []api.Access {
				return tagNew(q, "iam:TagUser", in.Tags, "user", in.Path, in.UserName)
			}).
			Key("iam:PermissionsBoundary", func(_ *api.Query, in *iam.CreateUserInput) []string { return api.Given(in.PermissionsBoundary) }),
		"CreatePolicy": onNew("policy", func(in *iam.CreatePolicyInput) (path, name *string) { return in.Path, in.PolicyName }).
			Tags(func(in *iam.CreatePolicyInput) map[string]string { return tagMap(in.Tags) }).
			Also(func(q *api.Query, in *iam.CreatePolicyInput) []api.Access {
				return tagNew(q, "iam:TagPolicy", in.Tags, "policy", in.Path, in.PolicyName)
			}),
		"CreateInstanceProfile": onNew("instance-profile", func(in *iam.CreateInstanceProfileInput) (path, name *string) {
			return in.Path, in.InstanceProfileName
		}).
			Tags(func(in *iam.CreateInstanceProfileInput) map[string]string { return tagMap(in.Tags) }).
			Also(func(q *api.Query, in *iam.CreateInstanceProfileInput) []api.Access {
				return tagNew(q, "iam:TagInstanceProfile", in.Tags, "instance-profile", in.Path, in.InstanceProfileName)
			}),
		"CreateGroup": onNew("group", func(in *iam.CreateGroupInput) (path, name *string) { return in.Path, in.GroupName }),
		"CreateServiceLinkedRole": api.On(func(q *api.Query, in *iam.CreateServiceLinkedRoleInput) []string {
			name := "*" // AWS knows more services than serviceRoles
			if known, ok := serviceRoles[aws.Value(in.AWSServiceName)]; ok {
				name = known.name
			}
			return []string{q.GlobalARN("iam", "role"+servicePath+aws.Value(in.AWSServiceName)+"/"+name)}
		}).Key("iam:AWSServiceName", func(_ *api.Query, in *iam.CreateServiceLinkedRoleInput) []string { return api.Given(in.AWSServiceName) }),
		// A task's id has the path of the role in it.
		"GetServiceLinkedRoleDeletionStatus": api.On(func(q *api.Query, in *iam.GetServiceLinkedRoleDeletionStatusInput) []string {
			path := strings.TrimPrefix(aws.Value(in.DeletionTaskId), "task")
			return []string{q.GlobalARN("iam", "role"+path[:max(0, strings.LastIndex(path, "/"))])}
		}).Inferred(),

		"AttachRolePolicy": onRole(func(in *iam.AttachRolePolicyInput) *string { return in.RoleName }).
			Key("iam:PolicyARN", func(_ *api.Query, in *iam.AttachRolePolicyInput) []string { return api.Given(in.PolicyArn) }),
		"DetachRolePolicy": onRole(func(in *iam.DetachRolePolicyInput) *string { return in.RoleName }).
			Key("iam:PolicyARN", func(_ *api.Query, in *iam.DetachRolePolicyInput) []string { return api.Given(in.PolicyArn) }),
		"AttachUserPolicy": onUser(func(in *iam.AttachUserPolicyInput) *string { return in.UserName }).
			Key("iam:PolicyARN", func(_ *api.Query, in *iam.AttachUserPolicyInput) []string { return api.Given(in.PolicyArn) }),
		"DetachUserPolicy": onUser(func(in *iam.DetachUserPolicyInput) *string { return in.UserName }).
			Key("iam:PolicyARN", func(_ *api.Query, in *iam.DetachUserPolicyInput) []string { return api.Given(in.PolicyArn) }),
		"AttachGroupPolicy": onGroup(func(in *iam.AttachGroupPolicyInput) *string { return in.GroupName }).
			Key("iam:PolicyARN", func(_ *api.Query, in *iam.AttachGroupPolicyInput) []string { return api.Given(in.PolicyArn) }),
		"DetachGroupPolicy": onGroup(func(in *iam.DetachGroupPolicyInput) *string { return in.GroupName }).
			Key("iam:PolicyARN", func(_ *api.Query, in *iam.DetachGroupPolicyInput) []string { return api.Given(in.PolicyArn) }),
		"PutRolePermissionsBoundary": onRole(func(in *iam.PutRolePermissionsBoundaryInput) *string { return in.RoleName }).
			Key("iam:PermissionsBoundary", func(_ *api.Query, in *iam.PutRolePermissionsBoundaryInput) []string {
				return api.Given(in.PermissionsBoundary)
			}),
		"PutUserPermissionsBoundary": onUser(func(in *iam.PutUserPermissionsBoundaryInput) *string { return in.UserName }).
			Key("iam:PermissionsBoundary", func(_ *api.Query, in *iam.PutUserPermissionsBoundaryInput) []string {
				return api.Given(in.PermissionsBoundary)
			}),
		"AddRoleToInstanceProfile": onProfile(func(in *iam.AddRoleToInstanceProfileInput) *string { return in.InstanceProfileName }).
			Also(func(q *api.Query, in *iam.AddRoleToInstanceProfileInput) []api.Access {
				if in.RoleName == nil {
					return nil
				}
				return api.PassRole("ec2.amazonaws.com", new(roleNamed(q, in.RoleName)))
			}),

		"TagRole": onRole(func(in *iam.TagRoleInput) *string { return in.RoleName }).
			Tags(func(in *iam.TagRoleInput) map[string]string { return tagMap(in.Tags) }),
		"TagUser": onUser(func(in *iam.TagUserInput) *string { return in.UserName }).
			Tags(func(in *iam.TagUserInput) map[string]string { return tagMap(in.Tags) }),
		"TagPolicy": onPolicy(func(in *iam.TagPolicyInput) *string { return in.PolicyArn }).
			Tags(func(in *iam.TagPolicyInput) map[string]string { return tagMap(in.Tags) }),
		"TagInstanceProfile": onProfile(func(in *iam.TagInstanceProfileInput) *string { return in.InstanceProfileName }).
			Tags(func(in *iam.TagInstanceProfileInput) map[string]string { return tagMap(in.Tags) }),
		"UntagRole": onRole(func(in *iam.UntagRoleInput) *string { return in.RoleName }).
			Key("aws:TagKeys", func(_ *api.Query, in *iam.UntagRoleInput) []string { return in.TagKeys }),
		"UntagUser": onUser(func(in *iam.UntagUserInput) *string { return in.UserName }).
			Key("aws:TagKeys", func(_ *api.Query, in *iam.UntagUserInput) []string { return in.TagKeys }),
		"UntagPolicy": onPolicy(func(in *iam.UntagPolicyInput) *string { return in.PolicyArn }).
			Key("aws:TagKeys", func(_ *api.Query, in *iam.UntagPolicyInput) []string { return in.TagKeys }),
		"UntagInstanceProfile": onProfile(func(in *iam.UntagInstanceProfileInput) *string { return in.InstanceProfileName }).
			Key("aws:TagKeys", func(_ *api.Query, in *iam.UntagInstanceProfileInput) []string { return in.TagKeys }),

		"DeleteRole":                    onRole(func(in *iam.DeleteRoleInput) *string { return in.RoleName }),
		"DeleteRolePermissionsBoundary": onRole(func(in *iam.DeleteRolePermissionsBoundaryInput) *string { return in.RoleName }),
		"DeleteRolePolicy":              onRole(func(in *iam.DeleteRolePolicyInput) *string { return in.RoleName }),
		"DeleteServiceLinkedRole":       onRole(func(in *iam.DeleteServiceLinkedRoleInput) *string { return in.RoleName }),
		"GetRole":                       onRole(func(in *iam.GetRoleInput) *string { return in.RoleName }),
		"GetRolePolicy":                 onRole(func(in *iam.GetRolePolicyInput) *string { return in.RoleName }),
		"ListAttachedRolePolicies":      onRole(func(in *iam.ListAttachedRolePoliciesInput) *string { return in.RoleName }),
		"ListInstanceProfilesForRole":   onRole(func(in *iam.ListInstanceProfilesForRoleInput) *string { return in.RoleName }),
		"ListRolePolicies":              onRole(func(in *iam.ListRolePoliciesInput) *string { return in.RoleName }),
		"ListRoleTags":                  onRole(func(in *iam.ListRoleTagsInput) *string { return in.RoleName }),
		"PutRolePolicy":                 onRole(func(in *iam.PutRolePolicyInput) *string { return in.RoleName }),
		"UpdateAssumeRolePolicy":        onRole(func(in *iam.UpdateAssumeRolePolicyInput) *string { return in.RoleName }),
		"UpdateRole":                    onRole(func(in *iam.UpdateRoleInput) *string { return in.RoleName }),
		"UpdateRoleDescription":         onRole(func(in *iam.UpdateRoleDescriptionInput) *string { return in.RoleName }),

		"CreateAccessKey":                onUser(func(in *iam.CreateAccessKeyInput) *string { return in.UserName }),
		"DeleteAccessKey":                onUser(func(in *iam.DeleteAccessKeyInput) *string { return in.UserName }),
		"DeleteLoginProfile":             onUser(func(in *iam.DeleteLoginProfileInput) *string { return in.UserName }),
		"DeleteUser":                     onUser(func(in *iam.DeleteUserInput) *string { return in.UserName }),
		"DeleteUserPermissionsBoundary":  onUser(func(in *iam.DeleteUserPermissionsBoundaryInput) *string { return in.UserName }),
		"DeleteUserPolicy":               onUser(func(in *iam.DeleteUserPolicyInput) *string { return in.UserName }),
		"GetLoginProfile":                onUser(func(in *iam.GetLoginProfileInput) *string { return in.UserName }),
		"GetUser":                        onUser(func(in *iam.GetUserInput) *string { return in.UserName }),
		"GetUserPolicy":                  onUser(func(in *iam.GetUserPolicyInput) *string { return in.UserName }),
		"ListAccessKeys":                 onUser(func(in *iam.ListAccessKeysInput) *string { return in.UserName }),
		"ListAttachedUserPolicies":       onUser(func(in *iam.ListAttachedUserPoliciesInput) *string { return in.UserName }),
		"ListGroupsForUser":              onUser(func(in *iam.ListGroupsForUserInput) *string { return in.UserName }),
		"ListMFADevices":                 onUser(func(in *iam.ListMFADevicesInput) *string { return in.UserName }),
		"ListSSHPublicKeys":              onUser(func(in *iam.ListSSHPublicKeysInput) *string { return in.UserName }),
		"ListServiceSpecificCredentials": onUser(func(in *iam.ListServiceSpecificCredentialsInput) *string { return in.UserName }),
		"ListSigningCertificates":        onUser(func(in *iam.ListSigningCertificatesInput) *string { return in.UserName }),
		"ListUserPolicies":               onUser(func(in *iam.ListUserPoliciesInput) *string { return in.UserName }),
		"ListUserTags":                   onUser(func(in *iam.ListUserTagsInput) *string { return in.UserName }),
		"GetAccessKeyLastUsed": api.On(func(q *api.Query, in *iam.GetAccessKeyLastUsedInput) []string {
			k, ok := store.AccessKeys.Get(q.State, aws.Value(in.AccessKeyId))
			if !ok || k.Account != q.Account {
				return []string{q.GlobalARN("iam", "user/*")}
			}
			return []string{userNamed(q, k.Key.UserName)}
		}),
		"PutUserPolicy":   onUser(func(in *iam.PutUserPolicyInput) *string { return in.UserName }),
		"UpdateAccessKey": onUser(func(in *iam.UpdateAccessKeyInput) *string { return in.UserName }),
		"UpdateUser":      onUser(func(in *iam.UpdateUserInput) *string { return in.UserName }),

		"AddUserToGroup":            onGroup(func(in *iam.AddUserToGroupInput) *string { return in.GroupName }),
		"DeleteGroup":               onGroup(func(in *iam.DeleteGroupInput) *string { return in.GroupName }),
		"DeleteGroupPolicy":         onGroup(func(in *iam.DeleteGroupPolicyInput) *string { return in.GroupName }),
		"GetGroup":                  onGroup(func(in *iam.GetGroupInput) *string { return in.GroupName }),
		"GetGroupPolicy":            onGroup(func(in *iam.GetGroupPolicyInput) *string { return in.GroupName }),
		"ListAttachedGroupPolicies": onGroup(func(in *iam.ListAttachedGroupPoliciesInput) *string { return in.GroupName }),
		"ListGroupPolicies":         onGroup(func(in *iam.ListGroupPoliciesInput) *string { return in.GroupName }),
		"PutGroupPolicy":            onGroup(func(in *iam.PutGroupPolicyInput) *string { return in.GroupName }),
		"RemoveUserFromGroup":       onGroup(func(in *iam.RemoveUserFromGroupInput) *string { return in.GroupName }),

		"DeleteInstanceProfile":         onProfile(func(in *iam.DeleteInstanceProfileInput) *string { return in.InstanceProfileName }),
		"GetInstanceProfile":            onProfile(func(in *iam.GetInstanceProfileInput) *string { return in.InstanceProfileName }),
		"ListInstanceProfileTags":       onProfile(func(in *iam.ListInstanceProfileTagsInput) *string { return in.InstanceProfileName }),
		"RemoveRoleFromInstanceProfile": onProfile(func(in *iam.RemoveRoleFromInstanceProfileInput) *string { return in.InstanceProfileName }),

		"CreatePolicyVersion":     onPolicy(func(in *iam.CreatePolicyVersionInput) *string { return in.PolicyArn }),
		"DeletePolicy":            onPolicy(func(in *iam.DeletePolicyInput) *string { return in.PolicyArn }),
		"DeletePolicyVersion":     onPolicy(func(in *iam.DeletePolicyVersionInput) *string { return in.PolicyArn }),
		"GetPolicy":               onPolicy(func(in *iam.GetPolicyInput) *string { return in.PolicyArn }),
		"GetPolicyVersion":        onPolicy(func(in *iam.GetPolicyVersionInput) *string { return in.PolicyArn }),
		"ListEntitiesForPolicy":   onPolicy(func(in *iam.ListEntitiesForPolicyInput) *string { return in.PolicyArn }),
		"ListPolicyTags":          onPolicy(func(in *iam.ListPolicyTagsInput) *string { return in.PolicyArn }),
		"ListPolicyVersions":      onPolicy(func(in *iam.ListPolicyVersionsInput) *string { return in.PolicyArn }),
		"SetDefaultPolicyVersion": onPolicy(func(in *iam.SetDefaultPolicyVersionInput) *string { return in.PolicyArn }),

		"GetContextKeysForCustomPolicy": api.AnyResource[any](),
		"SimulateCustomPolicy":          api.AnyResource[any](),
		"GetContextKeysForPrincipalPolicy": api.On(func(_ *api.Query, in *iam.GetContextKeysForPrincipalPolicyInput) []string {
			return api.Given(in.PolicySourceArn)
		}),
		"SimulatePrincipalPolicy": api.On(func(_ *api.Query, in *iam.SimulatePrincipalPolicyInput) []string {
			return api.Given(in.PolicySourceArn)
		}),

		"GetAccountAuthorizationDetails": api.AnyResource[any](),

		"ListAccountAliases":    api.AnyResource[any](),
		"ListGroups":            api.AnyResource[any](),
		"ListInstanceProfiles":  api.AnyResource[any](),
		"ListPolicies":          api.AnyResource[any](),
		"ListRoles":             api.AnyResource[any](),
		"ListUsers":             api.AnyResource[any](),
		"ListVirtualMFADevices": api.AnyResource[any]().Inferred(),
	},
}

// onRole is the row of an operation on a role, by its name.
func onRole[In any](name func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return []string{roleNamed(q, name(in))} }).
		Key("iam:PermissionsBoundary", func(q *api.Query, in *In) []string {
			r, ok := store.Named(store.Roles, q.State, keyOf(q, name(in)))
			if !ok {
				return nil
			}
			return boundaryARN(r.Role.PermissionsBoundary)
		})
}

// onUser is the row of an operation on a user, by its name; the caller if there is
// none.
func onUser[In any](name func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return []string{userNamed(q, name(in))} }).
		Key("iam:PermissionsBoundary", func(q *api.Query, in *In) []string {
			u, ok := store.Named(store.Users, q.State, keyOf(q, name(in)))
			if !ok {
				return nil
			}
			return boundaryARN(u.User.PermissionsBoundary)
		})
}

func onGroup[In any](name func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		if g, ok := store.Named(store.Groups, q.State, keyOf(q, name(in))); ok {
			return []string{*g.Group.Arn}
		}
		return []string{q.GlobalARN("iam", "group/"+aws.Value(name(in)))}
	})
}

func onProfile[In any](name func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		if p, ok := store.Named(store.InstanceProfiles, q.State, keyOf(q, name(in))); ok {
			return []string{*p.Profile.Arn}
		}
		return []string{q.GlobalARN("iam", "instance-profile/"+aws.Value(name(in)))}
	})
}

func onPolicy[In any](arn func(*In) *string) api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return api.Given(arn(in)) })
}

// onNew is the row of an operation that creates something under a path.
func onNew[In any](kind string, of func(*In) (path, name *string)) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		path, name := of(in)
		return []string{newARN(q, kind, path, name)}
	})
}

func newARN(q *api.Query, kind string, path, name *string) string {
	if path == nil {
		path = new("/")
	}
	return q.GlobalARN("iam", kind+*path+aws.Value(name))
}

// tagNew asks for the tags of what is created.
func tagNew(q *api.Query, action string, tags []iam.Tag, kind string, path, name *string) []api.Access {
	if len(tags) == 0 {
		return nil
	}
	return []api.Access{{Action: action, Resources: []string{newARN(q, kind, path, name)}}}
}

func keyOf(q *api.Query, name *string) string {
	return fargo.Scope{Account: q.Account}.Key(aws.Value(name))
}

func roleNamed(q *api.Query, name *string) string {
	if r, ok := store.Named(store.Roles, q.State, keyOf(q, name)); ok {
		return *r.Role.Arn
	}
	return q.GlobalARN("iam", "role/"+aws.Value(name))
}

func userNamed(q *api.Query, name *string) string {
	if name == nil && q.UserName() != "" {
		return q.PrincipalARN
	}
	if u, ok := store.Named(store.Users, q.State, keyOf(q, name)); ok {
		return *u.User.Arn
	}
	return q.GlobalARN("iam", "user/"+aws.Value(name))
}

func boundaryARN(b *iam.AttachedPermissionsBoundary) []string {
	if b == nil {
		return nil
	}
	return api.Given(b.PermissionsBoundaryArn)
}

func tagMap(tags []iam.Tag) map[string]string {
	return api.TagMap(tags, func(t iam.Tag) (key, value *string) { return t.Key, t.Value })
}

// resourceTags are the tags that a role, a user, a policy or an instance profile
// has; groups have none.
func resourceTags(r store.Reader, arn string) map[string]string {
	a, _ := fargo.ParseARN(arn)
	key := fargo.Scope{Account: a.Account}.Key(a.Name())
	switch kind, _, _ := strings.Cut(a.Resource, "/"); kind {
	case "role":
		if role, ok := store.Roles.Get(r, key); ok {
			return tagMap(role.Role.Tags)
		}
	case "user":
		if u, ok := store.Users.Get(r, key); ok {
			return tagMap(u.User.Tags)
		}
	case "policy":
		if p, ok := store.Policies.Get(r, key); ok {
			return tagMap(p.Policy.Tags)
		}
	case "instance-profile":
		if p, ok := store.InstanceProfiles.Get(r, key); ok {
			return tagMap(p.Profile.Tags)
		}
	}
	return nil
}
