package api_test

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"fargo/api"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/store"
)

const ofTask = "arn:aws:ecs:us-east-1:123456789012:task/c/0123456789abcdef0123456789abcdef"

// asSession is a call of the session of a role.
func asSession(service, operation string) *api.Call {
	return &api.Call{Service: service, Operation: operation, Account: "123456789012", Region: "us-east-1", Caller: api.Caller{
		PrincipalARN: "arn:aws:sts::123456789012:assumed-role/web/0123456789abcdef0123456789abcdef", Task: ofTask,
	}}
}

// What policies do not allow is refused, with each service's code and status.
// Source: texts of denials in public logs.
func TestDenials(t *testing.T) {
	const who = "User: arn:aws:sts::123456789012:assumed-role/web/0123456789abcdef0123456789abcdef is not authorized to perform: "
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	const role = "arn:aws:iam::123456789012:role/other"
	onRole := api.On(func(*api.Query, *ecs.StopTaskInput) []string { return []string{role} })
	onKey := api.On(func(*api.Query, *ecs.StopTaskInput) []string {
		return []string{"arn:aws:kms:us-east-1:123456789012:key/k"}
	})
	tables := map[string]*api.Actions{
		"ecs": {Prefix: "ecs", Rows: map[string]api.Row{"ListClusters": api.AnyResource[any](), "StopTask": tasks["ecs"].Rows["StopTask"]}},
		"ec2": {Prefix: "ec2"}, "elbv2": {Prefix: "elasticloadbalancing"}, "logs": {Prefix: "logs"},
		"iam": {Prefix: "iam"}, "ssm": {Prefix: "ssm"},
		"kms": {Prefix: "kms", Rows: map[string]api.Row{"Decrypt": onKey}, Policy: func(store.Reader, string) (api.ResourcePolicy, bool) {
			return api.ResourcePolicy{Document: `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"kms:DescribeKey","Resource":"*"}}`, Trust: true}, true
		}},
		"sts":       {Prefix: "sts", Rows: map[string]api.Row{"AssumeRole": onRole, "GetCallerIdentity": api.NoPermission}},
		"s3":        {Prefix: "s3", Rows: map[string]api.Row{"GetObject": onRole}},
		"scheduler": {Prefix: "scheduler", Rows: map[string]api.Row{"GetSchedule": onRole}},
	}
	enforcer := api.NewEnforcer(api.EnforcerConfig{
		Actions: tables, State: db.View, Logger: slog.New(slog.DiscardHandler),
		Policies: allowing(t,
			`{"Effect":"Allow","Action":["ecs:StopTask","logs:*"],"Resource":"*"}`,
			`{"Effect":"Deny","Action":"logs:DeleteLogGroup","Resource":"*"}`),
	})
	for _, test := range []struct{ service, operation, want string }{
		{"ecs", "StopTask", ""},
		{"ecs", "ListClusters", "400 AccessDeniedException " + who + "ecs:ListClusters on resource: * because no identity-based policy allows the ecs:ListClusters action"},
		{"ec2", "DescribeVpcs", "403 UnauthorizedOperation You are not authorized to perform this operation. " + who + "ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs action"},
		{"elbv2", "DescribeLoadBalancers", "403 AccessDenied " + who + "elasticloadbalancing:DescribeLoadBalancers because no identity-based policy allows the elasticloadbalancing:DescribeLoadBalancers action"},
		{"logs", "CreateLogGroup", ""},
		{"logs", "DeleteLogGroup", "400 AccessDeniedException " + who + "logs:DeleteLogGroup with an explicit deny in an identity-based policy"},
		{"iam", "ListRoles", "403 AccessDenied " + who + "iam:ListRoles on resource: arn:aws:iam::123456789012:role/ because no identity-based policy allows the iam:ListRoles action"},
		{"iam", "ListGroups", "403 AccessDenied " + who + "iam:ListGroups on resource: * because no identity-based policy allows the iam:ListGroups action"},
		{"ssm", "DescribeParameters", "400 AccessDeniedException " + who + "ssm:DescribeParameters on resource: arn:aws:ssm:us-east-1:123456789012:* because no identity-based policy allows the ssm:DescribeParameters action"},
		{"kms", "Decrypt", "400 AccessDeniedException " + who + "kms:Decrypt on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"},
		{"sts", "AssumeRole", "403 AccessDenied " + who + "sts:AssumeRole on resource: " + role},
		{"sts", "GetCallerIdentity", ""},
		{"sts", "DecodeAuthorizationMessage", "403 AccessDenied " + who + "sts:DecodeAuthorizationMessage because no identity-based policy allows the sts:DecodeAuthorizationMessage action"},
		{"s3", "GetObject", "403 AccessDenied " + who + `s3:GetObject on resource: "` + role + `" because no identity-based policy allows the s3:GetObject action`},
		{"scheduler", "GetSchedule", "403 AccessDeniedException " + who + "scheduler:GetSchedule on resource: " + role + " because no identity-based policy allows the scheduler:GetSchedule action"},
	} {
		got := ""
		var e *protocol.Error
		if err := enforcer.Authorize(t.Context(), asSession(test.service, test.operation), &ecs.StopTaskInput{Task: new("t1")}); errors.As(err, &e) {
			got = fmt.Sprintf("%d %s %s", e.Status, e.Code, e.Message)
		} else if err != nil {
			t.Fatal(err)
		}
		if got != test.want {
			t.Errorf("%s:%s\n got %s\nwant %s", test.service, test.operation, got, test.want)
		}
	}
}
