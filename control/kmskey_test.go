package control

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fargo/api"
	apikms "fargo/api/kms"
	awskms "fargo/aws/kms"
	"fargo/store"
)

// A key gets new material when it is due, again and again, and none while it is
// disabled. One whose deletion was scheduled is there until the end of its waiting
// period, and then it is gone with its material and its aliases.
func TestKMSKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		ctx := api.WithCall(context.Background(), &api.Call{Account: home.Account, Region: home.Region})
		s := apikms.New(w.db)
		bypass := &awskms.CreateKeyInput{BypassPolicyLockoutSafetyCheck: new(true)}
		made, err := s.CreateKey(ctx, bypass)
		if err != nil {
			t.Fatal(err)
		}
		id := made.KeyMetadata.KeyId
		materials := func() int {
			k, ok := store.KMSKeys.Get(w.db.View(), home.Key(*id))
			if !ok {
				return 0
			}
			return len(k.Materials)
		}
		expect := func(what string, want int) {
			t.Helper()
			synctest.Wait()
			if got := materials(); got != want {
				t.Fatalf("%s: the key has %d materials, not %d", what, got, want)
			}
		}
		if _, err := s.EnableKeyRotation(ctx, &awskms.EnableKeyRotationInput{KeyId: id, RotationPeriodInDays: new(int32(90))}); err != nil {
			t.Fatal(err)
		}
		const day = 24 * time.Hour
		time.Sleep(90*day - time.Minute)
		expect("before 90 days", 1)
		time.Sleep(2 * time.Minute)
		expect("after 90 days", 2)
		time.Sleep(90 * day)
		expect("after 180 days", 3)
		if _, err := s.DisableKey(ctx, &awskms.DisableKeyInput{KeyId: id}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * day)
		expect("disabled", 3)

		if _, err := s.CreateAlias(ctx, &awskms.CreateAliasInput{AliasName: new("alias/a"), TargetKeyId: id}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ScheduleKeyDeletion(ctx, &awskms.ScheduleKeyDeletionInput{KeyId: id, PendingWindowInDays: new(int32(7))}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(7*day - time.Minute)
		expect("waiting for its deletion", 3)
		time.Sleep(2 * time.Minute)
		expect("deleted", 0)
		for m := range store.KMSMaterials.All(w.db.View()) {
			t.Errorf("the material %s is left", m.ID)
		}
		for a := range store.KMSAliases.All(w.db.View()) {
			t.Errorf("the alias %s is left", a.Name)
		}
	})
}
