package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"fargo/api"
	"fargo/aws/ecs"
	"fargo/policy"
	"fargo/store"
)

// attached are policies that every caller has.
type attached struct{ policy.Caller }

func (a attached) Of(c *api.Caller) *policy.Caller {
	a.Account, a.ARNs = "123456789012", []string{c.PrincipalARN}
	a.Role = c.Role
	return &a.Caller
}

func allowing(t testing.TB, statements ...string) attached {
	t.Helper()
	d, err := policy.Parse(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return attached{policy.Caller{Identity: policy.NewSet(policy.Policy{Name: "p", Document: d}), Tags: map[string]string{"team": "a"}}}
}

// tasks are a table as a service has it.
var tasks = map[string]*api.Actions{"ecs": {
	Prefix:          "ecs",
	TagOnCreate:     "ecs:TagResource",
	CreateActionKey: "ecs:CreateAction",
	Tags: func(_ store.Reader, arn string) map[string]string {
		return map[string]string{"Name": arn[strings.LastIndexByte(arn, '/')+1:]}
	},
	Attributes: func(_ store.Reader, arn, key string) []string { return api.Given(new(key + " of " + arn)) },
	Rows: map[string]api.Row{
		"StopTask": api.On(func(q *api.Query, in *ecs.StopTaskInput) []string {
			return []string{q.ARN("ecs", "task/c/"+*in.Task)}
		}).Key("ecs:cluster", func(_ *api.Query, in *ecs.StopTaskInput) []string { return api.Given(in.Cluster) }),
		"CreateCluster": api.On(func(q *api.Query, in *ecs.CreateClusterInput) []string {
			return []string{q.ARN("ecs", "cluster/"+*in.ClusterName)}
		}).Tags(func(in *ecs.CreateClusterInput) map[string]string {
			return api.TagMap(in.Tags, func(t ecs.Tag) (key, value *string) { return t.Key, t.Value })
		}).Creates().Also(func(*api.Query, *ecs.CreateClusterInput) []api.Access {
			return api.PassRole("ecs.amazonaws.com", new("arn:aws:iam::123456789012:role/r"))
		}),
		"DescribeClusters": api.NoPermission,
	},
}}

func newEnforcer(t testing.TB, p api.Policies, logger *slog.Logger) *api.Enforcer {
	t.Helper()
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	return api.NewEnforcer(api.EnforcerConfig{Actions: tasks, Policies: p, State: db.View, Logger: logger})
}

// Every request is decided and counted, by service, action and effect. What policies do
// not allow is refused, or, when they are only audited, logged.
func TestEnforcer(t *testing.T) {
	const denied = "AccessDenied"
	for _, test := range []struct {
		audit         bool
		second, third string // what the requests are answered with that policies do not allow
	}{{false, denied, denied}, {true, "ClusterNotFoundException", "NoSuchEntity"}} {
		var said bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelDebug}))
		enforcer := newEnforcer(t, allowing(t, `{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`, `{"Sid":"No","Effect":"Deny","Action":"ecs:StopTask","Resource":"*/t2"}`), logger)
		enforcer.AuditOnly = test.audit
		c := config(server{})
		c.Authorizer = enforcer
		handler := api.New(c)
		for _, e := range []exchange{
			{service: "ecs", header: target + "StopTask", body: `{"task":"t1"}`, want: "ClusterNotFoundException"},
			{service: "ecs", header: target + "StopTask", body: `{"task":"t2"}`, want: test.second},
			{service: "ecs", header: target + "StopTask", body: `{"task":"t2"}`, want: test.second},
			{service: "ecs", header: target + "DescribeClusters", body: `{}`, want: "clusters"},
			{service: "iam", header: form, body: "Action=GetUser&Version=2010-05-08", want: test.third},
		} {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, e.request("http://127.0.0.1"))
			if !strings.Contains(w.Body.String(), e.want) {
				t.Errorf("audit only %v: %s: %d %s", test.audit, e.body, w.Code, w.Body)
			}
		}
		checkDecisions(t, enforcer, said.String())
		const refused = `level=INFO msg="would have been refused" action=ecs:StopTask`
		if strings.Contains(said.String(), refused) != test.audit {
			t.Errorf("audit only %v: %s", test.audit, said.String())
		}
	}
}

