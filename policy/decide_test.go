package policy_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
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
		effect := rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect")
		parts := []string{
			`"Effect":"` + effect + `"`,
			`"` + rapid.SampledFrom([]string{"Action", "NotAction"}).Draw(t, "element") + `":` + some(t, "*", "s:*", "s:Get?", "s:GetA", "t:*"),
			`"` + rapid.SampledFrom([]string{"Resource", "Resource", "NotResource"}).Draw(t, "what") + `":` + some(t, "*", home, "arn:aws:ecr:*:*:repository/w*", "${aws:username}"),
		}
		if rapid.Bool().Draw(t, "conditional") {
			operator := rapid.SampledFrom([]string{"StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAnyValue:StringEquals", "ForAllValues:StringNotEquals"}).Draw(t, "operator")
			key := rapid.SampledFrom([]string{"aws:username", "aws:TagKeys", "no:key"}).Draw(t, "key")
			parts = append(parts, `"Condition":{"`+operator+`":{"`+key+`":`+some(t, "dev", "ops", "a", "b")+`}}`)
		}
		return "{" + strings.Join(parts, ",") + "}"
	})
	grants = rapid.Custom(func(t *rapid.T) string {
		return grant(rapid.SampledFrom([]string{"Allow", "Deny"}).Draw(t, "effect"),
			rapid.SampledFrom([]string{`"*"`, aws(user), aws(session), aws(webRole), aws("123456789012")}).Draw(t, "principal"))
	})
)

// some is a list of one or more of some texts, in any order.
func some(t *rapid.T, of ...string) string {
	drawn := rapid.SliceOfNDistinct(rapid.SampledFrom(of), 1, len(of), rapid.ID[string]).Draw(t, "some")
	return `["` + strings.Join(drawn, `","`) + `"]`
}

func draw(t *rapid.T) *drawn {
	several := rapid.SliceOfN(statements, 0, 4)
	maybe := rapid.OneOf(rapid.Just[[]string](nil), several)
	d := &drawn{
		caller: *caller(rapid.SampledFrom([]string{user, session}).Draw(t, "caller")),
		on:     policy.Resource{ARN: rapid.SampledFrom([]string{home, abroad, "*"}).Draw(t, "resource"), Trust: rapid.Bool().Draw(t, "trust")},
		action: rapid.SampledFrom([]string{"s:GetA", "s:PutA", "t:GetA"}).Draw(t, "action"),
		context: policy.Values{
			"aws:username": {rapid.SampledFrom([]string{"dev", "ops"}).Draw(t, "user name")},
			"aws:tagkeys":  rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(t, "tag keys"),
		},
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
			before := d.decide(t, d.documents)
			d.context["aws:tagkeys"] = shuffled(rt, d.context["aws:tagkeys"])
			if after := d.decide(t, with); before != after {
				rt.Fatalf("%+v: %v; %+v: %v", d.documents, before, with, after)
			}
		})
	})
	t.Run("values are in no order", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			d := draw(rt)
			with := documents{reversed(d.identity), reversed(d.boundary), reversed(d.session), d.resource}
			if before, after := d.decide(t, d.documents), d.decide(t, with); before != after {
				rt.Fatalf("%+v: %v; %+v: %v", d.documents, before, with, after)
			}
		})
	})
	t.Run("an added deny allows nothing more", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			d := draw(rt)
			added := strings.Replace(statements.Draw(rt, "added"), `"Allow"`, `"Deny"`, 1)
			with := d.documents
			switch rapid.IntRange(0, 3).Draw(rt, "where") {
			case 0:
				with.identity = append([]string{added}, with.identity...)
			case 1:
				with.boundary = append([]string{added}, with.boundary...)
			case 2:
				with.session = append([]string{added}, with.session...)
			case 3:
				with.resource = append([]string{strings.Replace(grants.Draw(rt, "denied"), `"Allow"`, `"Deny"`, 1)}, with.resource...)
			}
			if before, after := d.decide(t, d.documents), d.decide(t, with); before != policy.Allow && after == policy.Allow || before == policy.ExplicitDeny && after != policy.ExplicitDeny {
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

var lists = regexp.MustCompile(`\[[^\[\]]*\]`)

// reversed are statements whose lists of values are the other way round.
func reversed(statements []string) []string {
	if statements == nil {
		return nil
	}
	out := []string{}
	for _, s := range statements {
		out = append(out, lists.ReplaceAllStringFunc(s, func(list string) string {
			values := strings.Split(strings.Trim(list, "[]"), ",")
			slices.Reverse(values)
			return "[" + strings.Join(values, ",") + "]"
		}))
	}
	return out
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
			before := processorTime(b)
			for b.Loop() {
				if d := policy.Decide(c, "ecs:DescribeTasks", on, context); d.Effect != policy.Allow {
					b.Fatal(d)
				}
			}
			b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what this process has used: on a busy machine, more time passes.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
