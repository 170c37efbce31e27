package sts_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/iam"
	"fargo/api/sts"
	wireiam "fargo/aws/iam"
	"fargo/aws/protocol"
	wire "fargo/aws/sts"
	"fargo/policy"
	"fargo/store"
)

const account = fargo.DefaultAccount

const sessionPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ecs:*","Resource":"*"}]}`

type fixture struct {
	*testing.T
	db   *store.DB
	iam  *iam.Server
	sts  *sts.Server
	keys iam.Keys
	user context.Context // of the administrator
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	id, _, err := iam.EnsureAdministrator(t.Context(), db, account)
	if err != nil {
		t.Fatal(err)
	}
	s := &fixture{t, db, iam.New(iam.Config{DB: db}), sts.New(sts.Config{DB: db}), iam.Keys{DB: db}, nil}
	s.user = s.as(id)
	return s
}

// as is a call with an access key, as the chain makes it.
func (s *fixture) as(id string) context.Context {
	s.Helper()
	k, ok := s.keys.Key(id)
	if !ok {
		s.Fatalf("no key %s", id)
	}
	return api.WithCall(s.Context(), &api.Call{Account: k.Account, Caller: k.Caller})
}

// role makes a role with a trust policy's principal and condition.
func (s *fixture) role(name, principal, more string) string {
	s.Helper()
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":` + principal + `,"Action":["sts:AssumeRole","sts:TagSession"]` + more + `}}`
	out, err := s.iam.CreateRole(s.user, &wireiam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust, MaxSessionDuration: new(int32(7200))})
	if err != nil {
		s.Fatal(err)
	}
	return *out.Role.Arn
}

func code(err error) string {
	var e *protocol.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestAssumeRole(t *testing.T) {
	s := newFixture(t)
	byAccount := s.role("account", `{"AWS":"123456789012"}`, "")
	byUser := s.role("user", `{"AWS":"arn:aws:iam::123456789012:user/admin"}`, "")
	byService := s.role("service", `{"Service":"ecs-tasks.amazonaws.com"}`, "")
	external := s.role("external", `{"AWS":"arn:aws:iam::123456789012:root"}`, `,"Condition":{"StringEquals":{"sts:ExternalId":"e1"}}`)
	tagged := s.role("tagged", `{"AWS":"*"}`, `,"Condition":{"StringEquals":{"aws:RequestTag/team":"a"}}`)
	for name, test := range map[string]struct {
		in   wire.AssumeRoleInput
		code string
	}{
		"account":                  {wire.AssumeRoleInput{RoleArn: &byAccount}, ""},
		"user":                     {wire.AssumeRoleInput{RoleArn: &byUser}, ""},
		"service only":             {wire.AssumeRoleInput{RoleArn: &byService}, "AccessDenied"},
		"no such role":             {wire.AssumeRoleInput{RoleArn: new("arn:aws:iam::123456789012:role/gone")}, "AccessDenied"},
		"other path":               {wire.AssumeRoleInput{RoleArn: new("arn:aws:iam::123456789012:role/p/user")}, "AccessDenied"},
		"no external id":           {wire.AssumeRoleInput{RoleArn: &external}, "AccessDenied"},
		"wrong external id":        {wire.AssumeRoleInput{RoleArn: &external, ExternalId: new("e2")}, "AccessDenied"},
		"external id":              {wire.AssumeRoleInput{RoleArn: &external, ExternalId: new("e1")}, ""},
		"tag":                      {wire.AssumeRoleInput{RoleArn: &tagged, Tags: []wire.Tag{{Key: new("team"), Value: new("a")}}}, ""},
		"other tag":                {wire.AssumeRoleInput{RoleArn: &tagged, Tags: []wire.Tag{{Key: new("team"), Value: new("b")}}}, "AccessDenied"},
		"tags that differ in case": {wire.AssumeRoleInput{RoleArn: &tagged, Tags: []wire.Tag{{Key: new("team"), Value: new("a")}, {Key: new("Team"), Value: new("a")}}}, "InvalidParameterValue"},
		"reserved tag":             {wire.AssumeRoleInput{RoleArn: &tagged, Tags: []wire.Tag{{Key: new("aws:team"), Value: new("a")}}}, "InvalidParameterValue"},
		"transitive, absent":       {wire.AssumeRoleInput{RoleArn: &tagged, TransitiveTagKeys: []string{"team"}}, "InvalidParameterValue"},
		"identity":                 {wire.AssumeRoleInput{RoleArn: &byUser, SourceIdentity: new("me")}, "AccessDenied"}, // sts:SetSourceIdentity
		"too long":                 {wire.AssumeRoleInput{RoleArn: &byUser, DurationSeconds: new(int32(7201))}, "ValidationError"},
		"long":                     {wire.AssumeRoleInput{RoleArn: &byUser, DurationSeconds: new(int32(7200))}, ""},
		"session policy":           {wire.AssumeRoleInput{RoleArn: &byUser, Policy: new(sessionPolicy)}, ""},
		"empty session policy":     {wire.AssumeRoleInput{RoleArn: &byUser, Policy: new(`{"Version":"2012-10-17","Statement":[]}`)}, "MalformedPolicyDocument"},
		"no policy":                {wire.AssumeRoleInput{RoleArn: &byUser, Policy: new("{")}, "MalformedPolicyDocument"},
		"MFA":                      {wire.AssumeRoleInput{RoleArn: &byUser, SerialNumber: new("arn:aws:iam::1:mfa/x"), TokenCode: new("123456")}, "AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			test.in.RoleSessionName = new("session")
			out, err := s.sts.AssumeRole(s.user, &test.in)
			if code(err) != test.code {
				t.Fatalf("AssumeRole: %v, want %q", err, test.code)
			}
			if err != nil {
				return
			}
			k, ok := s.keys.Key(*out.Credentials.AccessKeyId)
			name := (*test.in.RoleArn)[strings.LastIndex(*test.in.RoleArn, "/")+1:]
			if !ok || k.Secret != *out.Credentials.SecretAccessKey || k.Token != *out.Credentials.SessionToken ||
				k.PrincipalARN != "arn:aws:sts::123456789012:assumed-role/"+name+"/session" ||
				k.PrincipalARN != *out.AssumedRoleUser.Arn || k.PrincipalID != *out.AssumedRoleUser.AssumedRoleId ||
				!k.Expires.Equal(*out.Credentials.Expiration) {
				t.Errorf("the session's key is %+v, %v", k, ok)
			}
		})
	}
}

