package record

import (
	"time"

	"fargo"
	"fargo/aws/iam"
)

// User is an IAM user.
type User struct {
	Account string
	User    iam.User
	Permissions
	Groups []string `json:",omitempty"` // names, in order
}

// Key is the user's place in the store.
func (u *User) Key() string { return fargo.Scope{Account: u.Account}.Key(*u.User.UserName) }

// Group is an IAM group: permissions that its users share.
type Group struct {
	Account string
	Group   iam.Group
	Permissions
}

// Key is the group's place in the store.
func (g *Group) Key() string { return fargo.Scope{Account: g.Account}.Key(*g.Group.GroupName) }

// AccessKey is a user's permanent credentials. It is a secret.
type AccessKey struct {
	Account string
	Key     iam.AccessKey
}

// Session is temporary credentials and what they are good for. It is a secret.
type Session struct {
	AccessKeyID string
	Secret      string
	Token       string
	Issued      time.Time `json:",omitzero"` // zero of sessions that older versions made
	Expires     time.Time

	Account      string
	PrincipalARN string // "arn:aws:sts::123456789012:assumed-role/web/deploy", or a user's
	PrincipalID  string // "AROA…:deploy", or "AIDA…"
	Role         string `json:",omitempty"` // the assumed role's ARN
	// FederatedBy is the ARN of the user who has asked for credentials for somebody else.
	FederatedBy string `json:",omitempty"`
	// Policy and PolicyARNs further limit what the role, or that user, is allowed.
	Policy     string            `json:",omitempty"`
	PolicyARNs []string          `json:",omitempty"`
	Tags       map[string]string `json:",omitempty"`
	Transitive []string          `json:",omitempty"` // keys of Tags that roles assumed from here keep

	SourceIdentity string `json:",omitempty"`

	// Task is the ARN of the ECS task that the session was made for, and Period when:
	// see [desired.TaskCredentialsOf]. Empty for sessions that a caller asked for.
	Task   string `json:",omitempty"`
	Period int64  `json:",omitempty"`
}

// FailureMessageKey is the installation's key that the reasons of denials are encrypted
// with, which clients hand back to have them decoded. It is a secret.
type FailureMessageKey struct{ Key []byte }

// LastUse is when a user's access key, or a role by its sessions, was last used.
type LastUse struct {
	ID      string // of the key ("AKIA…") or of the role ("AROA…")
	At      time.Time
	Service string // as requests are signed for it: "ecs"
	Region  string
}
