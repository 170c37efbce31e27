package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/policy"
)

// set makes policies of statements, each a document of its own: p1, p2, …
func set(t testing.TB, statements ...string) *policy.Set {
	t.Helper()
	var policies []policy.Policy
	for i, s := range statements {
		policies = append(policies, policy.Policy{
			Name:     fmt.Sprintf("p%d", i+1),
			Document: parse(t, `{"Version":"2012-10-17","Statement":[`+s+`]}`),
		})
	}
	return policy.NewSet(policies...)
}

const (
	home     = "arn:aws:ecr:us-east-1:123456789012:repository/web"
	abroad   = "arn:aws:ecr:us-east-1:210987654321:repository/web"
	user     = "arn:aws:iam::123456789012:user/dev"
	webRole  = "arn:aws:iam::123456789012:role/apps/web"
	session  = "arn:aws:sts::123456789012:assumed-role/web/s1"
	allowAll = `{"Effect":"Allow","Action":"*","Resource":"*"}`
	denyAll  = `{"Effect":"Deny","Action":"*","Resource":"*"}`
)

// grant is a statement of a resource's policy.
func grant(effect, principal string) string {
	return `{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"*"}`
}

func aws(arn string) string { return `{"AWS":"` + arn + `"}` }

// Source: IAM user guide, "Policy evaluation logic" ("Policy evaluation for
// requests within a single account", "Cross-account policy evaluation logic"),
// and of the texts "Troubleshoot access denied error messages".
var decisions = []struct {
	name                                  string
	who                                   string // ARN of a user or session, ":root", or a service
	identity, boundary, session, resource []string
	trust                                 bool
	on                                    string
	want                                  string
}{
	{name: "nothing", who: user, want: "because no identity-based policy allows the ecr:BatchGetImage action"},
	{name: "identity", who: user, identity: []string{allowAll}, want: "allowed by an identity-based policy: p1, statement 1"},
	{name: "which of two", who: user, identity: []string{`{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`, `{"Sid":"Pull","Effect":"Allow","Action":"ecr:*","Resource":"*"}`}, want: "allowed by an identity-based policy: p2, Pull"},
	{name: "denied", who: user, identity: []string{allowAll, denyAll}, want: "with an explicit deny in an identity-based policy: p2, statement 1"},
	{name: "boundary allows", who: user, identity: []string{allowAll}, boundary: []string{allowAll}, want: "allowed by an identity-based policy: p1, statement 1"},
	{name: "boundary only", who: user, boundary: []string{allowAll}, want: "because no identity-based policy allows the ecr:BatchGetImage action"},
	{name: "beyond the boundary", who: user, identity: []string{allowAll}, boundary: []string{`{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`}, want: "because no permissions boundary allows the ecr:BatchGetImage action"},
	{name: "boundary denies", who: user, identity: []string{allowAll}, boundary: []string{allowAll + "," + denyAll}, want: "with an explicit deny in a permissions boundary: p1, statement 2"},
	{name: "boundary of no policy", who: user, identity: []string{allowAll}, boundary: []string{}, want: "because no permissions boundary allows the ecr:BatchGetImage action"},
	{name: "session", who: session, identity: []string{allowAll}, want: "allowed by an identity-based policy: p1, statement 1"},
	{name: "session policy", who: session, identity: []string{allowAll}, session: []string{`{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`}, want: "because no session policy allows the ecr:BatchGetImage action"},
	{name: "session policy denies", who: session, identity: []string{allowAll}, session: []string{denyAll}, want: "with an explicit deny in a session policy: p1, statement 1"},
	{name: "session policies are a union", who: session, identity: []string{allowAll}, session: []string{`{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`, `{"Effect":"Allow","Action":"ecr:*","Resource":"*"}`}, want: "allowed by an identity-based policy: p1, statement 1"},
	{name: "root", who: ":root", want: "allowed"},
	{name: "root, denied by the resource", who: ":root", resource: []string{grant("Deny", `"*"`)}, want: "with an explicit deny in a resource-based policy: p1, statement 1"},

	{name: "resource allows a user", who: user, boundary: []string{}, resource: []string{grant("Allow", aws(user))}, want: "allowed by a resource-based policy: p1, statement 1"},
	{name: "resource allows a session", who: session, session: []string{}, resource: []string{grant("Allow", aws(session))}, want: "allowed by a resource-based policy: p1, statement 1"},
	{name: "resource allows everybody", who: session, session: []string{}, resource: []string{grant("Allow", `"*"`)}, want: "allowed by a resource-based policy: p1, statement 1"},
	{name: "resource allows a role", who: session, resource: []string{grant("Allow", aws(webRole))}, want: "allowed by a resource-based policy: p1, statement 1"},
	{name: "resource allows a role that is limited", who: session, session: []string{}, resource: []string{grant("Allow", aws(webRole))}, want: "because no session policy allows the ecr:BatchGetImage action"},
	{name: "resource allows a role with a boundary", who: session, boundary: []string{}, resource: []string{grant("Allow", aws(webRole))}, want: "because no permissions boundary allows the ecr:BatchGetImage action"},
	{name: "resource allows another", who: session, resource: []string{grant("Allow", aws(user))}, want: "because no identity-based policy allows the ecr:BatchGetImage action"},
	{name: "resource delegates", who: user, resource: []string{grant("Allow", aws("arn:aws:iam::123456789012:root"))}, want: "because no identity-based policy allows the ecr:BatchGetImage action"},
	{name: "resource denies a role", who: session, identity: []string{allowAll}, resource: []string{grant("Deny", aws(webRole))}, want: "with an explicit deny in a resource-based policy: p1, statement 1"},

	{name: "abroad, nothing there", who: user, identity: []string{allowAll}, on: abroad, want: "because no resource-based policy allows the ecr:BatchGetImage action"},
	{name: "abroad, nothing here", who: user, resource: []string{grant("Allow", aws(user))}, on: abroad, want: "because no identity-based policy allows the ecr:BatchGetImage action"},
	{name: "abroad, both", who: user, identity: []string{allowAll}, resource: []string{grant("Allow", aws("123456789012"))}, on: abroad, want: "allowed by an identity-based policy: p1, statement 1"},

	{name: "trusts a user", who: user, trust: true, resource: []string{grant("Allow", aws(user))}, want: "allowed by a role trust policy: p1, statement 1"},
	{name: "trusts the account", who: user, trust: true, resource: []string{grant("Allow", aws("123456789012"))}, want: "because no identity-based policy allows the ecr:BatchGetImage action"},
	{name: "trusts the account, and allowed", who: user, trust: true, identity: []string{allowAll}, resource: []string{grant("Allow", aws("123456789012"))}, want: "allowed by an identity-based policy: p1, statement 1"},
	{name: "does not trust", who: user, trust: true, identity: []string{allowAll}, resource: []string{grant("Allow", aws(webRole))}, want: "because no role trust policy allows the ecr:BatchGetImage action"},
	{name: "trusts a service", who: "ecs-tasks.amazonaws.com", trust: true, resource: []string{grant("Allow", `{"Service":"ecs-tasks.amazonaws.com"}`)}, want: "allowed by a role trust policy: p1, statement 1"},
	{name: "trusts another service", who: "ecs.amazonaws.com", trust: true, resource: []string{grant("Allow", `{"Service":"ecs-tasks.amazonaws.com"}`)}, want: "because no role trust policy allows the ecr:BatchGetImage action"},
}

