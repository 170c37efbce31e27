package store

import "fargo"

// Roles are the IAM roles; "policy" finds those that a policy is attached to, by
// its ARN, and "boundary" those that it limits.
var Roles = NewTable("roles", (*fargo.Role).Key,
	Index[fargo.Role]{"policy", func(r *fargo.Role) []string { return r.Attached }},
	Index[fargo.Role]{"boundary", func(r *fargo.Role) []string {
		if b := r.Role.PermissionsBoundary; b != nil {
			return []string{*b.PermissionsBoundaryArn}
		}
		return nil
	}},
)

// InstanceProfiles hold roles; "role" finds them by the role's key.
var InstanceProfiles = NewTable("instance-profiles", (*fargo.InstanceProfile).Key,
	Index[fargo.InstanceProfile]{"role", func(p *fargo.InstanceProfile) []string {
		if p.Role == "" {
			return nil
		}
		return []string{fargo.Scope{Account: p.Account}.Key(p.Role)}
	}},
)

// Policies are the managed policies of customers.
var Policies = NewTable("policies", (*fargo.Policy).Key)
