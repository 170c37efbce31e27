package policy_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fargo/policy"
)

func parse(t testing.TB, doc string) policy.Document {
	t.Helper()
	d, err := policy.Parse(doc)
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return d
}

// The documents of AWS are policies by our grammar.
func TestManaged(t *testing.T) {
	all := policy.Managed()
	for arn, doc := range all {
		if _, err := policy.ParseInline(doc); err != nil {
			t.Errorf("%s: %v", arn, err)
		}
	}
	for _, name := range []string{
		"service-role/AmazonECSTaskExecutionRolePolicy", "AmazonECS_FullAccess", "service-role/AmazonEC2ContainerServiceforEC2Role",
		"service-role/AmazonEC2ContainerServiceEventsRole", "AmazonECSInfrastructureRolePolicyForLoadBalancers",
		"service-role/AmazonECSInfrastructureRolePolicyForVolumes", "AWSCodeDeployRoleForECS", "AWSCodeDeployRoleForECSLimited",
		"AdministratorAccess", "ReadOnlyAccess", "PowerUserAccess", "CloudWatchLogsFullAccess", "SecretsManagerReadWrite", "AmazonSSMReadOnlyAccess",
	} {
		if all["arn:aws:iam::aws:policy/"+name] == "" {
			t.Errorf("there is no %s", name)
		}
	}
}

func TestTrusts(t *testing.T) {
	for name, test := range map[string]struct {
		statement string
		want      bool
	}{
		"service":         {`{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}`, true},
		"one of services": {`{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","ecs-tasks.amazonaws.com"]},"Action":"sts:*"}`, true},
		"other service":   {`{"Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"},"Action":"sts:AssumeRole"}`, false},
		"account":         {`{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole"}`, false},
		"other action":    {`{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:TagSession"}`, false},
		"denied":          {`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}`, false},
		"own account":     {`{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"},"ArnLike":{"aws:SourceArn":"arn:aws:ecs:us-east-1:123456789012:*"}}}`, true},
		"other account":   {`{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"aws:SourceAccount":"210987654321"}}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := policy.ParseTrust(`{"Version":"2012-10-17","Statement":[` + test.statement + `]}`)
			if err != nil {
				t.Fatal(err)
			}
			for region, want := range map[string]bool{"us-east-1": test.want, "eu-west-1": test.want && name != "own account"} {
				resource := "arn:aws:ecs:" + region + ":123456789012:task/c/t"
				if got := policy.Trusts(d, "ecs-tasks.amazonaws.com", "123456789012", resource); got != want {
					t.Errorf("Trusts for %s is %v", resource, got)
				}
			}
		})
	}
}

// request is what the tests below ask for.
var request = policy.Request{
	Action: "ecs:RunTask", Resource: "arn:aws:ecs:us-east-1:123456789012:task-definition/web:3",
	Principal: policy.Principal{Account: "123456789012", ARNs: []string{"arn:aws:iam::123456789012:user/dev"}},
	Context: policy.Values{
		"aws:username": {"dev"}, "aws:sourceip": {"10.1.2.3"}, "ecs:cluster": {"arn:aws:ecs:us-east-1:123456789012:cluster/c"},
		"aws:tagkeys": {"a", "b"}, "aws:currenttime": {"2026-11-23T12:00:00Z"}, "n:n": {"5"}, "b:b": {"true"}, "star:name": {"*"},
	},
}

// documented are the documents of AWS, and those of the cases of IAM's documentation.
func documented(t testing.TB) []string {
	t.Helper()
	all := slices.Collect(maps.Values(policy.Managed()))
	files, err := filepath.Glob("testdata/evaluation/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			word, statement, _ := strings.Cut(strings.TrimSpace(line), " ")
			switch {
			case word == "condition":
				all = append(all, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+statement+`}}`)
			case strings.HasPrefix(statement, "{") || strings.HasPrefix(statement, "[{"):
				all = append(all, `{"Version":"2012-10-17","Statement":`+statement+`}`)
			}
		}
	}
	return all
}

// Whatever is written in a policy, reading it, checking it and asking it ends.
func FuzzParse(f *testing.F) {
	for _, doc := range documented(f) {
		f.Add(doc)
	}
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"a:*","NotResource":"*","NotPrincipal":"*","Condition":{"ForAllValues:StringLikeIfExists":{"a:b":[1,true,"${aws:username, 'x'}${*}"]}}}}`)
	f.Fuzz(func(t *testing.T, doc string) {
		policy.ParseTrust(doc)
		d, err := policy.Parse(doc)
		if _, strict := policy.ParseInline(doc); err != nil && strict == nil {
			t.Errorf("this may be written and not be read: %v", err)
		}
		if err != nil {
			return
		}
		policy.Evaluate(request, d)
		d.ContextKeys()
		for i := range d.Statements {
			if first, last := policy.Positions(doc, i); first.Line > last.Line {
				t.Errorf("statement %d is from %v to %v", i, first, last)
			}
		}
		policy.Trusts(d, "ecs-tasks.amazonaws.com", "123456789012", "arn:aws:ecs:us-east-1:123456789012:task/c/t")
	})
}

