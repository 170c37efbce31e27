package record

import (
	"fargo"
	"fargo/aws/iam"
)

// Role is an IAM role: what those who assume it may do, and who may.
type Role struct {
	Account string
	// Role is as its user made it. In the trust policy users and roles are their unique
	// ids, and accounts the ARNs of their roots; records of older versions have names.
	Role iam.Role
	Permissions
}

// Key is the role's place in the store.
func (r *Role) Key() string { return fargo.Scope{Account: r.Account}.Key(*r.Role.RoleName) }

// Permissions are the policies of a role, a user or a group.
type Permissions struct {
	// Inline are the policies that are its own: documents by name.
	Inline map[string]string `json:",omitempty"`
	// Attached are the ARNs of managed policies, in order.
	Attached []string `json:",omitempty"`
}

// InstanceProfile gives instances a role.
type InstanceProfile struct {
	Account string
	Profile iam.InstanceProfile // without Roles
	Role    string              // its name; empty for none
}

// Key is the profile's place in the store.
func (p *InstanceProfile) Key() string {
	return fargo.Scope{Account: p.Account}.Key(*p.Profile.InstanceProfileName)
}
