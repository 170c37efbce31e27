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
	"fargo/store"
)

// full cannot write.
type full struct{ err error }

var errFull = fmt.Errorf("write the journal: %w: no room on the disk", fargo.ErrNotWritable)

func (f full) CreateCluster(context.Context, *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	return nil, f.err
}

func (f full) CreateVpc(context.Context, *ec2.CreateVpcInput) (*ec2.CreateVpcOutput, error) {
	return nil, f.err
}

func (f full) CreateUser(context.Context, *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	return nil, f.err
}

func (f full) PutLogEvents(context.Context, *logs.PutLogEventsInput) (*logs.PutLogEventsOutput, error) {
	return nil, f.err
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
			{Service: &ecs.API, Server: full{errFull}},
			{Service: &ec2.API, Server: full{errFull}},
			{Service: &iam.API, Server: full{errFull}},
			{Service: &logs.API, Server: full{errFull}},
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

// A request that changes more than the journal takes as one is told so as a limit,
// in the service's words where it has any. The message is ours.
func TestTooLarge(t *testing.T) {
	large := full{fmt.Errorf("%w: 3 records of 2", store.ErrTooLarge)}
	c := api.Config{
		Services: []api.Mounted{{Service: &ecs.API, Server: large}, {Service: &ec2.API, Server: large}, {Service: &iam.API, Server: large}},
		Keys:     ring, Authorizer: api.AllowAuthenticated{}, Logger: slog.New(slog.DiscardHandler),
		Account: "123456789012", Region: "us-east-1",
	}
	for name, test := range map[string]struct {
		exchange
		status int
	}{
		"its own":      {exchange{service: "ecs", header: target + "CreateCluster", body: "{}", want: `"__type":"LimitExceededException"`}, 400},
		"another code": {exchange{service: "iam", header: form, body: "Action=CreateUser&Version=2010-05-08&UserName=u", want: "<Code>LimitExceeded</Code>"}, 409},
		"none":         {exchange{service: "ec2", header: form, body: "Action=CreateVpc&Version=2016-11-15&CidrBlock=10.0.0.0/16", want: "<Code>ValidationError</Code>"}, 400},
	} {
		w := httptest.NewRecorder()
		api.New(c).ServeHTTP(w, test.request("http://127.0.0.1:4566"))
		if body := w.Body.String(); w.Code != test.status || !strings.Contains(body, test.want) || !strings.Contains(body, "3 records of 2.") {
			t.Errorf("%s: %d %s", name, w.Code, body)
		}
	}
}