func caller(who string) *policy.Caller {
	c := &policy.Caller{Principal: policy.Principal{Account: "123456789012", ARNs: []string{who}}}
	switch {
	case who == session:
		c.Role = webRole
	case who == ":root":
		c.Root, c.ARNs = true, []string{"arn:aws:iam::123456789012:root"}
	case strings.HasSuffix(who, ".amazonaws.com"):
		c.Principal = policy.Principal{Service: who}
	}
	return c
}

func TestDecide(t *testing.T) {
	for _, test := range decisions {
		t.Run(test.name, func(t *testing.T) {
			c := caller(test.who)
			c.Identity = set(t, test.identity...)
			if test.boundary != nil {
				c.Boundary = set(t, test.boundary...)
			}
			if test.session != nil {
				c.Session = set(t, test.session...)
			}
			on := policy.Resource{ARN: home, Trust: test.trust}
			if test.on != "" {
				on.ARN = test.on
			}
			if test.resource != nil {
				on.Policies = set(t, test.resource...)
			}
			got := policy.Decide(c, "ecr:BatchGetImage", []policy.Resource{on}, nil)
			if strings.ReplaceAll(got.String(), "the role", "a role") != strings.ReplaceAll(test.want, "the role", "a role") {
				t.Errorf("%s\nwant %s", got, test.want)
			}
			if allowed := strings.HasPrefix(test.want, "allowed"); (got.Effect == policy.Allow) != allowed || got.Resource != on.ARN {
				t.Errorf("the decision is %+v", got)
			}
		})
	}
}

