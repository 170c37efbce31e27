package store_test

import (
	"testing"

	"fargo"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// Names of IAM are found in any case; of several that differ in nothing else, as
// older versions could store them, by the case that is asked for.
func TestNamed(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	key := fargo.Scope{Account: fargo.DefaultAccount}.Key
	put := func(names ...string) {
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			for _, name := range names {
				store.Groups.Put(tx, &record.Group{Account: fargo.DefaultAccount, Group: iam.Group{GroupName: &name}})
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	find := func(name, want string) {
		t.Helper()
		got := ""
		if found, ok := store.Named(store.Groups, db.View(), key(name)); ok {
			got = *found.Group.GroupName
		}
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	put("Ops")
	find("ops", "Ops")
	find("Ops", "Ops")
	find("op", "")
	put("ops", "OPS")
	find("ops", "ops")
	find("Ops", "Ops")
	find("oPs", "OPS")
}
