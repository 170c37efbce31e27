package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/iam"
	"fargo/aws/logs"
	"fargo/aws/protocol"
	"fargo/aws/sigv4"
	"fargo/aws/sts"
)

// server has a few operations of several services.
type server struct {
	tail chan logs.StartLiveTailResponseStream
}

func (server) DescribeClusters(ctx context.Context, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	call := api.CallFrom(ctx)
	if len(in.Clusters) > 0 && in.Clusters[0] == "panic" {
		panic("as asked")
	}
	if len(in.Clusters) > 0 && in.Clusters[0] == "broken" {
		return nil, errors.New("the disk is on fire")
	}
	return &ecs.DescribeClustersOutput{Clusters: []ecs.Cluster{{
		ClusterArn: new(call.Scope().ARN("ecs", "cluster/default")), ClusterName: new(call.AccessKeyID),
	}}}, nil
}

func (server) DescribeTasks(context.Context, *ecs.DescribeTasksInput) (*ecs.DescribeTasksOutput, error) {
	return new(ecs.DescribeTasksOutput), nil
}

func (server) StopTask(context.Context, *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
	return nil, ecs.ClusterNotFoundException("Cluster not found.")
}

func (server) DescribeVpcs(context.Context, *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	return &ec2.DescribeVpcsOutput{Vpcs: []ec2.Vpc{{VpcId: new("vpc-1")}}}, nil
}

func (server) GetUser(context.Context, *iam.GetUserInput) (*iam.GetUserOutput, error) {
	return nil, iam.NoSuchEntityException("The user with name x cannot be found.")
}

func (server) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	call := api.CallFrom(ctx)
	return &sts.GetCallerIdentityOutput{Account: &call.Account, Arn: &call.PrincipalARN, UserId: &call.PrincipalID}, nil
}

func (s server) StartLiveTail(context.Context, *logs.StartLiveTailInput) (*logs.StartLiveTailOutput, error) {
	return &logs.StartLiveTailOutput{ResponseStream: s.tail}, nil
}

// keys is a key ring.
type keys map[string]api.Key

func (k keys) Key(id string) (api.Key, bool) { key, ok := k[id]; return key, ok }

var ring = keys{
	"AKIAADMIN": {Secret: "secret", Account: "123456789012", Caller: api.Caller{PrincipalARN: "arn:aws:iam::123456789012:user/admin", PrincipalID: "AIDAADMIN"}},
	"ASIALIVE":  {Secret: "secret", Token: "token", Expires: time.Now().Add(time.Hour), Account: "123456789012", Caller: api.Caller{PrincipalARN: "arn:aws:sts::123456789012:assumed-role/r/s"}},
	"ASIADEAD":  {Secret: "secret", Token: "token", Expires: time.Now().Add(-time.Hour), Account: "123456789012"},
}

func config(s server) api.Config {
	return api.Config{
		Services: []api.Mounted{
			{Service: &ecs.API, Server: s},
			{Service: &ec2.API, Server: s},
			{Service: &iam.API, Server: s},
			{Service: &sts.API, Server: s},
			{Service: &logs.API, Server: s},
		},
		Keys: ring, Authorizer: api.AllowAuthenticated{}, Logger: slog.New(slog.DiscardHandler),
		Account: "123456789012", Region: "us-east-1",
	}
}

// exchange is one request and what is to come back.
type exchange struct {
	name    string
	service string // signed for; "" means not signed
	key     string
	token   string
	header  string // "Name: value", further ones after newlines
	url     string
	body    string
	status  int
	want    string // in the answer
}

const (
	form   = "Content-Type: application/x-www-form-urlencoded; charset=utf-8"
	target = "X-Amz-Target: AmazonEC2ContainerServiceV20141113."
)

func (e exchange) request(host string) *http.Request {
	method := "POST"
	if e.body == "" && e.header == "" {
		method = "GET"
	}
	r := httptest.NewRequest(method, host+e.url, strings.NewReader(e.body))
	r.RequestURI = ""
	for line := range strings.SplitSeq(e.header, "\n") {
		if name, value, ok := strings.Cut(line, ": "); ok {
			r.Header.Set(name, value)
		}
	}
	if e.service != "" {
		key := e.key
		if key == "" {
			key = "AKIAADMIN"
		}
		service, region, _ := strings.Cut(e.service, "@")
		if region == "" {
			region = "us-east-1"
		}
		sigv4.Sign(r, []byte(e.body), sigv4.Credentials{AccessKeyID: key, Secret: "secret", Token: e.token}, region, service, time.Now())
	}
	return r
}

