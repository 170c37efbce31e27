package iam_test

import (
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/iam"
	wire "fargo/aws/iam"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// policies is a site with users, groups and roles of it.
type policies struct {
	*testing.T
	db   *store.DB
	of   *iam.CallerPolicies
	keys iam.Keys
}

func openPolicies(t *testing.T) *policies {
	t.Helper()
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	return &policies{t, db, iam.NewCallerPolicies(db), iam.Keys{DB: db}}
}

func (p *policies) put(records ...any) {
	p.Helper()
	err := p.db.Update(p.Context(), func(tx *store.Tx) error {
		for _, r := range records {
			switch r := r.(type) {
			case *record.User:
				store.Users.Put(tx, r)
			case *record.Group:
				store.Groups.Put(tx, r)
			case *record.Role:
				store.Roles.Put(tx, r)
			case *record.Policy:
				store.Policies.Put(tx, r)
			case *record.Session:
				store.Sessions.Put(tx, r)
			}
		}
		return nil
	})
	if err != nil {
		p.Fatal(err)
	}
}

// may asks whether a caller may do something anywhere, and expects why.
func (p *policies) may(c *api.Caller, action, want string) {
	p.Helper()
	if got := policy.Decide(p.of.Of(c), action, []policy.Resource{{ARN: "*"}}, nil).String(); got != want {
		p.Errorf("%s: %s, want %s", action, got, want)
	}
}

func statement(effect, action string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `","Action":"` + action + `","Resource":"*"}}`
}

const account = fargo.DefaultAccount

func customersPolicy(name, document string) *record.Policy {
	arn := "arn:aws:iam::" + account + ":policy/" + name
	return &record.Policy{
		Account: account, Policy: wire.Policy{PolicyName: &name, Arn: &arn, DefaultVersionId: new("v1")},
		Versions: []wire.PolicyVersion{{VersionId: new("v1"), Document: &document}},
	}
}

func TestPoliciesOfUser(t *testing.T) {
	p := openPolicies(t)
	ann := &record.User{
		Account: account, Groups: []string{"ops"},
		User: wire.User{UserName: new("ann"), UserId: new("AIDAANN"), Arn: new("arn:aws:iam::" + account + ":user/team/ann"), Tags: []wire.Tag{{Key: new("Team"), Value: new("a")}}},
		Permissions: record.Permissions{
			Inline:   map[string]string{"own": statement("Allow", "ecs:*")},
			Attached: []string{"arn:aws:iam::aws:policy/CloudWatchLogsFullAccess", "arn:aws:iam::" + account + ":policy/mine"},
		},
	}
	p.put(ann, customersPolicy("mine", statement("Allow", "ec2:*")), &record.Group{
		Account: account, Group: wire.Group{GroupName: new("ops")},
		Permissions: record.Permissions{Inline: map[string]string{"limits": statement("Deny", "ecs:Delete*")}},
	})
	caller := &api.Caller{PrincipalARN: *ann.User.Arn, PrincipalID: "AIDAANN", AccessKeyID: "AKIAANN"}
	const none = "because no identity-based policy allows the iam:GetUser action"
	p.may(caller, "ecs:RunTask", "allowed by an identity-based policy: own, statement 1")
	p.may(caller, "ec2:CreateVpc", "allowed by an identity-based policy: arn:aws:iam::123456789012:policy/mine, statement 1")
	p.may(caller, "logs:PutLogEvents", "allowed by an identity-based policy: arn:aws:iam::aws:policy/CloudWatchLogsFullAccess, CloudWatchLogsFullAccess")
	p.may(caller, "ecs:DeleteCluster", "with an explicit deny in an identity-based policy: limits, statement 1")
	p.may(caller, "iam:GetUser", none)
	if got := p.of.Of(caller).Tags["team"]; got != "a" {
		t.Errorf("the user's tag is %q", got)
	}
	if first := p.of.Of(caller); first != p.of.Of(caller) {
		t.Error("policies are parsed for every request")
	}

	// What changes counts at once.
	p.put(customersPolicy("mine", statement("Allow", "iam:*")))
	p.may(caller, "iam:GetUser", "allowed by an identity-based policy: arn:aws:iam::123456789012:policy/mine, statement 1")
	limited := *ann
	limited.User.PermissionsBoundary = &wire.AttachedPermissionsBoundary{PermissionsBoundaryArn: new("arn:aws:iam::" + account + ":policy/mine")}
	p.put(&limited)
	p.may(caller, "ecs:RunTask", "because no permissions boundary allows the ecs:RunTask action")
	p.may(caller, "iam:GetUser", "allowed by an identity-based policy: arn:aws:iam::123456789012:policy/mine, statement 1")
	p.put(&record.Group{Account: account, Group: wire.Group{GroupName: new("ops")}, Permissions: record.Permissions{Inline: map[string]string{"limits": statement("Deny", "*")}}})
	p.may(caller, "iam:GetUser", "with an explicit deny in an identity-based policy: limits, statement 1")
}

func TestPoliciesOfRoleSession(t *testing.T) {
	p := openPolicies(t)
	role := &record.Role{
		Account: account,
		Role: wire.Role{
			RoleName: new("web"), RoleId: new("AROAWEB"), Arn: new("arn:aws:iam::" + account + ":role/apps/web"),
			Tags: []wire.Tag{{Key: new("team"), Value: new("role's")}, {Key: new("stage"), Value: new("test")}},
		},
		Permissions: record.Permissions{Inline: map[string]string{"all": statement("Allow", "*")}},
	}
	session := record.Session{
		AccessKeyID: "ASIAPLAIN", Account: account, PrincipalARN: "arn:aws:sts::" + account + ":assumed-role/web/s1",
		PrincipalID: "AROAWEB:s1", Role: *role.Role.Arn, Tags: map[string]string{"Team": "session's"},
	}
	limited := session
	limited.AccessKeyID, limited.Policy = "ASIALIMITED", statement("Allow", "ecs:*")
	byARN := session
	byARN.AccessKeyID, byARN.PolicyARNs = "ASIAARN", []string{"arn:aws:iam::aws:policy/CloudWatchLogsFullAccess", "arn:aws:iam::" + account + ":policy/gone"}
	p.put(role, &session, &limited, &byARN)
	as := func(id string) *api.Caller {
		key, ok := p.keys.Key(id)
		if !ok {
			t.Fatalf("no key %s", id)
		}
		return &key.Caller
	}
	const all = "allowed by an identity-based policy: all, statement 1"
	p.may(as("ASIAPLAIN"), "ec2:CreateVpc", all)
	p.may(as("ASIALIMITED"), "ec2:CreateVpc", "because no session policy allows the ec2:CreateVpc action")
	p.may(as("ASIALIMITED"), "ecs:RunTask", all)
	p.may(as("ASIAARN"), "ecs:RunTask", "because no session policy allows the ecs:RunTask action")
	p.may(as("ASIAARN"), "logs:PutLogEvents", all)
	of := p.of.Of(as("ASIAPLAIN"))
	if of.Tags["team"] != "session's" || of.Tags["stage"] != "test" || of.Role != *role.Role.Arn {
		t.Errorf("the session is %+v", of)
	}
	// A password of the registry knows only the session's ARN.
	p.may(&api.Caller{PrincipalARN: session.PrincipalARN}, "ec2:CreateVpc", all)
	p.may(&api.Caller{PrincipalARN: *role.Role.Arn}, "ec2:CreateVpc", all)
}

func TestPoliciesOfOthers(t *testing.T) {
	p := openPolicies(t)
	p.may(&api.Caller{PrincipalARN: "arn:aws:iam::" + account + ":root"}, "ec2:CreateVpc", "allowed")
	p.may(&api.Caller{PrincipalARN: "arn:aws:iam::" + account + ":user/gone"}, "ec2:CreateVpc", "because no identity-based policy allows the ec2:CreateVpc action")
	p.may(&api.Caller{}, "ec2:CreateVpc", "because no identity-based policy allows the ec2:CreateVpc action")
	p.may(&api.Caller{ServicePrincipal: "ecs.amazonaws.com"}, "ec2:CreateVpc", "because no resource-based policy allows the ec2:CreateVpc action")
}

// A document that cannot be read might deny what is asked.
func TestUnreadablePolicyDenies(t *testing.T) {
	p := openPolicies(t)
	p.put(&record.User{
		Account: account, User: wire.User{UserName: new("ann"), UserId: new("AIDAANN"), Arn: new("arn:aws:iam::" + account + ":user/ann")},
		Permissions: record.Permissions{Inline: map[string]string{"all": statement("Allow", "*"), "broken": "{"}},
	})
	p.may(&api.Caller{PrincipalARN: "arn:aws:iam::" + account + ":user/ann"}, "ec2:CreateVpc", "with an explicit deny in an identity-based policy: broken, statement 1")
}
