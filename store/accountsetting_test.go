package store_test

import (
	"testing"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/iam"
	"fargo/record"
	"fargo/store"
)

// A caller's own choice counts, a session's is its role's, and root's is for the others.
func TestBlockingLogs(t *testing.T) {
	scope := fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	const user, role, root = "arn:aws:iam::123456789012:user/u", "arn:aws:iam::123456789012:role/r", "arn:aws:iam::123456789012:root"
	db := open(t, store.NewMemory())
	check := func(want map[string]bool) {
		t.Helper()
		for caller, blocking := range want {
			if got := store.BlockingLogs(db.View(), scope, caller); got != blocking {
				t.Errorf("%s: %v", caller, got)
			}
		}
	}
	choose := func(principal, value string) {
		t.Helper()
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			store.AccountSettings.Put(tx, &record.AccountSetting{Scope: scope, Setting: ecs.Setting{
				Name: ecs.SettingNameDefaultLogDriverMode, PrincipalArn: &principal, Value: &value,
			}})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		store.Roles.Put(tx, &record.Role{Account: scope.Account, Role: iam.Role{RoleName: new("r"), RoleId: new("AROA1"), Arn: new(role), CreateDate: new(time.Unix(0, 0))}})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	session, federated := "arn:aws:sts::123456789012:assumed-role/r/s", "arn:aws:sts::123456789012:federated-user/f"
	check(map[string]bool{user: false, session: false, root: false, "": false})
	choose(root, "blocking")
	check(map[string]bool{user: true, session: true, federated: true, "": true})
	choose(user, "non-blocking")
	choose(role, "non-blocking")
	check(map[string]bool{user: false, session: false, federated: true, root: true})
}
