package store

import (
	"time"

	"fargo"
	"fargo/record"
)

// Users are the IAM users; "policy" finds those that a policy is attached to,
// "boundary" those that it limits, both by its ARN, "group" those in a group, by its
// key, and "id" the one with a unique id.
var Users = NewTable("users", (*record.User).Key, byName((*record.User).Key),
	Index[record.User]{"id", func(u *record.User) []string { return []string{*u.User.UserId} }},
	Index[record.User]{"policy", func(u *record.User) []string { return u.Attached }},
	Index[record.User]{"boundary", func(u *record.User) []string {
		if b := u.User.PermissionsBoundary; b != nil {
			return []string{*b.PermissionsBoundaryArn}
		}
		return nil
	}},
	Index[record.User]{"group", func(u *record.User) []string {
		keys := make([]string, len(u.Groups))
		for i, name := range u.Groups {
			keys[i] = fargo.Scope{Account: u.Account}.Key(name)
		}
		return keys
	}},
)

// Groups are the IAM groups; "policy" finds those that a policy is attached to,
// by its ARN.
var Groups = NewTable("groups", (*record.Group).Key, byName((*record.Group).Key),
	Index[record.Group]{"policy", func(g *record.Group) []string { return g.Attached }},
)

// AccessKeys are the permanent credentials, by access key id; "user" finds
// those of a user, by the user's key.
var AccessKeys = NewTable("access-keys",
	func(k *record.AccessKey) string { return *k.Key.AccessKeyId },
	Index[record.AccessKey]{"user", func(k *record.AccessKey) []string {
		return []string{fargo.Scope{Account: k.Account}.Key(*k.Key.UserName)}
	}},
).Sealed()

// SessionByTask is the index of [Sessions] that finds those of a task, by its ARN.
const SessionByTask = "task"

// Sessions are the temporary credentials, by access key id.
var Sessions = NewTable("sessions", func(s *record.Session) string { return s.AccessKeyID },
	Index[record.Session]{SessionByTask, func(s *record.Session) []string {
		if s.Task == "" {
			return nil
		}
		return []string{s.Task}
	}},
).Sealed()

// IssueSession gives a session its credentials, good from now on for as long as lifetime,
// and stores it. Sessions that have expired go.
func IssueSession(tx *Tx, s *record.Session, now time.Time, lifetime time.Duration) {
	now = now.UTC().Truncate(time.Second)
	for old := range Sessions.All(tx) {
		if tx.Full() {
			break // the next session takes the rest with it
		}
		if now.After(old.Expires) {
			Sessions.Delete(tx, old.AccessKeyID)
		}
	}
	s.AccessKeyID, s.Secret = fargo.NewAccessKeyID("ASIA"), fargo.NewSecretKey()
	s.Token = fargo.NewSecretKey() + fargo.NewSecretKey() + fargo.NewSecretKey()
	s.Issued, s.Expires = now, now.Add(lifetime)
	Sessions.Put(tx, s)
}

// FailureMessageKeys holds the one key that reasons of denials are encrypted with.
var FailureMessageKeys = NewTable("failure-message-keys", func(*record.FailureMessageKey) string { return "key" }).Sealed()

// LastUses tell when access keys and roles were last used, by their ids.
var LastUses = NewTable("last-uses", func(u *record.LastUse) string { return u.ID })