// checkDecisions sees that the requests of TestEnforcer were counted and logged.
func checkDecisions(t *testing.T, enforcer *api.Enforcer, said string) {
	t.Helper()
	want := map[string]map[string]map[string]int64{
		"ecs": {"ecs:StopTask": {"allow": 1, "explicit deny": 2}},
		"iam": {"iam:GetUser": {"implicit deny": 1}},
	}
	if got := enforcer.Decisions(); !reflect.DeepEqual(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
	for _, line := range []string{
		`msg="policy decision" action=ecs:StopTask resource=arn:aws:ecs:us-east-1:123456789012:task/c/t2 effect="explicit deny" why="with an explicit deny in an identity-based policy: p, No" principal=arn:aws:iam::123456789012:user/admin`,
		`action=iam:GetUser resource=* effect="implicit deny" why="because no identity-based policy allows the iam:GetUser action"`,
	} {
		if !strings.Contains(said, line) {
			t.Errorf("no %q in\n%s", line, said)
		}
	}

	shown := func(from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, "/debug/authorization", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		enforcer.ServeHTTP(w, r)
		return w
	}
	var counts map[string]map[string]map[string]int64
	if err := json.Unmarshal(shown("127.0.0.1:9").Body.Bytes(), &counts); err != nil || !reflect.DeepEqual(counts, want) {
		t.Errorf("shown %v, %v", counts, err)
	}
	if w := shown("10.0.0.1:9"); w.Code != http.StatusNotFound {
		t.Errorf("shown to another machine: %d %s", w.Code, w.Body)
	}
}

// What is created with tags, and what is passed on, is asked for by itself.
func TestDependentActions(t *testing.T) {
	enforcer := newEnforcer(t, allowing(t,
		`{"Effect":"Allow","Action":"ecs:CreateCluster","Resource":"*"}`,
		`{"Effect":"Allow","Action":"ecs:TagResource","Resource":"*","Condition":{"StringEquals":{"ecs:CreateAction":"CreateCluster","aws:RequestTag/Team":"a"}}}`,
		`{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"ecs.amazonaws.com"}}}`,
	), slog.New(slog.DiscardHandler))
	create := func(want string, tags ...ecs.Tag) {
		in := &ecs.CreateClusterInput{ClusterName: new("c"), Tags: tags}
		if err := enforcer.Authorize(t.Context(), &api.Call{Service: "ecs", Operation: "CreateCluster", Account: "123456789012"}, in); fmt.Sprint(err) != want {
			t.Fatal(err)
		}
	}
	create("<nil>")
	create("<nil>", ecs.Tag{Key: new("team"), Value: new("a")})
	create("AccessDeniedException: User:  is not authorized to perform: ecs:TagResource on resource: arn:aws:ecs::123456789012:cluster/c because no identity-based policy allows the ecs:TagResource action",
		ecs.Tag{Key: new("team"), Value: new("b")})
	want := map[string]map[string]int64{
		"ecs:CreateCluster": {"allow": 3}, "iam:PassRole": {"allow": 3},
		"ecs:TagResource": {"allow": 1, "implicit deny": 1},
	}
	if got := enforcer.Decisions()["ecs"]; !reflect.DeepEqual(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

// Source: IAM user guide, "AWS global condition context keys".
func TestConditionKeys(t *testing.T) {
	issued := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	user := api.Caller{
		PrincipalARN: "arn:aws:iam::123456789012:user/team/ann", PrincipalID: "AIDAANN",
		Client: api.Client{SourceAddress: netip.MustParseAddr("10.1.2.3"), UserAgent: "aws-cli", Referer: "https://example.com"},
	}
	session := api.Caller{
		PrincipalARN: "arn:aws:sts::123456789012:assumed-role/web/s1", PrincipalID: "AROAWEB:s1", Role: "arn:aws:iam::123456789012:role/apps/web",
		SourceIdentity: "ann", CredentialsIssued: issued, Client: api.Client{Secure: true},
	}
	forwarded := user
	forwarded.InvokedBy = "cloudformation.amazonaws.com"
	root := api.Caller{PrincipalARN: "arn:aws:iam::123456789012:root", PrincipalID: "123456789012"}
	service := api.Caller{ServicePrincipal: "ecs.amazonaws.com", Client: api.Client{SourceAddress: netip.MustParseAddr("10.1.2.3")}}
	const absent = ""
	for _, test := range []struct {
		key    string
		caller api.Caller
		want   string
	}{
		{"aws:PrincipalArn", user, "arn:aws:iam::123456789012:user/team/ann"},
		{"aws:PrincipalArn", session, "arn:aws:iam::123456789012:role/apps/web"},
		{"aws:PrincipalAccount", session, "123456789012"},
		{"aws:PrincipalAccount", service, absent},
		{"aws:PrincipalType", user, "User"},
		{"aws:PrincipalType", session, "AssumedRole"},
		{"aws:PrincipalType", root, "Account"},
		{"aws:PrincipalType", api.Caller{PrincipalARN: "arn:aws:sts::123456789012:federated-user/f"}, "FederatedUser"},
		{"aws:PrincipalType", api.Caller{}, "Anonymous"},
		{"aws:PrincipalType", service, absent},
		{"aws:PrincipalIsAWSService", service, "true"},
		{"aws:PrincipalIsAWSService", user, "false"},
		{"aws:PrincipalServiceName", service, "ecs.amazonaws.com"},
		{"aws:userid", session, "AROAWEB:s1"},
		{"aws:username", user, "ann"},
		{"aws:username", session, absent},
		{"aws:PrincipalTag/Team", user, "a"},
		{"aws:PrincipalTag/Stage", user, absent},
		{"aws:SourceIp", user, "10.1.2.3"},
		{"aws:SourceIp", forwarded, absent},
		{"aws:SourceIp", service, absent},
		{"aws:SourceIp", session, absent}, // not known
		{"aws:ViaAWSService", forwarded, "true"},
		{"aws:ViaAWSService", user, "false"},
		{"aws:CalledVia", forwarded, "cloudformation.amazonaws.com"},
		{"aws:CalledViaLast", user, absent},
		{"aws:SecureTransport", session, "true"},
		{"aws:SecureTransport", user, "false"},
		{"aws:UserAgent", user, "aws-cli"},
		{"aws:Referer", user, "https://example.com"},
		{"aws:RequestedRegion", user, "eu-central-1"},
		{"aws:ResourceAccount", user, "123456789012"},
		{"aws:SourceIdentity", session, "ann"},
		{"aws:TokenIssueTime", session, "2026-11-23T12:00:00Z"},
		{"aws:TokenIssueTime", user, absent},
		{"aws:MultiFactorAuthPresent", session, "false"},
		{"aws:MultiFactorAuthPresent", user, absent},
		{"aws:ResourceTag/name", user, "t1"},
		{"ecs:ResourceTag/Name", user, "t1"},
		{"ecs:ResourceTag/Other", user, absent},
		{"ecs:cluster", user, "c1"},
		{"ecs:task", user, "ecs:task of arn:aws:ecs:eu-central-1:123456789012:task/c/t1"},
		{"aws:RequestTag/Name", user, absent},
		{"aws:TagKeys", user, absent},
		{"aws:Other", user, absent},
	} {
		t.Run(fmt.Sprintf("%s of %s", test.key, test.caller.Kind()), func(t *testing.T) {
			condition := `"StringEquals":{"` + test.key + `":"` + test.want + `"}`
			if test.want == absent {
				condition = `"Null":{"` + test.key + `":"true"}`
			}
			enforcer := newEnforcer(t, allowing(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+condition+`}}`), slog.New(slog.DiscardHandler))
			call := &api.Call{Service: "ecs", Operation: "StopTask", Account: "123456789012", Region: "eu-central-1", Caller: test.caller}
			if err := enforcer.Authorize(t.Context(), call, &ecs.StopTaskInput{Task: new("t1"), Cluster: new("c1")}); err != nil {
				t.Fatal(err)
			}
			if got := enforcer.Decisions()["ecs"]["ecs:StopTask"]; got["allow"] != 1 {
				t.Errorf("counted %v", got)
			}
		})
	}
}