// Whatever a document says about whatever is asked, deciding ends; what Decide says is what
// Evaluate says; a deny of everything overrides it, and an allow of everything takes
// nothing away.
func FuzzDecide(f *testing.F) {
	for _, doc := range documented(f) {
		f.Add(doc, "ecs:RunTask", request.Resource, "aws:username", "dev")
	}
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"a:*","Resource":"arn:*:${k:k}?","Condition":{"ForAnyValue:StringNotLikeIfExists":{"k:k":["a*","${k:k, 'x'}${*}"]}}},{"Effect":"Deny","Action":"b:?","NotResource":"*","Condition":{"ArnLike":{"k:k":"arn:*:*"},"NotIpAddress":{"k:k":"10.0.0.0/8"},"DateLessThan":{"k:k":"2020-01-01"},"Null":{"k:k":[true,"false"]}}}]}`, "b:x", "arn:aws:s3:::a", "k:k", "a,b")
	everything := func(effect string) policy.Policy {
		return policy.Policy{Name: effect, Document: parse(f, `{"Statement":{"Effect":"`+effect+`","Action":"*","Resource":"*"}}`)}
	}
	deny, allow := everything("Deny"), everything("Allow")
	f.Fuzz(func(t *testing.T, doc, action, resource, key, values string) {
		d, err := policy.ParseInline(doc)
		if err != nil {
			return
		}
		context := policy.Values{strings.ToLower(key): strings.Split(values, ",")}
		decide := func(with ...policy.Policy) policy.Effect {
			c := caller(user)
			c.Identity = policy.NewSet(append(with, policy.Policy{Name: "p", Document: d})...)
			return policy.Decide(c, action, []policy.Resource{{ARN: resource, Account: "123456789012"}}, context).Effect
		}
		alone := decide()
		if strings.Count(resource, ":") < 5 { // of no other account
			who := policy.Principal{Account: "123456789012", ARNs: []string{user}}
			if got := policy.Evaluate(policy.Request{Action: action, Resource: resource, Principal: who, Context: context}, d); got != alone {
				t.Errorf("decided %v, evaluated %v", alone, got)
			}
		}
		if got := decide(deny); got != policy.ExplicitDeny {
			t.Errorf("with a deny of everything %v", got)
		}
		if got := decide(allow); (got == policy.ExplicitDeny) != (alone == policy.ExplicitDeny) || alone == policy.Allow && got != policy.Allow {
			t.Errorf("decided %v, with an allow of everything %v", alone, got)
		}
	})
}

func TestLongPatternEnds(t *testing.T) {
	d := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"`+strings.Repeat("a*", 2000)+`"}}`)
	long := request
	long.Resource = strings.Repeat("a", 2000) + "b"
	if got := policy.Evaluate(long, d); got != policy.Allow {
		t.Errorf("the decision is %v", got)
	}
}