var exchanges = []exchange{
	{
		name: "json", service: "ecs", header: target + "DescribeClusters", body: "{}", status: 200,
		want: `{"clusters":[{"clusterArn":"arn:aws:ecs:us-east-1:123456789012:cluster/default","clusterName":"AKIAADMIN"}]}`,
	},
	{name: "region of the scope", service: "ecs@eu-central-1", header: target + "DescribeClusters", body: "{}", status: 200, want: "arn:aws:ecs:eu-central-1:"},
	{name: "session", service: "ecs", key: "ASIALIVE", token: "token", header: target + "DescribeClusters", body: "{}", status: 200, want: "ASIALIVE"},
	{name: "modelled error", service: "ecs", header: target + "StopTask", body: `{"task":"x"}`, status: 400, want: `{"__type":"ClusterNotFoundException","message":"Cluster not found."}`},
	{name: "invalid input", service: "ecs", header: target + "StopTask", body: `{}`, status: 400, want: `{"__type":"InvalidParameterException","message":"Task cannot be empty."}`},
	{name: "malformed input", service: "ecs", header: target + "StopTask", body: `{`, status: 400, want: `"SerializationException"`},
	{
		name: "not implemented", service: "ecs", header: target + "RunTask", body: `{}`, status: 501,
		want: `{"__type":"NotImplementedException","message":"The operation ecs:RunTask is not implemented by Fargo."}`,
	},
	{name: "unknown operation", service: "ecs", header: target + "MakeCoffee", body: `{}`, status: 400, want: `"UnknownOperationException"`},
	{name: "internal error", service: "ecs", header: target + "DescribeClusters", body: `{"clusters":["broken"]}`, status: 500, want: `"InternalFailure"`},
	{name: "panic", service: "ecs", header: target + "DescribeClusters", body: `{"clusters":["panic"]}`, status: 500, want: `"InternalFailure"`},
	{
		name: "json service not served", service: "dynamodb", header: "X-Amz-Target: DynamoDB_20120810.ListTables\nContent-Type: application/x-amz-json-1.0", body: `{}`, status: 501,
		want: `"The service dynamodb is not implemented by Fargo."`,
	},
	{name: "query service not served", service: "sns", header: form, body: "Action=ListTopics&Version=2010-03-31", status: 501, want: "The service sns with its API of version &#39;2010"},
	{name: "rest service not served", service: "lambda", url: "/2015-03-31/functions/", status: 501, want: "The service lambda is not implemented by Fargo."},
	{name: "nothing", url: "/", status: 404, want: "The request names no operation."},
	{
		name: "query", service: "sts", header: form, body: "Action=GetCallerIdentity&Version=2011-06-15", status: 200,
		want: "<GetCallerIdentityResult><UserId>AIDAADMIN</UserId><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/admin</Arn></GetCallerIdentityResult>",
	},
	{name: "query error", service: "iam", header: form, body: "Action=GetUser&Version=2010-05-08", status: 404, want: "<Type>Sender</Type><Code>NoSuchEntity</Code>"},
	{name: "query unknown", service: "iam", header: form, body: "Action=Dance&Version=2010-05-08", status: 400, want: "<Code>InvalidAction</Code><Message>Could not find operation Dance for version 2010-05-08</Message>"},
	{name: "query not implemented", service: "iam", header: form, body: "Action=ListUsers&Version=2010-05-08", status: 501, want: "The operation iam:ListUsers is not implemented by Fargo."},
	{name: "ec2", service: "ec2", header: form, body: "Action=DescribeVpcs&Version=2016-11-15", status: 200, want: "<vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet>"},
	{name: "ec2 untyped", service: "ec2", header: form, body: "Action=CreateVerifiedAccessGroup&Version=2016-11-15", status: 501, want: "The operation ec2:CreateVerifiedAccessGroup is not implemented"},

	{name: "json not signed", header: target + "DescribeClusters", body: "{}", status: 400, want: `{"__type":"MissingAuthenticationTokenException","message":"Missing Authentication Token"}`},
	{
		name: "json unknown key", service: "ecs", key: "AKIAOTHER", header: target + "DescribeClusters", body: "{}", status: 400,
		want: `{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}`,
	},
	{name: "json no token", service: "ecs", key: "ASIALIVE", header: target + "DescribeClusters", body: "{}", status: 400, want: "UnrecognizedClientException"},
	{name: "json wrong token", service: "ecs", key: "ASIALIVE", token: "tokem", header: target + "DescribeClusters", body: "{}", status: 400, want: "UnrecognizedClientException"},
	{name: "json expired token", service: "ecs", key: "ASIADEAD", token: "token", header: target + "DescribeClusters", body: "{}", status: 400, want: "ExpiredTokenException"},
	{
		name: "json wrong service", service: "ec2", header: target + "DescribeClusters", body: "{}", status: 400,
		want: `{"__type":"InvalidSignatureException","message":"Credential should be scoped to correct service: 'ecs'. "}`,
	},
	{name: "json wrong region", service: "ecs@mars", header: target + "DescribeClusters", body: "{}", status: 400, want: "Credential should be scoped to a valid region, not 'mars'. "},
	{name: "query not signed", header: form, body: "Action=GetUser&Version=2010-05-08", status: 403, want: "<Code>MissingAuthenticationToken</Code><Message>Request is missing Authentication Token</Message>"},
	{name: "query unknown key", service: "iam", key: "AKIAOTHER", header: form, body: "Action=GetUser&Version=2010-05-08", status: 403, want: "<Code>InvalidClientTokenId</Code>"},
	{name: "query expired token", service: "iam", key: "ASIADEAD", token: "token", header: form, body: "Action=GetUser&Version=2010-05-08", status: 403, want: "<Code>ExpiredToken</Code>"},
	{
		name: "ec2 unknown key", service: "ec2", key: "AKIAOTHER", header: form, body: "Action=DescribeVpcs&Version=2016-11-15", status: 401,
		want: "<Code>AuthFailure</Code><Message>AWS was not able to validate the provided access credentials</Message>",
	},
	{name: "too large", service: "ecs", header: target + "DescribeClusters", body: `{"clusters":["` + strings.Repeat("x", 10<<20) + `"]}`, status: 413, want: "RequestEntityTooLarge"},
}

