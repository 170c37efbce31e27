package store

import (
	"fargo"
	"fargo/record"
)

// Roles are the IAM roles; "policy" finds those that a policy is attached to, by
// its ARN, "boundary" those that it limits, and "id" the one with a unique id.
var Roles = NewTable("roles", (*record.Role).Key, byName((*record.Role).Key),
	Index[record.Role]{"id", func(r *record.Role) []string { return []string{*r.Role.RoleId} }},
	Index[record.Role]{"policy", func(r *record.Role) []string { return r.Attached }},
	Index[record.Role]{"boundary", func(r *record.Role) []string {
		if b := r.Role.PermissionsBoundary; b != nil {
			return []string{*b.PermissionsBoundaryArn}
		}
		return nil
	}},
)

// InstanceProfiles hold roles; "role" finds them by the role's key.
var InstanceProfiles = NewTable("instance-profiles", (*record.InstanceProfile).Key, byName((*record.InstanceProfile).Key),
	Index[record.InstanceProfile]{"role", func(p *record.InstanceProfile) []string {
		if p.Role == "" {
			return nil
		}
		return []string{fargo.Scope{Account: p.Account}.Key(p.Role)}
	}},
)

// Policies are the managed policies of customers.
var Policies = NewTable("policies", (*record.Policy).Key, byName((*record.Policy).Key))