// Every resource must be allowed; the first one that is denied is named, one that
// is denied explicitly before others.
func TestDecideAboutSeveral(t *testing.T) {
	c := caller(user)
	c.Identity = set(t, `{"Effect":"Allow","Action":"*","Resource":["a:a","a:b"]}`, `{"Effect":"Deny","Action":"*","Resource":"a:d"}`)
	for _, test := range []struct {
		resources, on string
		effect        policy.Effect
	}{
		{"", "", policy.Allow},
		{"a:a a:b", "a:b", policy.Allow},
		{"a:a a:c a:b", "a:c", policy.ImplicitDeny},
		{"a:c a:e", "a:c", policy.ImplicitDeny},
		{"a:a a:c a:d", "a:d", policy.ExplicitDeny},
		{"*", "*", policy.ImplicitDeny},
	} {
		var resources []policy.Resource
		for arn := range strings.FieldsSeq(test.resources) {
			resources = append(resources, policy.Resource{ARN: arn})
		}
		if got := policy.Decide(c, "x:y", resources, nil); got.Effect != test.effect || got.Resource != test.on {
			t.Errorf("%s: %+v", test.resources, got)
		}
	}
}

// What a request says is asked for only when a condition needs it.
func TestContextIsLazy(t *testing.T) {
	c := caller(user)
	c.Identity = set(t, `{"Effect":"Deny","Action":"ecs:*","Resource":"*","Condition":{"StringEquals":{"ecs:cluster":"c"}}}`, allowAll)
	asked := &asked{}
	policy.Decide(c, "ecr:BatchGetImage", []policy.Resource{{ARN: home}}, asked)
	if len(asked.keys) > 0 {
		t.Errorf("asked for %v", asked.keys)
	}
	policy.Decide(c, "ecs:RunTask", []policy.Resource{{ARN: home}}, asked)
	if fmt.Sprint(asked.keys) != "[ecs:cluster "+home+"]" {
		t.Errorf("asked for %v", asked.keys)
	}
}

type asked struct{ keys []string }

func (a *asked) Values(key, resource string) []string {
	a.keys = append(a.keys, key, resource)
	return nil
}

// A request drawn at random meets policies drawn at random often.
type drawn struct {
	caller  policy.Caller
	on      policy.Resource
	action  string
	context policy.Values
	documents
}

// documents are the statements of each kind of policies; nil is none at all.
type documents struct{ identity, boundary, session, resource []string }