// Who is trusted is who had the name when the trust policy was written, not who has
// it now.
func TestTrustIsOfIdentities(t *testing.T) {
	s := newFixture(t)
	newUser := func() context.Context {
		s.Helper()
		if _, err := s.iam.CreateUser(s.user, &wireiam.CreateUserInput{UserName: new("ann")}); err != nil {
			t.Fatal(err)
		}
		out, err := s.iam.CreateAccessKey(s.user, &wireiam.CreateAccessKeyInput{UserName: new("ann")})
		if err != nil {
			t.Fatal(err)
		}
		return s.as(*out.AccessKey.AccessKeyId)
	}
	assume := func(who context.Context, role string, want string) *wire.AssumeRoleOutput {
		s.Helper()
		out, err := s.sts.AssumeRole(who, &wire.AssumeRoleInput{RoleArn: &role, RoleSessionName: new("s1")})
		if code(err) != want {
			t.Errorf("AssumeRole of %s: %v, want %q", role, err, want)
		}
		return out
	}
	ann := newUser()
	first := s.role("first", `{"AWS":"123456789012"}`, "")
	byUser := s.role("user", `{"AWS":"arn:aws:iam::123456789012:user/ann"}`, "")
	byRole := s.role("role", `{"AWS":"`+first+`"}`, "")
	assume(ann, byUser, "")
	assume(s.as(*assume(ann, first, "").Credentials.AccessKeyId), byRole, "")

	// Under another name it is the same user.
	if _, err := s.iam.UpdateUser(s.user, &wireiam.UpdateUserInput{UserName: new("ann"), NewUserName: new("anna")}); err != nil {
		t.Fatal(err)
	}
	keys, err := s.iam.ListAccessKeys(s.user, &wireiam.ListAccessKeysInput{UserName: new("anna")})
	if err != nil {
		t.Fatal(err)
	}
	assume(s.as(*keys.AccessKeyMetadata[0].AccessKeyId), byUser, "")

	// Others with the old names are not trusted.
	another := newUser()
	assume(another, byUser, "AccessDenied")
	if _, err := s.iam.DeleteRole(s.user, &wireiam.DeleteRoleInput{RoleName: new("first")}); err != nil {
		t.Fatal(err)
	}
	s.role("first", `{"AWS":"123456789012"}`, "")
	assume(s.as(*assume(another, first, "").Credentials.AccessKeyId), byRole, "AccessDenied")
}

