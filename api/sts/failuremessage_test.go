package sts_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/api"
	"fargo/api/ec2"
	"fargo/api/iam"
	"fargo/api/sts"
	wireec2 "fargo/aws/ec2"
	wireiam "fargo/aws/iam"
	"fargo/aws/protocol"
	wire "fargo/aws/sts"
)

// denial gives the message that EC2 denies a request of a user with, who has a policy.
func denial(s *fixture, messages *api.FailureMessages, statements, operation string, in any) string {
	s.Helper()
	name := "ann"
	document := `{"Version":"2012-10-17","Statement":[` + statements + `]}`
	if _, err := s.iam.CreateUser(s.user, &wireiam.CreateUserInput{UserName: &name}); err != nil && code(err) != "EntityAlreadyExists" {
		s.Fatal(err)
	}
	if _, err := s.iam.PutUserPolicy(s.user, &wireiam.PutUserPolicyInput{UserName: &name, PolicyName: new("own"), PolicyDocument: &document}); err != nil {
		s.Fatal(err)
	}
	out, err := s.iam.CreateAccessKey(s.user, &wireiam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		s.Fatal(err)
	}
	defer s.iam.DeleteAccessKey(s.user, &wireiam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: out.AccessKey.AccessKeyId}) //nolint:errcheck // a key of the test
	enforcer := api.NewEnforcer(api.EnforcerConfig{
		Actions: map[string]*api.Actions{"ec2": ec2.Actions}, Policies: iam.NewCallerPolicies(s.db), State: s.db.View,
		Messages: messages, Logger: slog.New(slog.DiscardHandler),
	})
	call := *api.CallFrom(s.as(*out.AccessKey.AccessKeyId))
	call.Service, call.Operation, call.Region = "ec2", operation, "us-east-1"
	var e *protocol.Error
	if err := enforcer.Authorize(s.Context(), &call, in); !errors.As(err, &e) || e.Code != "UnauthorizedOperation" {
		s.Fatalf("%s: %v", operation, err)
	}
	return e.Message
}

func vpc() *wireec2.CreateVpcInput {
	return &wireec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), TagSpecifications: []wireec2.TagSpecification{
		{ResourceType: "vpc", Tags: []wireec2.Tag{{Key: new("Team"), Value: new("web")}}},
	}}
}

const encodedAs = ". Encoded authorization failure message: "