func TestExchanges(t *testing.T) {
	handler := api.New(config(server{}))
	for _, e := range exchanges {
		t.Run(e.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, e.request("http://127.0.0.1:4566"))
			body := strings.ReplaceAll(w.Body.String(), "'", "&#39;")
			if w.Code != e.status || !strings.Contains(body, strings.ReplaceAll(e.want, "'", "&#39;")) {
				t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, e.status, e.want)
			}
			if len(w.Header().Get("x-amzn-RequestId")) != 36 || w.Header().Get("Content-Type") == "" {
				t.Errorf("headers %v", w.Header())
			}
		})
	}
}

func TestAnyCredentials(t *testing.T) {
	c := config(server{})
	c.AcceptAnyCredentials = true
	handler := api.New(c)
	for key, want := range map[string]string{"": "arn:aws:iam::123456789012:root", "AKIAOTHER": "arn:aws:iam::123456789012:root", "AKIAADMIN": "user/admin"} {
		e := exchange{header: form, key: key, body: "Action=GetCallerIdentity&Version=2011-06-15"}
		if key != "" {
			e.service = "sts"
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, e.request("http://127.0.0.1:4566"))
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%q: %d %s", key, w.Code, w.Body)
		}
	}
}

type deny struct{}

func (deny) Authorize(_ context.Context, call *api.Call, in any) error {
	return protocol.Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s:%s", call.PrincipalARN, call.Service, call.Operation)
}

