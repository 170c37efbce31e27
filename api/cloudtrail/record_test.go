package cloudtrail

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"flag"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/aws/s3"
	"fargo/aws/ssm"
	"fargo/aws/sts"
	"fargo/desired"
)

func p[T any](v T) *T { return &v }

var (
	issued = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	user   = api.Caller{PrincipalARN: "arn:aws:iam::123456789012:user/ops/jane", PrincipalID: "AIDAJANE", AccessKeyID: "AKIAJANE", Client: api.Client{UserAgent: "aws-cli/2.9.19", SourceAddress: netip.MustParseAddr("127.0.0.1")}}
	role   = api.Caller{
		PrincipalARN: "arn:aws:sts::123456789012:assumed-role/api-task-role/0123", PrincipalID: "AROAROLE:0123", AccessKeyID: "ASIATASK",
		Role: "arn:aws:iam::123456789012:role/svc/api-task-role", CredentialsIssued: issued, SourceIdentity: "jane",
	}
	inside = api.Caller{
		PrincipalARN: "arn:aws:iam::123456789012:root", PrincipalID: "123456789012", Client: api.Client{SourceAddress: netip.MustParseAddr("10.0.1.9"), Origin: &desired.Origin{At: "vpce-0123456789abcdef0"}},
	}
	federated = api.Caller{
		PrincipalARN: "arn:aws:sts::123456789012:federated-user/bob", PrincipalID: "123456789012:bob", AccessKeyID: "ASIABOB",
		FederatedBy: user.PrincipalARN, CredentialsIssued: issued,
	}
)

// calls are the calls of testdata's records, by the name of the file.
var calls = map[string]struct {
	of        *protocol.Service
	operation string
	caller    api.Caller
	in, out   any
	err       *protocol.Error
	http      *http.Request
}{
	"update": {
		&ecs.API, "UpdateService", user, &ecs.UpdateServiceInput{Service: p("web"), DesiredCount: p(int32(3))},
		&ecs.UpdateServiceOutput{Service: &ecs.Service{ServiceName: p("web"), CreatedAt: &issued}}, nil,
		&http.Request{TLS: &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256}},
	},
	"describe": {&ecs.API, "DescribeTasks", role, &ecs.DescribeTasksInput{Tasks: []string{"a"}}, &ecs.DescribeTasksOutput{Tasks: []ecs.Task{{}}}, nil, &http.Request{}},
	"secrets": {
		&ssm.API, "PutParameter", federated, &ssm.PutParameterInput{Name: p("/db"), Value: p("hunter2")},
		&ssm.PutParameterOutput{Version: p(int64(1))}, nil, &http.Request{},
	},
	"credentials": {
		&sts.API, "AssumeRole",
		api.Caller{PrincipalARN: "arn:aws:iam::123456789012:root", PrincipalID: "123456789012"},
		&sts.AssumeRoleInput{RoleArn: p("arn:aws:iam::123456789012:role/r"), RoleSessionName: p("s")},
		&sts.AssumeRoleOutput{Credentials: &sts.Credentials{AccessKeyId: p("ASIANEW"), SecretAccessKey: p("hunter2"), SessionToken: p("hunter2"), Expiration: &issued}}, nil, &http.Request{},
	},
	"denied": {
		&ecs.API, "RunTask", user, &ecs.RunTaskInput{TaskDefinition: p("web")}, nil,
		&protocol.Error{Code: "AccessDeniedException", Message: "User: … is not authorized to perform: ecs:RunTask"}, &http.Request{},
	},
	"denied-ec2": {&ec2.API, "CreateVpc", user, &ec2.CreateVpcInput{}, nil, &protocol.Error{Code: "UnauthorizedOperation", Message: "No."}, &http.Request{}},
	"data":       {&s3.API, "PutObject", role, &s3.PutObjectInput{Bucket: p("b"), Key: p("k")}, &s3.PutObjectOutput{ETag: p("e")}, nil, &http.Request{}},
	"endpoint":   {&ecs.API, "DescribeTasks", inside, &ecs.DescribeTasksInput{Tasks: []string{"a"}}, &ecs.DescribeTasksOutput{}, nil, &http.Request{}},
	"internal":   {&ecs.API, "RunTask", role, &ecs.RunTaskInput{TaskDefinition: p("web")}, &ecs.RunTaskOutput{}, nil, nil},
	"service": {
		&ecs.API, "UpdateService",
		api.Caller{ServicePrincipal: "ecs.application-autoscaling.amazonaws.com", InvokedBy: "ecs.application-autoscaling.amazonaws.com"},
		&ecs.UpdateServiceInput{Service: p("web")}, &ecs.UpdateServiceOutput{}, nil, nil,
	},
	"long": {&ecs.API, "DescribeTasks", user, &ecs.DescribeTasksInput{Tasks: []string{strings.Repeat("a", maxParameters)}}, &ecs.DescribeTasksOutput{}, nil, &http.Request{}},
	"forwarded": {
		&protocol.Service{Name: "sqs", SigningName: "sqs"}, "SendMessage", user, &api.Forwarded{Body: []byte(`{"MessageBody":"hunter2"}`)}, nil, nil, &http.Request{},
	},
}

var rewrite = flag.Bool("rewrite", false, "write the records into testdata")

var changing = regexp.MustCompile(`"(eventTime|eventID)": "[^"]*"`)

func TestRecords(t *testing.T) {
	for name, c := range calls {
		var record []byte
		now := false
		r := &Recorder{Append: func(b []byte, n bool) { record, now = b, n }}
		r.Served(&api.Served{
			Call: &api.Call{RequestID: "11111111-2222-4333-8444-555555555555", Service: c.of.Name, Operation: c.operation, Account: "123456789012", Region: "us-east-1", Host: "127.0.0.1:4566", Caller: c.caller},
			Of:   c.of, Operation: &protocol.Operation{Name: c.operation}, Input: c.in, Output: c.out, Err: c.err, HTTP: c.http,
		})
		var indented bytes.Buffer
		if err := json.Indent(&indented, record, "", "  "); err != nil {
			t.Fatalf("%s: %v in %s", name, err, record)
		}
		got := changing.ReplaceAllString(indented.String(), `"$1": "…"`) + "\n"
		file := filepath.Join("testdata", name+".json")
		if *rewrite {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if strings.Contains(got, "hunter2") {
			t.Errorf("%s has a secret", name)
		}
		if changes := strings.Contains(got, `"readOnly": false`); changes != now {
			t.Errorf("%s: written at once: %t", name, now)
		}
	}
}

func BenchmarkServed(b *testing.B) {
	c := calls["describe"]
	s := &api.Served{
		Call: &api.Call{RequestID: "11111111-2222-4333-8444-555555555555", Service: "ecs", Operation: c.operation, Account: "123456789012", Region: "us-east-1", Caller: c.caller},
		Of:   c.of, Operation: &protocol.Operation{Name: c.operation}, Input: c.in, Output: c.out, HTTP: c.http,
	}
	r := &Recorder{Append: func([]byte, bool) {}}
	b.ReportAllocs()
	for b.Loop() {
		r.Served(s)
	}
}
