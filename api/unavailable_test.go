package api_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/iam"
	"fargo/aws/logs"
)

// full cannot write.
type full struct{}

var errFull = fmt.Errorf("write the journal: %w: no room on the disk", fargo.ErrNotWritable)

func (full) CreateCluster(context.Context, *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	return nil, errFull
}

func (full) CreateVpc(context.Context, *ec2.CreateVpcInput) (*ec2.CreateVpcOutput, error) {
	return nil, errFull
}

func (full) CreateUser(context.Context, *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	return nil, errFull
}

func (full) PutLogEvents(context.Context, *logs.PutLogEventsInput) (*logs.PutLogEventsOutput, error) {
	return nil, errFull
}

// That nothing can be written is told to clients in each service's protocol, with an
// error that their SDKs take for one to try again, and why. We log nothing: that is
// done, once, where it was found out.
// Source: "Common Errors" of each API reference, ServiceUnavailable, status 503; and
// PutLogEvents, ServiceUnavailableException. "Fargo: …" is ours.
func TestNotWritable(t *testing.T) {
	var said bytes.Buffer
	c := api.Config{
		Services: []api.Mounted{
			{Service: &ecs.API, Server: full{}},
			{Service: &ec2.API, Server: full{}},
			{Service: &iam.API, Server: full{}},
			{Service: &logs.API, Server: full{}},
		},
		Keys: ring, Authorizer: api.AllowAuthenticated{}, Logger: slog.New(slog.NewTextHandler(&said, nil)),
		Account: "123456789012", Region: "us-east-1",
	}
	for name, e := range map[string]exchange{
		"json":     {service: "ecs", header: target + "CreateCluster", body: "{}", want: `"__type":"ServiceUnavailable"`},
		"ec2":      {service: "ec2", header: form, body: "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0/16", want: "<Code>ServiceUnavailable</Code>"},
		"query":    {service: "iam", header: form, body: "Action=CreateUser&Version=2010-05-08&UserName=u", want: "<Code>ServiceUnavailable</Code>"},
		"own name": {service: "logs", header: "X-Amz-Target: Logs_20140328.PutLogEvents", body: `{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}]}`, want: `"__type":"ServiceUnavailableException"`},
	} {
		w := httptest.NewRecorder()
		api.New(c).ServeHTTP(w, e.request("http://127.0.0.1:4566"))
		body := w.Body.String()
		if w.Code != 503 || !strings.Contains(body, e.want) || !strings.Contains(body, "Fargo: write the journal: cannot be written to now: no room on the disk.") {
			t.Errorf("%s: %d %s", name, w.Code, body)
		}
	}
	if said.Len() > 0 {
		t.Errorf("logged %s", said.String())
	}
}