var (
	statements = rapid.Custom(func(t *rapid.T) string {
		s := `{"Effect":"` + rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect") + `"`
		s += `,"` + rapid.SampledFrom([]string{"Action", "NotAction"}).Draw(t, "element") + `":"` + rapid.SampledFrom([]string{"*", "s:*", "s:Get?", "s:GetA", "t:*"}).Draw(t, "action") + `"`
		s += `,"Resource":"` + rapid.SampledFrom([]string{"*", home, "arn:aws:ecr:*:*:repository/w*", "${aws:username}"}).Draw(t, "resource") + `"`
		if rapid.Bool().Draw(t, "conditional") {
			s += `,"Condition":{"StringEquals":{"aws:username":"` + rapid.SampledFrom([]string{"dev", "ops"}).Draw(t, "user") + `"}}`
		}
		return s + "}"
	})
	grants = rapid.Custom(func(t *rapid.T) string {
		return grant(rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect"),
			rapid.SampledFrom([]string{`"*"`, aws(user), aws(session), aws(webRole), aws("123456789012")}).Draw(t, "principal"))
	})
)

func draw(t *rapid.T) *drawn {
	several := rapid.SliceOfN(statements, 0, 4)
	maybe := rapid.OneOf(rapid.Just[[]string](nil), several)
	d := &drawn{
		caller:  *caller(rapid.SampledFrom([]string{user, session}).Draw(t, "caller")),
		on:      policy.Resource{ARN: rapid.SampledFrom([]string{home, abroad, "*"}).Draw(t, "resource"), Trust: rapid.Bool().Draw(t, "trust")},
		action:  rapid.SampledFrom([]string{"s:GetA", "s:PutA", "t:GetA"}).Draw(t, "action"),
		context: policy.Values{"aws:username": {rapid.SampledFrom([]string{"dev", "ops"}).Draw(t, "user name")}},
		documents: documents{
			identity: several.Draw(t, "identity"), boundary: maybe.Draw(t, "boundary"), session: maybe.Draw(t, "session"),
			resource: rapid.OneOf(rapid.Just[[]string](nil), rapid.SliceOfN(grants, 0, 3)).Draw(t, "resource's"),
		},
	}
	return d
}

func (d *drawn) decide(t testing.TB, with documents) policy.Effect {
	c, on := d.caller, d.on
	c.Identity = set(t, with.identity...)
	if with.boundary != nil {
		c.Boundary = set(t, with.boundary...)
	}
	if with.session != nil {
		c.Session = set(t, with.session...)
	}
	if with.resource != nil {
		on.Policies = set(t, with.resource...)
	}
	return policy.Decide(&c, d.action, []policy.Resource{on}, d.context).Effect
}

// Source: IAM user guide, "Policy evaluation logic": an explicit deny overrides
// any allow; the order of policies and statements has no effect.
func TestProperties(t *testing.T) {
	t.Run("an explicit deny wins", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			d := draw(rt)
			with := d.documents
			switch rapid.IntRange(0, 2).Draw(rt, "where") {
			case 0:
				with.identity = append(with.identity[:len(with.identity):len(with.identity)], denyAll)
			case 1:
				with.session = append(with.session[:len(with.session):len(with.session)], denyAll)
			case 2:
				with.resource = append(with.resource[:len(with.resource):len(with.resource)], grant("Deny", `"*"`))
			}
			if got := d.decide(t, with); got != policy.ExplicitDeny {
				rt.Fatalf("%+v: %v", with, got)
			}
		})
	})
	t.Run("order has no effect", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			d := draw(rt)
			with := documents{shuffled(rt, d.identity), shuffled(rt, d.boundary), shuffled(rt, d.session), shuffled(rt, d.resource)}
			if before, after := d.decide(t, d.documents), d.decide(t, with); before != after {
				rt.Fatalf("%+v: %v; %+v: %v", d.documents, before, with, after)
			}
		})
	})
	t.Run("an added allow takes nothing away", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			d := draw(rt)
			added := strings.Replace(statements.Draw(rt, "added"), `"Deny"`, `"Allow"`, 1)
			with := d.documents
			switch rapid.IntRange(0, 2).Draw(rt, "where") {
			case 0:
				with.identity = append([]string{added}, with.identity...)
			case 1:
				if with.boundary != nil { // a first one is a limit
					with.boundary = append([]string{added}, with.boundary...)
				}
			case 2:
				with.resource = append([]string{strings.Replace(grants.Draw(rt, "granted"), `"Deny"`, `"Allow"`, 1)}, with.resource...)
			}
			if before, after := d.decide(t, d.documents), d.decide(t, with); before == policy.Allow && after != policy.Allow || before != policy.ExplicitDeny && after == policy.ExplicitDeny {
				rt.Fatalf("%+v: %v; %+v: %v", d.documents, before, with, after)
			}
		})
	})
	t.Run("a limit allows nothing by itself", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			d := draw(rt)
			with := d.documents
			if rapid.Bool().Draw(rt, "boundary") {
				with.boundary = nil
			} else {
				with.session = nil
			}
			if limited, free := d.decide(t, d.documents), d.decide(t, with); limited == policy.Allow && free != policy.Allow {
				rt.Fatalf("%+v: %v, without the limit %v", d.documents, limited, free)
			}
		})
	})
	t.Run("several are allowed when each is", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			d := draw(rt)
			c := d.caller
			c.Identity = set(t, d.identity...)
			one, other := policy.Resource{ARN: home}, policy.Resource{ARN: "*"}
			allowed := func(on ...policy.Resource) bool {
				return policy.Decide(&c, d.action, on, d.context).Effect == policy.Allow
			}
			if both, each := allowed(one, other), allowed(one) && allowed(other); both != each {
				rt.Fatalf("%v: both %v, each %v", d.identity, both, each)
			}
		})
	})
}

func shuffled(t *rapid.T, statements []string) []string {
	if len(statements) == 0 {
		return statements
	}
	return rapid.Permutation(statements).Draw(t, "order")
}

// The budget is 10 µs.
func BenchmarkDecide(b *testing.B) {
	var limited []string
	for i := range 100 {
		limited = append(limited, fmt.Sprintf(`{"Effect":"Allow","Action":["ecs:Describe*","ecs:List*","ecr:Get%d"],"Resource":["arn:aws:ecs:us-east-1:123456789012:task/c%d/*","arn:aws:ecs:*:*:service/c%d/*"],
			"Condition":{"StringEquals":{"aws:ResourceTag/team":"t%d"}}}`, i, i, i, i))
	}
	c := caller(session)
	on := []policy.Resource{{ARN: "arn:aws:ecs:us-east-1:123456789012:task/c99/0123456789abcdef"}}
	context := policy.Values{"aws:resourcetag/team": {"t99"}}
	for name, identity := range map[string]*policy.Set{
		"statements=100": set(b, strings.Join(limited, ",")),
		"administrator":  set(b, allowAll),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			c.Identity = identity
			for b.Loop() {
				if d := policy.Decide(c, "ecs:DescribeTasks", on, context); d.Effect != policy.Allow {
					b.Fatal(d)
				}
			}
		})
	}
}
