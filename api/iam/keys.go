package iam

import (
	"context"
	"fmt"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// Keys finds the owners of access keys, of users and of sessions, for the
// request chain.
type Keys struct{ DB *store.DB }

var _ api.Keys = Keys{}

// Key implements [api.Keys]. A key that is not active is not found, nor is one
// of a session whose user or role is gone.
func (k Keys) Key(id string) (api.Key, bool) {
	v := k.DB.View()
	if s, ok := store.Sessions.Get(v, id); ok {
		if !alive(v, s) {
			return api.Key{}, false
		}
		return api.Key{
			Secret: s.Secret, Token: s.Token, Expires: s.Expires,
			Account: s.Account,
			Caller: api.Caller{
				PrincipalARN: s.PrincipalARN, PrincipalID: s.PrincipalID, AccessKeyID: id, Role: s.Role, FederatedBy: s.FederatedBy, Task: s.Task,
				SessionPolicy: s.Policy, SessionPolicyARNs: s.PolicyARNs, SessionTags: s.Tags,
				SourceIdentity: s.SourceIdentity, CredentialsIssued: s.Issued,
			},
		}, true
	}
	found, ok := store.AccessKeys.Get(v, id)
	if !ok || found.Key.Status != iam.StatusTypeActive {
		return api.Key{}, false
	}
	u, ok := store.Users.Get(v, fargo.Scope{Account: found.Account}.Key(*found.Key.UserName))
	if !ok {
		return api.Key{}, false
	}
	return api.Key{
		Secret:  *found.Key.SecretAccessKey,
		Account: u.Account,
		Caller:  api.Caller{PrincipalARN: *u.User.Arn, PrincipalID: *u.User.UserId, AccessKeyID: id},
	}, true
}

// alive reports whether a session's user or role is there, and is the one that
// it was: names come again, ids do not.
func alive(r store.Reader, s *record.Session) bool {
	scope := fargo.Scope{Account: s.Account}
	if a, ok := fargo.ParseARN(s.Role); ok {
		role, ok := store.Roles.Get(r, scope.Key(a.Name()))
		return ok && strings.HasPrefix(s.PrincipalID, *role.Role.RoleId+":")
	}
	if a, ok := fargo.ParseARN(s.FederatedBy); ok {
		_, ok := store.Users.Get(r, scope.Key(a.Name()))
		return ok
	}
	a, _ := fargo.ParseARN(s.PrincipalARN)
	user, ok := store.Users.Get(r, scope.Key(a.Name()))
	return ok && *user.User.UserId == s.PrincipalID
}

// The administrator that every installation has.
const (
	administrator       = "admin"
	administratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// EnsureAdministrator gives an active access key of the account's
// administrator, a user named admin with every permission. It makes what is not
// there: whoever owns the machine owns the account.
func EnsureAdministrator(ctx context.Context, db *store.DB, account string) (accessKeyID, secret string, err error) {
	err = db.Update(ctx, func(tx *store.Tx) error {
		u, ok := store.Users.Get(tx, fargo.Scope{Account: account}.Key(administrator))
		if !ok {
			u = newUser(fargo.Scope{Account: account}, administrator, "/")
			u.Attached = []string{administratorAccess}
			store.Users.Put(tx, u)
		}
		for k := range store.AccessKeys.By(tx, "user", u.Key()) {
			if k.Key.Status == iam.StatusTypeActive {
				accessKeyID, secret = *k.Key.AccessKeyId, *k.Key.SecretAccessKey
				return nil
			}
		}
		k := newKey(u)
		store.AccessKeys.Put(tx, k)
		accessKeyID, secret = *k.Key.AccessKeyId, *k.Key.SecretAccessKey
		return nil
	})
	if err != nil {
		return "", "", fmt.Errorf("ensure an administrator: %w", err)
	}
	return accessKeyID, secret, nil
}