// What older versions stored, with names of who is trusted, works by the names.
func TestTrustOfOlderStores(t *testing.T) {
	s := newFixture(t)
	role := s.role("old", `{"AWS":"123456789012"}`, "")
	err := s.db.Update(t.Context(), func(tx *store.Tx) error {
		stored, _ := store.Roles.Get(tx, fargo.Scope{Account: account}.Key("old"))
		changed := *stored
		changed.Role.AssumeRolePolicyDocument = new(`{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/admin"},"Action":"sts:AssumeRole"}}`)
		store.Roles.Put(tx, &changed)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.sts.AssumeRole(s.user, &wire.AssumeRoleInput{RoleArn: &role, RoleSessionName: new("s1")}); err != nil {
		t.Error(err)
	}
}

// A session can assume roles that trust its role or itself, for an hour.
func TestRoleChaining(t *testing.T) {
	s := newFixture(t)
	first := s.role("first", `{"AWS":"123456789012"}`, "")
	second := s.role("second", `{"AWS":"`+first+`"}`, "")
	if _, err := s.sts.AssumeRole(s.user, &wire.AssumeRoleInput{RoleArn: &second, RoleSessionName: new("s1")}); code(err) != "AccessDenied" {
		t.Errorf("a user assumes what trusts another role: %v", err)
	}
	out, err := s.sts.AssumeRole(s.user, &wire.AssumeRoleInput{
		RoleArn: &first, RoleSessionName: new("s1"),
		Tags: []wire.Tag{{Key: new("team"), Value: new("a")}}, TransitiveTagKeys: []string{"team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	session := s.as(*out.Credentials.AccessKeyId)
	out, err = s.sts.AssumeRole(session, &wire.AssumeRoleInput{RoleArn: &second, RoleSessionName: new("s2")})
	if err != nil {
		t.Fatal(err)
	}
	if chained, _ := store.Sessions.Get(s.db.View(), *out.Credentials.AccessKeyId); chained.Tags["team"] != "a" || chained.Role != second {
		t.Errorf("the second session is %+v", chained)
	}
	for _, key := range []string{"team", "TEAM"} {
		_, err = s.sts.AssumeRole(session, &wire.AssumeRoleInput{RoleArn: &second, RoleSessionName: new("s2"), Tags: []wire.Tag{{Key: &key, Value: new("b")}}})
		// Recorded.
		const want = "InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
		if err == nil || err.Error() != want {
			t.Errorf("a session changes a tag that is handed on to it: %v", err)
		}
	}
	_, err = s.sts.AssumeRole(session, &wire.AssumeRoleInput{RoleArn: &second, RoleSessionName: new("s2"), DurationSeconds: new(int32(3601))})
	if code(err) != "ValidationError" {
		t.Errorf("a chained session longer than an hour: %v", err)
	}
	if _, err := s.sts.GetSessionToken(session, &wire.GetSessionTokenInput{}); code(err) != "AccessDenied" {
		t.Errorf("GetSessionToken by a session: %v", err)
	}
}

func TestSessionTokenIsTheUser(t *testing.T) {
	s := newFixture(t)
	out, err := s.sts.GetSessionToken(s.user, &wire.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	who, err := s.sts.GetCallerIdentity(s.as(*out.Credentials.AccessKeyId), &wire.GetCallerIdentityInput{})
	if err != nil || *who.Arn != "arn:aws:iam::123456789012:user/admin" || *who.Account != account {
		t.Errorf("the session is %+v, %v", who, err)
	}
	info, err := s.sts.GetAccessKeyInfo(s.user, &wire.GetAccessKeyInfoInput{AccessKeyId: out.Credentials.AccessKeyId})
	if err != nil || *info.Account != account {
		t.Errorf("GetAccessKeyInfo: %+v, %v", info, err)
	}
}

// A session ends with its role, also when another of that name comes.
func TestSessionOfDeletedRole(t *testing.T) {
	s := newFixture(t)
	role := s.role("r", `{"AWS":"123456789012"}`, "")
	out, err := s.sts.AssumeRole(s.user, &wire.AssumeRoleInput{RoleArn: &role, RoleSessionName: new("s1")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.iam.DeleteRole(s.user, &wireiam.DeleteRoleInput{RoleName: new("r")}); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.keys.Key(*out.Credentials.AccessKeyId); ok {
		t.Error("the role is gone, its session is not")
	}
	s.role("r", `{"AWS":"123456789012"}`, "")
	if _, ok := s.keys.Key(*out.Credentials.AccessKeyId); ok {
		t.Error("the session is one of another role now")
	}
}

func TestExpiredSessionsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newFixture(t)
		role := s.role("r", `{"AWS":"123456789012"}`, "")
		assume := func() string {
			out, err := s.sts.AssumeRole(s.user, &wire.AssumeRoleInput{RoleArn: &role, RoleSessionName: new("s1")})
			if err != nil {
				t.Fatal(err)
			}
			return *out.Credentials.AccessKeyId
		}
		old := assume()
		time.Sleep(time.Hour + time.Second) // of the bubble
		if k, ok := s.keys.Key(old); !ok || !time.Now().After(k.Expires) {
			t.Errorf("an hour later the key is %+v, %v; it must be known as expired", k, ok)
		}
		fresh := assume()
		if _, ok := s.keys.Key(old); ok {
			t.Error("the expired session is still there")
		}
		if _, ok := s.keys.Key(fresh); !ok {
			t.Error("the new session is not there")
		}
	})
}

// A caller with a session's key is handed on with what AssumeRole was given.
func TestSessionCaller(t *testing.T) {
	s := newFixture(t)
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:*"}}`
	role, err := s.iam.CreateRole(s.user, &wireiam.CreateRoleInput{RoleName: new("r"), Path: new("/apps/"), AssumeRolePolicyDocument: &trust})
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now().Add(-time.Second)
	out, err := s.sts.AssumeRole(s.user, &wire.AssumeRoleInput{
		RoleArn: role.Role.Arn, RoleSessionName: new("s1"), SourceIdentity: new("ann"),
		Policy: new(sessionPolicy), PolicyArns: []wire.PolicyDescriptorType{{Arn: new("arn:aws:iam::aws:policy/ReadOnlyAccess")}},
		Tags: []wire.Tag{{Key: new("team"), Value: new("a")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := api.CallFrom(s.as(*out.Credentials.AccessKeyId)).Caller
	if c.CredentialsIssued.Before(before) || c.CredentialsIssued.After(time.Now()) {
		t.Errorf("issued at %v", c.CredentialsIssued)
	}
	c.CredentialsIssued = time.Time{}
	want := api.Caller{
		PrincipalARN: "arn:aws:sts::123456789012:assumed-role/r/s1", PrincipalID: *role.Role.RoleId + ":s1", AccessKeyID: *out.Credentials.AccessKeyId,
		Role: "arn:aws:iam::123456789012:role/apps/r", SourceIdentity: "ann",
		SessionPolicy: sessionPolicy, SessionPolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		SessionTags: map[string]string{"team": "a"},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("the caller is %+v", c)
	}
	if c.Kind() != api.RoleCaller || c.SessionName() != "s1" || c.UserName() != "" || c.PrincipalAccount() != account {
		t.Errorf("it is a %s of %s, session %q, user %q", c.Kind(), c.PrincipalAccount(), c.SessionName(), c.UserName())
	}
}

func TestRecorded(t *testing.T) {
	apitest.RunRecorded(t, func(t *testing.T) apitest.Setup {
		s := newFixture(t)
		return apitest.Setup{Services: []api.Mounted{{Service: &wireiam.API, Server: s.iam}, {Service: &wire.API, Server: s.sts}}}
	})
}

// Credentials for somebody without any are good for what both the user who has asked and
// the session's policies allow: nothing without policies.
// Source: STS API, GetFederationToken.
func TestFederationToken(t *testing.T) {
	s := newFixture(t)
	policies := iam.NewCallerPolicies(s.db)
	for _, test := range []struct {
		document *string
		action   string
		want     string
	}{
		{new(sessionPolicy), "ecs:ListClusters", "allowed by an identity-based policy: arn:aws:iam::aws:policy/AdministratorAccess, statement 1"},
		{new(sessionPolicy), "iam:ListRoles", "because no session policy allows the iam:ListRoles action"},
		{nil, "ecs:ListClusters", "because no session policy allows the ecs:ListClusters action"},
	} {
		out, err := s.sts.GetFederationToken(s.user, &wire.GetFederationTokenInput{Name: new("bob"), Policy: test.document, Tags: []wire.Tag{{Key: new("Team"), Value: new("web")}}})
		if err != nil {
			t.Fatal(err)
		}
		if *out.FederatedUser.Arn != "arn:aws:sts::123456789012:federated-user/bob" || *out.FederatedUser.FederatedUserId != "123456789012:bob" {
			t.Errorf("the user is %v", out.FederatedUser)
		}
		call := api.CallFrom(s.as(*out.Credentials.AccessKeyId))
		known := policies.Of(&call.Caller)
		if got := policy.Decide(known, test.action, []policy.Resource{{ARN: "*"}}, nil).String(); got != test.want || known.Tags["team"] != "web" {
			t.Errorf("%s: %s, want %s; tags %v", test.action, got, test.want, known.Tags)
		}
		if _, err := s.sts.GetFederationToken(s.as(*out.Credentials.AccessKeyId), &wire.GetFederationTokenInput{Name: new("eve")}); code(err) != "AccessDenied" {
			t.Errorf("a federated user asks for another: %v", err)
		}
	}
	root := api.WithCall(t.Context(), &api.Call{Account: account, Caller: api.Caller{PrincipalARN: "arn:aws:iam::123456789012:root"}})
	if _, err := s.sts.GetFederationToken(root, &wire.GetFederationTokenInput{Name: new("bob")}); code(err) != "AccessDenied" {
		t.Errorf("the root user: %v", err)
	}
}