// The reason of a denial is told encoded to whom EC2 denies a change, and STS decodes it
// for callers of the account.
// Source: AWS CLI reference, the example of decode-authorization-message, and texts of
// denials in public logs.
func TestDecodeAuthorizationMessage(t *testing.T) {
	s := newFixture(t)
	messages, err := sts.LoadMessages(t.Context(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	server := sts.New(sts.Config{DB: s.db, Messages: messages})
	const deny = `{"Sid":"NoWeb","Effect":"Deny","Action":["ec2:CreateVpc","ec2:DeleteVpc"],"Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/Team":"web"}}}`
	message := denial(s, messages, deny, "CreateVpc", vpc())
	text, encoded, _ := strings.Cut(message, encodedAs)
	const want = "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:us-east-1:123456789012:vpc/* with an explicit deny in an identity-based policy"
	if text != want {
		t.Errorf("denied with %s", text)
	}
	out, err := server.DecodeAuthorizationMessage(s.user, &wire.DecodeAuthorizationMessageInput{EncodedMessage: &encoded})
	if err != nil {
		t.Fatal(err)
	}
	user, err := s.iam.GetUser(s.user, &wireiam.GetUserInput{UserName: new("ann")})
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.ReplaceAll(*out.DecodedMessage, *user.User.UserId, "AIDAANN")
	expected := strings.Join(strings.Fields(`{"allowed":false,"explicitDeny":true,
		"matchedStatements":{"items":[{"statementId":"NoWeb","effect":"DENY","principals":{"items":[{"value":"AIDAANN"}]},"principalGroups":{"items":[]},
			"actions":{"items":[{"value":"ec2:CreateVpc"},{"value":"ec2:DeleteVpc"}]},"resources":{"items":[{"value":"*"}]},
			"conditions":{"items":[{"key":"aws:RequestTag/Team","values":{"items":[{"value":"web"}]}}]}}]},
		"failures":{"items":[]},
		"context":{"principal":{"id":"AIDAANN","name":"ann","arn":"arn:aws:iam::123456789012:user/ann"},
			"action":"ec2:CreateVpc","resource":"arn:aws:ec2:us-east-1:123456789012:vpc/*",
			"conditions":{"items":[
				{"key":"aws:ARN","values":{"items":[{"value":"arn:aws:ec2:us-east-1:123456789012:vpc/*"}]}},
				{"key":"aws:Account","values":{"items":[{"value":"123456789012"}]}},
				{"key":"aws:Region","values":{"items":[{"value":"us-east-1"}]}},
				{"key":"aws:Resource","values":{"items":[{"value":"vpc/*"}]}},
				{"key":"aws:Service","values":{"items":[{"value":"ec2"}]}},
				{"key":"aws:Type","values":{"items":[{"value":"vpc"}]}},
				{"key":"ec2:Region","values":{"items":[{"value":"us-east-1"}]}},
				{"key":"aws:RequestTag/Team","values":{"items":[{"value":"web"}]}}]}}}`), "")
	if d := cmp.Diff(expected, shown); d != "" {
		t.Errorf("decoded (-want +got):\n%s", d)
	}

	// A later start decodes it as well; another installation, another account and a
	// damaged message are refused.
	again, err := sts.LoadMessages(t.Context(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := again.Decode(account, encoded); !ok {
		t.Error("the message does not outlive a restart")
	}
	elsewhere, err := sts.LoadMessages(t.Context(), newFixture(t).db)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := elsewhere.Decode(account, encoded); ok {
		t.Error("another installation decodes the message")
	}
	foreign := api.WithCall(t.Context(), &api.Call{Account: "210987654321"})
	if _, err := server.DecodeAuthorizationMessage(foreign, &wire.DecodeAuthorizationMessageInput{EncodedMessage: &encoded}); code(err) != "InvalidAuthorizationMessageException" {
		t.Errorf("another account decodes the message: %v", err)
	}
	for _, damaged := range []string{"", "x", "a b", encoded[1:], encoded + "\n", flipped(encoded)} {
		if _, err := server.DecodeAuthorizationMessage(s.user, &wire.DecodeAuthorizationMessageInput{EncodedMessage: &damaged}); code(err) != "InvalidAuthorizationMessageException" {
			t.Errorf("%q: %v", damaged, err)
		}
	}
}

func flipped(s string) string {
	b := []byte(s)
	b[len(b)/2] ^= 1
	return string(b)
}

// What is not allowed by anything has no statement that decided; what changes nothing is
// not encoded; and a message can be decoded however much the request says.
func TestEncodedFailures(t *testing.T) {
	s := newFixture(t)
	messages, err := sts.LoadMessages(t.Context(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	const nothing = `{"Effect":"Allow","Action":"ecs:*","Resource":"*"}`
	decoded := func(message string) (f struct {
		ExplicitDeny      bool
		MatchedStatements struct{ Items []any }
		Context           struct{ Conditions struct{ Items []any } }
	},
	) {
		t.Helper()
		_, encoded, _ := strings.Cut(message, encodedAs)
		if len(encoded) > 10240 {
			t.Errorf("a message has %d characters", len(encoded))
		}
		text, ok := messages.Decode(account, encoded)
		if !ok || json.Unmarshal([]byte(text), &f) != nil {
			t.Fatalf("%s is decoded as %s", message, text)
		}
		return f
	}
	if f := decoded(denial(s, messages, nothing, "CreateVpc", vpc())); f.ExplicitDeny || f.MatchedStatements.Items == nil || len(f.MatchedStatements.Items) > 0 {
		t.Errorf("decoded %+v", f)
	}
	const read = "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action"
	if got := denial(s, messages, nothing, "DescribeVpcs", &wireec2.DescribeVpcsInput{}); got != read {
		t.Errorf("denied with %s", got)
	}
	long := vpc()
	for i := range 50 {
		long.TagSpecifications[0].Tags = append(long.TagSpecifications[0].Tags, wireec2.Tag{Key: new(random(128, i)), Value: new(random(256, 1000+i))})
	}
	if f := decoded(denial(s, messages, nothing, "CreateVpc", long)); len(f.Context.Conditions.Items) > 0 {
		t.Errorf("a long message has the conditions: %d", len(f.Context.Conditions.Items))
	}
}

// random is a text that can hardly be compressed.
func random(length, seed int) string {
	x := uint32(seed*2654435761 + 1)
	return string(slices.Collect(func(yield func(byte) bool) {
		for range length {
			x = x*1664525 + 1013904223
			if !yield('!' + byte(x>>24)%90) {
				return
			}
		}
	}))
}
