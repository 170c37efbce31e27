package iam_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/iam"
	"fargo/aws/ecs"
	wire "fargo/aws/iam"
	"fargo/aws/protocol"
	"fargo/store"
)

// lastUse is a server that knows of requests.
type lastUse struct {
	*testing.T
	db   *store.DB
	iam  *iam.Server
	used *iam.LastUse
	call context.Context
}

func newLastUse(t *testing.T, db *store.DB) *lastUse {
	u := &lastUse{T: t, db: db, used: iam.NewLastUse(db, slog.New(slog.DiscardHandler))}
	u.iam = iam.New(iam.Config{DB: db, LastUse: u.used})
	u.call = api.WithCall(t.Context(), &api.Call{Account: fargo.DefaultAccount})
	return u
}

// served is a request at a time; a role's is one of a session.
func (u *lastUse) served(key, role string, at time.Time, service *protocol.Service) {
	u.used.Served(&api.Served{
		Call: &api.Call{Account: fargo.DefaultAccount, Region: "eu-west-1", Caller: api.Caller{AccessKeyID: key, Role: role, PrincipalID: role + ":s1"}},
		Of:   service, Started: at, Err: wire.NoSuchEntityException("denied or not, it is used"),
	})
}

// key tells the last use of an access key, role that of a role.
func (u *lastUse) key(id string) string {
	u.Helper()
	out, err := u.iam.GetAccessKeyLastUsed(u.call, &wire.GetAccessKeyLastUsedInput{AccessKeyId: &id})
	if err != nil {
		u.Fatal(err)
	}
	used := out.AccessKeyLastUsed
	at := "never"
	if used.LastUsedDate != nil {
		at = used.LastUsedDate.Format(time.RFC3339)
	}
	return *out.UserName + ": " + at + " " + *used.ServiceName + " " + *used.Region
}

func (u *lastUse) role(name string) string {
	u.Helper()
	out, err := u.iam.GetRole(u.call, &wire.GetRoleInput{RoleName: &name})
	if err != nil {
		u.Fatal(err)
	}
	details, err := u.iam.GetAccountAuthorizationDetails(u.call, &wire.GetAccountAuthorizationDetailsInput{Filter: []wire.EntityType{wire.EntityTypeRole}})
	if err != nil {
		u.Fatal(err)
	}
	used, again := out.Role.RoleLastUsed, details.RoleDetailList[0].RoleLastUsed
	if used.LastUsedDate == nil {
		return "never"
	}
	if !again.LastUsedDate.Equal(*used.LastUsedDate) || *again.Region != *used.Region {
		u.Errorf("the details say %v, %v", again.LastUsedDate, *again.Region)
	}
	return used.LastUsedDate.Format(time.RFC3339) + " " + *used.Region
}

// Keys and roles tell when they were last used: at once, and after a restart; with one
// write an hour.
// Source: IAM API, AccessKeyLastUsed (of N/A) and RoleLastUsed.
func TestLastUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := open(t)
		u := newLastUse(t, db)
		id, _, err := iam.EnsureAdministrator(t.Context(), db, fargo.DefaultAccount)
		if err != nil {
			t.Fatal(err)
		}
		trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}}`
		role, err := u.iam.CreateRole(u.call, &wire.CreateRoleInput{RoleName: new("web"), AssumeRolePolicyDocument: &trust})
		if err != nil {
			t.Fatal(err)
		}
		if got := u.key(id); got != "admin: never N/A N/A" {
			t.Error(got)
		}
		if got := u.role("web"); got != "never" {
			t.Error(got)
		}

		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- u.used.Run(ctx) }()
		start := time.Now().UTC() // midnight
		before := db.View().Revision()
		for second := range 90 {
			u.served(id, "", start.Add(time.Duration(second)*time.Second), &ecs.API)
			u.served("ASIAWEB", *role.Role.RoleId, start.Add(time.Duration(second)*time.Second), &wire.API)
		}
		u.served(id, "", start, &wire.API) // began earlier, was answered later
		u.served("ASIAUSER", "", start.Add(time.Hour), &wire.API)
		const key, session = "admin: 2000-01-01T00:01:00Z ecs eu-west-1", "2000-01-01T00:01:00Z eu-west-1"
		expect := func(u *lastUse) {
			t.Helper()
			if got := u.key(id); got != key {
				t.Error(got)
			}
			if got := u.role("web"); got != session {
				t.Error(got)
			}
		}
		expect(u)
		if db.View().Revision() != before {
			t.Error("requests are written")
		}
		time.Sleep(time.Hour + time.Minute)
		synctest.Wait()
		if got := db.View().Revision() - before; got != 1 {
			t.Errorf("%d writes in an hour", got)
		}
		expect(u)
		expect(newLastUse(t, db))

		// What is new at the end is written too; what is gone is forgotten.
		u.served(id, "", start.Add(3*time.Hour), &wire.API)
		if _, err := u.iam.DeleteRole(u.call, &wire.DeleteRoleInput{RoleName: new("web")}); err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if got := newLastUse(t, db).key(id); got != "admin: 2000-01-01T03:00:00Z iam eu-west-1" {
			t.Error(got)
		}
		n := 0
		for range store.LastUses.All(db.View()) {
			n++
		}
		if n != 1 {
			t.Errorf("%d last uses are kept", n)
		}
	})
}

// An access key that is not there has no last use.
func TestLastUseOfNothing(t *testing.T) {
	u := newLastUse(t, open(t))
	_, err := u.iam.GetAccessKeyLastUsed(u.call, &wire.GetAccessKeyLastUsedInput{AccessKeyId: new("AKIANONE")})
	var e *protocol.Error
	if !errors.As(err, &e) || e.Code != "NoSuchEntity" {
		t.Error(err)
	}
}
