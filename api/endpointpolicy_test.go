package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/desired"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// endpoints are a VPC with two subnets, of which one has a route to a gateway endpoint of
// S3, and an interface endpoint of ECS.
func endpoints(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	scope := fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	endpoint := func(id, service string, kind ec2.VpcEndpointType, document string, tables ...string) *record.EC2VPCEndpoint {
		return &record.EC2VPCEndpoint{Scope: scope, Endpoint: ec2.VpcEndpoint{
			VpcEndpointId: &id, VpcId: new("vpc-1"), ServiceName: new("com.amazonaws.us-east-1." + service), VpcEndpointType: kind,
			PolicyDocument: &document, RouteTableIds: tables,
		}}
	}
	table := func(id string, association ec2.RouteTableAssociation) *record.EC2RouteTable {
		return &record.EC2RouteTable{Scope: scope, RouteTable: ec2.RouteTable{RouteTableId: &id, VpcId: new("vpc-1"), Associations: []ec2.RouteTableAssociation{association}}}
	}
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		for id, block := range map[string]string{"subnet-a": "10.0.0.0/24", "subnet-b": "10.0.1.0/24"} {
			store.EC2Subnets.Put(tx, &record.EC2Subnet{Scope: scope, Subnet: ec2.Subnet{SubnetId: &id, VpcId: new("vpc-1"), CidrBlock: &block}})
		}
		store.EC2RouteTables.Put(tx, table("rtb-main", ec2.RouteTableAssociation{Main: new(true)}))
		store.EC2RouteTables.Put(tx, table("rtb-a", ec2.RouteTableAssociation{SubnetId: new("subnet-a")}))
		store.EC2VPCEndpoints.Put(tx, endpoint("vpce-ecs", "ecs", ec2.VpcEndpointTypeInterface,
			`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"ecs:*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"ecs:StopTask","Resource":"*/t2"}]}`))
		store.EC2VPCEndpoints.Put(tx, endpoint("vpce-s3", "s3", ec2.VpcEndpointTypeGateway,
			`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::mine/*"}}`, "rtb-a"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// What comes through a VPC endpoint must be allowed by its policy too.
// Source: AWS PrivateLink guide, "Control access to VPC endpoints using endpoint policies";
// of the texts, IAM user guide, "Troubleshoot access denied error messages".
func TestEndpointPolicies(t *testing.T) {
	db := endpoints(t)
	object := api.On(func(_ *api.Query, in *ecs.StopTaskInput) []string { return []string{"arn:aws:s3:::" + *in.Task} })
	tables := map[string]*api.Actions{
		"ecs": tasks["ecs"], "iam": {Prefix: "iam"},
		"s3": {Prefix: "s3", Rows: map[string]api.Row{"GetObject": object, "PutObject": object}},
	}
	enforcer := api.NewEnforcer(api.EnforcerConfig{
		Actions: tables, Policies: allowing(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`), State: db.View, Logger: slog.New(slog.DiscardHandler),
	})
	from := func(at, client string) *desired.Origin {
		return &desired.Origin{At: at, Client: netip.MustParseAddr(client)}
	}
	for _, test := range []struct {
		service, operation, on string
		origin                 *desired.Origin
		want                   string // what the text ends with; empty: allowed
	}{
		{"ecs", "StopTask", "t1", from("vpce-ecs", "10.0.0.5"), ""},
		{"ecs", "StopTask", "t2", from("vpce-ecs", "10.0.0.5"), "on resource: arn:aws:ecs:us-east-1:123456789012:task/c/t2 with an explicit deny in a VPC endpoint policy"},
		{"ecs", "StopTask", "t2", from("vpc-1", "10.0.0.5"), ""}, // not through the endpoint
		{"ecs", "StopTask", "t2", nil, ""},
		{"iam", "ListUsers", "", from("vpce-ecs", "10.0.0.5"), "because no VPC endpoint policy allows the iam:ListUsers action"},
		{"ecs", "CreateCluster", "", from("vpce-ecs", "10.0.0.5"), ""}, // iam:PassRole is not asked of the endpoint
		{"s3", "GetObject", "mine/k", from("vpc-1", "10.0.0.5"), ""},
		{"s3", "GetObject", "other/k", from("vpc-1", "10.0.0.5"), `on resource: "arn:aws:s3:::other/k" because no VPC endpoint policy allows the s3:GetObject action`},
		{"s3", "PutObject", "mine/k", from("vpc-1", "10.0.0.5"), "because no VPC endpoint policy allows the s3:PutObject action"},
		{"s3", "PutObject", "mine/k", from("vpc-1", "10.0.1.5"), ""}, // a subnet without a route to it
		{"s3", "PutObject", "mine/k", from("vpc-2", "10.0.0.5"), ""}, // another VPC
	} {
		call := &api.Call{Service: test.service, Operation: test.operation, Account: "123456789012", Region: "us-east-1", Caller: api.Caller{Client: api.Client{Origin: test.origin}}}
		var in any = &ecs.StopTaskInput{Task: &test.on}
		if test.operation == "CreateCluster" {
			in = &ecs.CreateClusterInput{ClusterName: new("c")}
		}
		err := enforcer.Authorize(t.Context(), call, in)
		var e *protocol.Error
		switch {
		case test.want == "" && err != nil, test.want != "" && !errors.As(err, &e):
			t.Errorf("%s:%s on %s from %v: %v", test.service, test.operation, test.on, test.origin, err)
		case e != nil && !strings.HasSuffix(e.Message, test.want):
			t.Errorf("%s:%s on %s: %s", test.service, test.operation, test.on, e.Message)
		}
	}
}

// ECR itself has signed what asks for layers, and comes by the way of who sends it.
func TestEndpointPoliciesOfServices(t *testing.T) {
	db := endpoints(t)
	const open = `{"Statement":{"Effect":"Allow","Principal":{"Service":"ecr.amazonaws.com"},"Action":"s3:GetObject","Resource":"*"}}`
	enforcer := api.NewEnforcer(api.EnforcerConfig{
		Actions: map[string]*api.Actions{"s3": {
			Prefix: "s3", Policy: func(store.Reader, string) (api.ResourcePolicy, bool) { return api.ResourcePolicy{Document: open}, true },
			Rows: map[string]api.Row{"GetObject": api.On(func(_ *api.Query, in *ecs.StopTaskInput) []string { return []string{"arn:aws:s3:::" + *in.Task} })},
		}},
		Policies: attached{policy.Caller{Principal: policy.Principal{Service: "ecr.amazonaws.com"}}}, State: db.View, Logger: slog.New(slog.DiscardHandler),
	})
	for _, test := range []struct{ on, client, want string }{
		{"mine/k", "10.0.0.5", ""},
		{"layers/k", "10.0.1.5", ""}, // a subnet without a route to the endpoint
		{"layers/k", "10.0.0.5", `User: ecr.amazonaws.com is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::layers/k" because no VPC endpoint policy allows the s3:GetObject action`},
	} {
		call := &api.Call{Service: "s3", Operation: "GetObject", Region: "us-east-1", Caller: api.Caller{
			ServicePrincipal: "ecr.amazonaws.com", Client: api.Client{Origin: &desired.Origin{At: "vpc-1", Client: netip.MustParseAddr(test.client)}},
		}}
		err := enforcer.Authorize(t.Context(), call, &ecs.StopTaskInput{Task: &test.on})
		var e *protocol.Error
		if errors.As(err, &e); e == nil && test.want != "" || e != nil && e.Message != test.want {
			t.Errorf("%s from %s: %v", test.on, test.client, err)
		}
	}
}

// What a service asks for its caller did not come through the caller's endpoint.
func TestEndpointPoliciesOfOthers(t *testing.T) {
	enforcer := api.NewEnforcer(api.EnforcerConfig{
		Actions: map[string]*api.Actions{"iam": {Prefix: "iam"}}, Policies: allowing(t, `{"Effect":"Allow","Action":"*","Resource":"*"}`),
		State: endpoints(t).View, Logger: slog.New(slog.DiscardHandler),
	})
	call := &api.Call{Service: "iam", Operation: "ListUsers", Account: "123456789012", Region: "us-east-1", Caller: api.Caller{
		Client: api.Client{Origin: &desired.Origin{At: "vpce-ecs", Client: netip.MustParseAddr("10.0.0.5")}}, InvokedBy: "ecs.amazonaws.com",
	}}
	if err := enforcer.Authorize(t.Context(), call, &ecs.StopTaskInput{}); err != nil {
		t.Error(err)
	}
}

// Source: IAM user guide, "AWS global condition context keys".
func TestEndpointKeys(t *testing.T) {
	db := endpoints(t)
	client := netip.MustParseAddr("10.0.0.5")
	through := api.Caller{Client: api.Client{Origin: &desired.Origin{At: "vpce-ecs", Client: client}, SourceAddress: client}}
	direct := api.Caller{Client: api.Client{Origin: &desired.Origin{At: "vpc-1", Client: client}, SourceAddress: client}}
	forwarded := through
	forwarded.InvokedBy = "ecs.amazonaws.com"
	const absent = ""
	for _, test := range []struct {
		key    string
		caller api.Caller
		want   string
	}{
		{"aws:SourceVpc", through, "vpc-1"},
		{"aws:SourceVpce", through, "vpce-ecs"},
		{"aws:VpcSourceIp", through, "10.0.0.5"},
		{"aws:SourceIp", through, absent},
		{"aws:SourceVpc", direct, absent},
		{"aws:SourceVpce", direct, absent},
		{"aws:VpcSourceIp", direct, absent},
		{"aws:SourceIp", direct, "10.0.0.5"},
		{"aws:SourceVpce", forwarded, absent},
		{"aws:SourceVpce", api.Caller{}, absent},
	} {
		condition := `"StringEquals":{"` + test.key + `":"` + test.want + `"}`
		if test.want == absent {
			condition = `"Null":{"` + test.key + `":"true"}`
		}
		enforcer := api.NewEnforcer(api.EnforcerConfig{
			Actions: tasks, State: db.View, Logger: slog.New(slog.DiscardHandler),
			Policies: allowing(t, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{`+condition+`}}`),
		})
		call := &api.Call{Service: "ecs", Operation: "StopTask", Account: "123456789012", Region: "us-east-1", Caller: test.caller}
		if err := enforcer.Authorize(t.Context(), call, &ecs.StopTaskInput{Task: new("t1")}); err != nil {
			t.Errorf("%s of %+v: %v", test.key, test.caller.Origin, err)
		}
	}
}

// watched keeps what it was asked about.
type watched struct{ *api.Call }

func (w *watched) Authorize(_ context.Context, c *api.Call, _ any) error {
	w.Call = c
	return nil
}

// Where a request comes from is what a node has signed, and nothing that a client says.
func TestOriginOfRequests(t *testing.T) {
	w := &watched{}
	c := config(server{})
	c.Authorizer = w
	c.Origin = func(header string) (desired.Origin, bool) {
		return desired.Origin{At: "vpce-1", Client: netip.MustParseAddr("10.0.0.5"), Secure: true}, header == "signed"
	}
	handler := api.New(c)
	send := func(origin string) (*httptest.ResponseRecorder, *http.Request) {
		r := exchange{service: "ecs", header: target + "DescribeClusters", body: "{}"}.request("http://127.0.0.1")
		r.RemoteAddr = "127.0.0.1:9"
		if origin != "" {
			r.Header.Set(desired.OriginHeader, origin)
		}
		answer := httptest.NewRecorder()
		w.Call = nil
		handler.ServeHTTP(answer, r)
		return answer, r
	}
	if answer, _ := send(""); answer.Code != http.StatusOK || w.Origin != nil || w.SourceAddress.String() != "127.0.0.1" || w.Secure {
		t.Errorf("%d, %+v", answer.Code, w.Call)
	}
	answer, r := send("signed")
	if answer.Code != http.StatusOK || w.Origin == nil || w.Origin.At != "vpce-1" || w.SourceAddress.String() != "10.0.0.5" || !w.Secure {
		t.Errorf("%d, %+v", answer.Code, w.Call)
	}
	if r.Header.Get(desired.OriginHeader) != "" {
		t.Error("the header is sent on")
	}
	answer, _ = send("forged")
	body, _ := io.ReadAll(answer.Body)
	if answer.Code != http.StatusServiceUnavailable || !bytes.Contains(body, []byte("ServiceUnavailable")) || w.Call != nil {
		t.Errorf("%d %s", answer.Code, body)
	}
}
