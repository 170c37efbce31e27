package iam

import (
	"context"
	"strings"

	"fargo"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// maxKeys is how many access keys a user can have.
const maxKeys = 2

// newKey makes an access key of a user.
func newKey(u *record.User) *record.AccessKey {
	return &record.AccessKey{Account: u.Account, Key: iam.AccessKey{
		UserName: u.User.UserName, AccessKeyId: new(fargo.NewAccessKeyID("AKIA")), SecretAccessKey: new(fargo.NewSecretKey()),
		Status: iam.StatusTypeActive, CreateDate: now(),
	}}
}

// accessKey finds an access key of a user.
func accessKey(r store.Reader, s fargo.Scope, name, id *string) (*record.AccessKey, error) {
	k, ok := store.AccessKeys.Get(r, *id)
	if !ok || k.Account != s.Account || !strings.EqualFold(*k.Key.UserName, *name) {
		return nil, missing("The Access Key with id %s cannot be found.", *id)
	}
	return k, nil
}

// CreateAccessKey implements the operation of that name.
func (s *Server) CreateAccessKey(ctx context.Context, in *iam.CreateAccessKeyInput) (*iam.CreateAccessKeyOutput, error) {
	name, err := named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	var k *record.AccessKey
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		u, err := user(tx, scopeOf(ctx), name)
		if err != nil {
			return err
		}
		n := 0
		for range store.AccessKeys.By(tx, "user", u.Key()) {
			n++
		}
		if n >= maxKeys {
			return iam.LimitExceededException("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
		}
		k = newKey(u)
		store.AccessKeys.Put(tx, k)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &iam.CreateAccessKeyOutput{AccessKey: &k.Key}, nil
}

// ListAccessKeys implements the operation of that name.
func (s *Server) ListAccessKeys(ctx context.Context, in *iam.ListAccessKeysInput) (*iam.ListAccessKeysOutput, error) {
	name, err := named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	v := s.db.View()
	u, err := user(v, scopeOf(ctx), name)
	if err != nil {
		return nil, err
	}
	keys := each(store.AccessKeys.By(v, "user", u.Key()),
		func(*record.AccessKey) bool { return true },
		func(k *record.AccessKey) iam.AccessKeyMetadata {
			return iam.AccessKeyMetadata{UserName: k.Key.UserName, AccessKeyId: k.Key.AccessKeyId, Status: k.Key.Status, CreateDate: k.Key.CreateDate}
		})
	out, more, next, err := pageOf(pages.Ask(in, in.Marker, in.MaxItems), keys, func(k iam.AccessKeyMetadata) string { return *k.AccessKeyId })
	return &iam.ListAccessKeysOutput{AccessKeyMetadata: out, IsTruncated: more, Marker: next}, err
}

// UpdateAccessKey implements the operation of that name.
func (s *Server) UpdateAccessKey(ctx context.Context, in *iam.UpdateAccessKeyInput) (*iam.UpdateAccessKeyOutput, error) {
	name, err := named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		k, err := accessKey(tx, scopeOf(ctx), name, in.AccessKeyId)
		if err != nil {
			return err
		}
		changed := *k
		changed.Key.Status = in.Status
		store.AccessKeys.Put(tx, &changed)
		return nil
	})
	return &iam.UpdateAccessKeyOutput{}, err
}

// DeleteAccessKey implements the operation of that name.
func (s *Server) DeleteAccessKey(ctx context.Context, in *iam.DeleteAccessKeyInput) (*iam.DeleteAccessKeyOutput, error) {
	name, err := named(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	err = s.db.Update(ctx, func(tx *store.Tx) error {
		k, err := accessKey(tx, scopeOf(ctx), name, in.AccessKeyId)
		if err != nil {
			return err
		}
		store.AccessKeys.Delete(tx, *k.Key.AccessKeyId)
		return nil
	})
	return &iam.DeleteAccessKeyOutput{}, err
}