func TestDenied(t *testing.T) {
	c := config(server{})
	c.Authorizer = deny{}
	w := httptest.NewRecorder()
	api.New(c).ServeHTTP(w, exchange{service: "ecs", header: target + "StopTask", body: "{}"}.request("http://127.0.0.1"))
	if want := `"User: arn:aws:iam::123456789012:user/admin is not authorized to perform: ecs:StopTask"`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestCompressed: botocore compresses large requests of some operations, and
// signs them as they travel.
func TestCompressed(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	io.WriteString(z, "Action=GetCallerIdentity&Version=2011-06-15")
	z.Close()
	w := httptest.NewRecorder()
	e := exchange{service: "sts", header: form + "\nContent-Encoding: gzip", body: packed.String()}
	api.New(config(server{})).ServeHTTP(w, e.request("http://127.0.0.1"))
	if w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestStream: events arrive as they are sent, and the stream ends with them.
func TestStream(t *testing.T) {
	s := server{tail: make(chan logs.StartLiveTailResponseStream)}
	web := httptest.NewServer(api.New(config(s)))
	defer web.Close()
	e := exchange{service: "logs", header: "X-Amz-Target: Logs_20140328.StartLiveTail", body: `{"logGroupIdentifiers":["arn:aws:logs:us-east-1:123456789012:log-group:g"]}`}
	answer, err := http.DefaultClient.Do(e.request(web.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got := answer.Header.Get("Content-Type"); got != "application/vnd.amazon.eventstream" {
		t.Fatalf("%d %s", answer.StatusCode, got)
	}
	read := func(part string) {
		t.Helper()
		var seen []byte
		for one := make([]byte, 1); !bytes.Contains(seen, []byte(part)); seen = append(seen, one...) {
			if _, err := io.ReadFull(answer.Body, one); err != nil {
				t.Fatalf("%v after %q", err, seen)
			}
		}
	}
	read("initial-response")
	s.tail <- logs.StartLiveTailResponseStream{SessionStart: &logs.LiveTailSessionStart{SessionId: new("s-1")}}
	read(`{"sessionId":"s-1"}`)
	s.tail <- logs.StartLiveTailResponseStream{SessionTimeoutException: protocol.Errorf("SessionTimeoutException", "over")}
	read(`{"message":"over"}`)
	close(s.tail)
	if _, err := io.ReadAll(answer.Body); err != nil {
		t.Error(err)
	}
}

// BenchmarkDescribeTasks is the way of a request with an operation that does
// nothing: without policies, with an administrator's, and with a hundred
// statements of which the last allows.
func BenchmarkDescribeTasks(b *testing.B) {
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf(`{"Effect":"Allow","Action":["ecs:List*","ecs:Describe*"],"Resource":"arn:aws:ecs:*:*:task/c%d/*"}`, i))
	}
	table := map[string]*api.Actions{"ecs": {Prefix: "ecs", Rows: map[string]api.Row{
		"DescribeTasks": api.On(func(q *api.Query, in *ecs.DescribeTasksInput) []string {
			arns := make([]string, len(in.Tasks))
			for i, task := range in.Tasks {
				arns[i] = q.ARN("ecs", "task/"+*in.Cluster+"/"+task)
			}
			return arns
		}),
	}}}
	policies := map[string]*api.Enforcer{"none": nil}
	for name, statements := range map[string][]string{"administrator": {`{"Effect":"Allow","Action":"*","Resource":"*"}`}, "statements=100": many} {
		policies[name] = newEnforcer(b, allowing(b, statements...), slog.New(slog.DiscardHandler))
		policies[name].Actions = table
	}
	for _, name := range []string{"none", "administrator", "statements=100"} {
		b.Run("policies="+name, func(b *testing.B) {
			c := config(server{})
			if policies[name] != nil {
				c.Authorizer = policies[name]
			}
			handler := api.New(c)
			e := exchange{service: "ecs", header: target + "DescribeTasks\nContent-Type: application/x-amz-json-1.1", body: `{"cluster":"c99","tasks":["0123456789abcdef0123456789abcdef"]}`}
			r := e.request("http://127.0.0.1:4566")
			body := strings.NewReader(e.body)
			r.Body = io.NopCloser(body)
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				body.Reset(e.body)
				clear(w.header)
				handler.ServeHTTP(w, r)
			}
			if w.status != 200 {
				b.Fatal(w.status)
			}
			if a := policies[name]; a != nil && a.Decisions()["ecs"]["ecs:DescribeTasks"]["implicit deny"] > 0 {
				b.Fatal(a.Decisions())
			}
		})
	}
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
