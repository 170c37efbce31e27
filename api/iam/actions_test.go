package iam_test

import (
	"testing"

	"fargo/api"
	"fargo/api/iam"
	wire "fargo/aws/iam"
	"fargo/record"
)

// What a policy says of an entity holds in whatever case a call names it.
func TestActionsInAnyCase(t *testing.T) {
	p := openPolicies(t)
	const all = "arn:aws:iam::" + account + ":"
	p.put(
		&record.Role{Account: account, Role: wire.Role{RoleName: new("Web"), RoleId: new("AROAWEB"), Arn: new(all + "role/p/Web")}},
		&record.User{Account: account, User: wire.User{UserName: new("Ann"), UserId: new("AIDAANN"), Arn: new(all + "user/p/Ann")}},
		&record.Group{Account: account, Group: wire.Group{GroupName: new("Ops"), Arn: new(all + "group/p/Ops")}},
	)
	for name, test := range map[string]struct {
		operation string
		in        any
		want      string
	}{
		"role":  {"GetRole", &wire.GetRoleInput{RoleName: new("WEB")}, all + "role/p/Web"},
		"user":  {"GetUser", &wire.GetUserInput{UserName: new("ANN")}, all + "user/p/Ann"},
		"group": {"GetGroup", &wire.GetGroupInput{GroupName: new("OPS")}, all + "group/p/Ops"},
	} {
		t.Run(name, func(t *testing.T) {
			call := &api.Call{Account: account, Operation: test.operation}
			got := iam.Actions.Of(call, p.db.View(), test.in)
			if len(got) != 1 || len(got[0].Resources) != 1 || got[0].Resources[0] != test.want {
				t.Errorf("it is about %v, want %s", got, test.want)
			}
		})
	}
}
