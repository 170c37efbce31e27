package iam_test

import (
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/iam"
	wire "fargo/aws/iam"
	"fargo/store"
)

func TestAdministrator(t *testing.T) {
	db := open(t)
	id, secret, err := iam.EnsureAdministrator(t.Context(), db, fargo.DefaultAccount)
	if err != nil {
		t.Fatal(err)
	}
	key, ok := iam.Keys{DB: db}.Key(id)
	if !ok || key.Secret != secret || key.Account != fargo.DefaultAccount || key.Token != "" || !key.Expires.IsZero() ||
		key.PrincipalARN != "arn:aws:iam::123456789012:user/admin" || key.PrincipalID[:4] != "AIDA" {
		t.Errorf("the administrator's key is %+v, %v", key, ok)
	}

	again, _, err := iam.EnsureAdministrator(t.Context(), db, fargo.DefaultAccount)
	if err != nil || again != id {
		t.Errorf("the second start made another key: %s, %v", again, err)
	}

	s := iam.New(iam.Config{DB: db})
	ctx := api.WithCall(t.Context(), &api.Call{Account: fargo.DefaultAccount, Caller: key.Caller})
	if _, err := s.UpdateAccessKey(ctx, &wire.UpdateAccessKeyInput{AccessKeyId: &id, Status: wire.StatusTypeInactive}); err != nil {
		t.Fatal(err)
	}
	if _, ok := (iam.Keys{DB: db}).Key(id); ok {
		t.Error("an inactive key was found")
	}
	fresh, _, err := iam.EnsureAdministrator(t.Context(), db, fargo.DefaultAccount)
	if err != nil || fresh == id {
		t.Errorf("with the key inactive, the administrator has %s, %v", fresh, err)
	}
}

// Credentials are in tables that journals encrypt.
func TestCredentialsAreSealed(t *testing.T) {
	m := store.NewMemory()
	j := store.Seal(m, store.Key{1})
	db, err := store.Open(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := iam.EnsureAdministrator(t.Context(), db, fargo.DefaultAccount); err != nil {
		t.Fatal(err)
	}
	n := 0
	m.Load(t.Context(), func(key string, value []byte) error {
		if len(key) > 12 && key[:12] == "access-keys/" {
			n++
			if value[0] == '{' {
				t.Errorf("%s rests in the clear", key)
			}
		}
		return nil
	})
	if n != 1 {
		t.Errorf("found %d access keys", n)
	}
}
