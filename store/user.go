package store

import "fargo"

// Users are the IAM users; "policy" finds those that a policy is attached to,
// "boundary" those that it limits, both by its ARN, and "group" those in a group,
// by its key.
var Users = NewTable("users", (*fargo.User).Key,
	Index[fargo.User]{"policy", func(u *fargo.User) []string { return u.Attached }},
	Index[fargo.User]{"boundary", func(u *fargo.User) []string {
		if b := u.User.PermissionsBoundary; b != nil {
			return []string{*b.PermissionsBoundaryArn}
		}
		return nil
	}},
	Index[fargo.User]{"group", func(u *fargo.User) []string {
		keys := make([]string, len(u.Groups))
		for i, name := range u.Groups {
			keys[i] = fargo.Scope{Account: u.Account}.Key(name)
		}
		return keys
	}},
)

// Groups are the IAM groups; "policy" finds those that a policy is attached to,
// by its ARN.
var Groups = NewTable("groups", (*fargo.Group).Key,
	Index[fargo.Group]{"policy", func(g *fargo.Group) []string { return g.Attached }},
)

// AccessKeys are the permanent credentials, by access key id; "user" finds
// those of a user, by the user's key.
var AccessKeys = NewTable("access-keys",
	func(k *fargo.AccessKey) string { return *k.Key.AccessKeyId },
	Index[fargo.AccessKey]{"user", func(k *fargo.AccessKey) []string {
		return []string{fargo.Scope{Account: k.Account}.Key(*k.Key.UserName)}
	}},
).Sealed()

// Sessions are the temporary credentials, by access key id.
var Sessions = NewTable("sessions", func(s *fargo.Session) string { return s.AccessKeyID }).Sealed()
