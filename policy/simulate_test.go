package policy_test

import (
	"fmt"
	"testing"

	"fargo/policy"
)

// Source: IAM API, SimulateCustomPolicy and GetContextKeysForCustomPolicy.
func TestSimulate(t *testing.T) {
	const (
		reads   = `{"Sid":"Reads","Effect":"Allow","Action":"ecr:Batch*","Resource":"*"}`
		pulls   = `{"Sid":"Pulls","Effect":"Allow","Action":"ecr:*","Resource":"arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team, 'web'}","Condition":{"StringEquals":{"ecr:ResourceTag/a":"${aws:username}"}}}`
		never   = `{"Sid":"Never","Effect":"Deny","Action":"ecr:BatchGetImage","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
		another = `{"Sid":"Another","Effect":"Allow","Action":"ecs:*","Resource":"*","Condition":{"StringEquals":{"ecs:cluster":"x"}}}`
	)
	for _, test := range []struct {
		name               string
		identity, boundary []string
		context            policy.Values
		want               string
	}{
		{"allowed", []string{reads, another}, nil, nil, "allow [Reads] [] none"},
		{"all that allow", []string{reads, pulls}, nil, policy.Values{"ecr:resourcetag/a": {"ann"}, "aws:username": {"ann"}}, "allow [Reads Pulls] [aws:PrincipalTag/team] none"},
		{"missing values", []string{pulls, never}, nil, nil, "implicit deny [] [aws:SecureTransport ecr:ResourceTag/a aws:username aws:PrincipalTag/team] none"},
		{"only the denial", []string{reads, never}, nil, policy.Values{"aws:securetransport": {"false"}}, "explicit deny [Never] [] none"},
		{"boundary", []string{reads}, []string{another}, nil, "implicit deny [] [] false"},
		{"within", []string{reads}, []string{reads}, nil, "allow [Reads] [] true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := caller(user)
			c.Identity = set(t, test.identity...)
			if test.boundary != nil {
				c.Boundary = set(t, test.boundary...)
			}
			s := policy.Simulate(c, "ecr:BatchGetImage", policy.Resource{ARN: home}, test.context)
			matched, within := []string{}, "none"
			for _, m := range s.Matched {
				matched = append(matched, m.Name())
			}
			if s.WithinBoundary != nil {
				within = fmt.Sprint(*s.WithinBoundary)
			}
			if got := fmt.Sprintf("%v %v %v %s", s.Effect, matched, s.Missing, within); got != test.want {
				t.Errorf("\n got %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestPositions(t *testing.T) {
	const s = `{"Effect":"Allow","Action":"a:*","Resource":"*"}`
	for document, want := range map[string]string{
		`{"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}]}`: "{1 41} {1 113}",
		`{"Statement":` + s + `}`:                "{1 14} {1 61}",
		"{\n \"Statement\":\n  " + s + "\n}":     "{3 3} {3 50}",
		"{\"Id\":\"é\",\"Statement\":" + s + "}": "{1 23} {1 70}",
	} {
		parse(t, document)
		first, last := policy.Positions(document, 0)
		if got := fmt.Sprint(first, " ", last); got != want {
			t.Errorf("%s: %s, want %s", document, got, want)
		}
	}
	several := "{\"Statement\":[" + s + ",\n\t" + s + "]}"
	if first, last := policy.Positions(several, parse(t, several).Statements[1].Place()); fmt.Sprint(first, last) != "{2 2} {2 49}" {
		t.Errorf("the second is at %v %v", first, last)
	}
}
