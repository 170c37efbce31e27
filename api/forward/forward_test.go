package forward_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/forward"
	"fargo/aws/protocol"
	"fargo/aws/sigv4"
	"fargo/policy"
	"fargo/store"
)

var ours, theirs = sigv4.Credentials{AccessKeyID: "AKIAOURS", Secret: "ours"}, sigv4.Credentials{AccessKeyID: "test", Secret: "theirs"}

// emulator is the other side. It checks signatures, notes what was asked and answers.
type emulator struct {
	t      *testing.T
	asked  []string
	answer func(w http.ResponseWriter, r *http.Request, body string)
}

func (e *emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		e.t.Error(err)
	}
	sig, err := sigv4.Parse(r)
	if err == nil {
		err = new(sigv4.Verifier).Verify(sig, r, body, theirs.Secret, time.Now())
	}
	if err != nil || sig.AccessKeyID != theirs.AccessKeyID || strings.Contains(r.Header.Get("Authorization"), ours.AccessKeyID) {
		e.t.Errorf("the signature is %+v, %v", sig, err)
	}
	e.asked = append(e.asked, sig.Service+" "+sig.Region+" "+r.URL.String()+" "+r.Header.Get("X-Amz-Target")+" "+string(body))
	e.answer(w, r, string(body))
}

type keys map[string]api.Key

func (k keys) Key(id string) (api.Key, bool) { key, ok := k[id]; return key, ok }

// role is the policy of all callers.
type role struct{ set *policy.Set }

func (r role) Of(c *api.Caller) *policy.Caller {
	return &policy.Caller{Principal: policy.Principal{Account: fargo.DefaultAccount, ARNs: []string{c.PrincipalARN}}, Identity: r.set}
}

// open makes an emulator, and the APIs with services that are forwarded to it. Who calls
// them is code in a task, whose role has a policy.
func open(t *testing.T, statement string) (*emulator, *forward.Services, http.Handler) {
	t.Helper()
	e := &emulator{t: t, answer: func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.Header().Set("X-Amzn-Requestid", "theirs")
		w.WriteHeader(202)
		io.WriteString(w, "answer")
	}}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	services, err := forward.New([]string{"sqs,sns=" + server.URL, "dynamodb=" + server.URL + "/d"}, theirs)
	if err != nil {
		t.Fatal(err)
	}
	document, err := policy.Parse(`{"Statement":[` + statement + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	log := slog.New(slog.DiscardHandler)
	return e, services, api.New(api.Config{
		Keys: keys{ours.AccessKeyID: {Secret: ours.Secret, Account: fargo.DefaultAccount, Caller: api.Caller{PrincipalARN: "arn:aws:sts::123456789012:assumed-role/r/s", Task: "task"}}},
		Authorizer: api.NewEnforcer(api.EnforcerConfig{
			Actions: maps.Clone(forward.Actions), Policies: role{policy.NewSet(policy.Policy{Name: "p", Document: document})}, State: db.View, Logger: log,
		}),
		Forwards: services.Forwards(), Logger: log, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
	})
}

// request is signed for a service. header is the target, or empty for a form.
func request(service, target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://localhost:4566/", strings.NewReader(body))
	if r.Header.Set("Content-Type", "application/x-www-form-urlencoded"); target != "" {
		r.Header.Set("Content-Type", "application/x-amz-json-1.0")
		r.Header.Set("X-Amz-Target", target)
	}
	sigv4.Sign(r, []byte(body), ours, "eu-west-1", service, time.Now())
	return r
}

const everything = `{"Effect":"Allow","Action":"*","Resource":"*"}`

// TestForward sends requests on, signed anew, and gives the answers as they are.
func TestForward(t *testing.T) {
	e, _, h := open(t, everything)
	for _, r := range []*http.Request{
		request("sqs", "AmazonSQS.SendMessage", `{"QueueUrl":"q"}`),
		request("sns", "", "Action=Publish&TopicArn=t"),
		request("dynamodb", "DynamoDB_20120810.PutItem", `{"TableName":"t"}`),
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 202 || w.Body.String() != "answer" || w.Header().Get("X-Amzn-Requestid") != "theirs" {
			t.Errorf("answered was %d %v %s", w.Code, w.Header(), w.Body)
		}
	}
	want := []string{
		`sqs eu-west-1 / AmazonSQS.SendMessage {"QueueUrl":"q"}`,
		`sns eu-west-1 /  Action=Publish&TopicArn=t`,
		`dynamodb eu-west-1 /d/ DynamoDB_20120810.PutItem {"TableName":"t"}`,
	}
	if !slices.Equal(e.asked, want) {
		t.Errorf("asked was %q", e.asked)
	}
}

// TestRefused sends nothing on whose signature is wrong, that names no operation, or for a
// service that is not forwarded, and says so when nobody answers.
func TestRefused(t *testing.T) {
	e, _, h := open(t, everything)
	forged := request("sqs", "AmazonSQS.ListQueues", `{}`)
	forged.Header.Set("Authorization", forged.Header.Get("Authorization")[:len(forged.Header.Get("Authorization"))-4]+"0000")
	for want, r := range map[string]*http.Request{
		"InvalidSignatureException":                        forged,
		"UnknownOperationException":                        request("sqs", "", ""),
		"The service kinesis is not implemented by Fargo.": request("kinesis", "Kinesis_20131202.ListStreams", `{}`),
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code < 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: answered was %d %s", want, w.Code, w.Body)
		}
	}
	if len(e.asked) > 0 {
		t.Errorf("asked was %q", e.asked)
	}
	e.answer = func(http.ResponseWriter, *http.Request, string) { panic(http.ErrAbortHandler) }
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request("sqs", "AmazonSQS.ListQueues", `{}`))
	if w.Code != 503 || !strings.Contains(w.Body.String(), "the service sqs is forwarded, and does not answer") {
		t.Errorf("answered was %d %s", w.Code, w.Body)
	}
}

// TestAuthorize asks the policies of a task's role for what a request names.
func TestAuthorize(t *testing.T) {
	_, _, h := open(t, `{"Effect":"Allow","Action":["sqs:SendMessage","sns:Publish","dynamodb:GetItem","dynamodb:BatchGetItem","dynamodb:PutItem","dynamodb:Query"],
		"Resource":["arn:aws:sqs:eu-west-1:123456789012:q","arn:aws:sns:eu-west-1:123456789012:t","arn:aws:dynamodb:eu-west-1:123456789012:table/a*"]}`)
	for _, c := range []struct {
		service, target, body string
		allowed               bool
	}{
		{"sqs", "AmazonSQS.SendMessage", `{"QueueUrl":"http://localhost:4566/000000000000/q"}`, true},
		{"sqs", "AmazonSQS.SendMessage", `{"QueueUrl":"http://localhost:4566/000000000000/p"}`, false},
		{"sqs", "AmazonSQS.SendMessageBatch", `{"QueueUrl":"http://localhost:4566/000000000000/q"}`, true},
		{"sqs", "AmazonSQS.ReceiveMessage", `{"QueueUrl":"http://localhost:4566/000000000000/q"}`, false},
		{"sqs", "", "Action=SendMessage&QueueUrl=http%3A%2F%2Flocalhost%2F0%2Fq", true},
		{"sqs", "", "Action=SendMessage&QueueUrl=http%3A%2F%2Flocalhost%2F0%2Fq&QueueUrl=p", false},
		{"sns", "", "Action=Publish&TopicArn=arn:aws:sns:eu-west-1:123456789012:t", true},
		{"sns", "", "Action=Publish&PhoneNumber=1", false},
		{"dynamodb", "DynamoDB_20120810.GetItem", `{"TableName":"a"}`, true},
		{"dynamodb", "DynamoDB_20120810.GetItem", `{"TableName":"b"}`, false},
		{"dynamodb", "DynamoDB_20120810.GetItem", `{"TableName":"arn:aws:dynamodb:eu-west-1:123456789012:table/a"}`, true},
		{"dynamodb", "DynamoDB_20120810.Query", `{"TableName":"a","IndexName":"i"}`, true},
		{"dynamodb", "DynamoDB_20120810.BatchGetItem", `{"RequestItems":{"a":{},"ab":{}}}`, true},
		{"dynamodb", "DynamoDB_20120810.BatchGetItem", `{"RequestItems":{"a":{},"b":{}}}`, false},
		{"dynamodb", "DynamoDB_20120810.TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"a"}}]}`, true},
		{"dynamodb", "DynamoDB_20120810.TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"a"}},{"Delete":{"TableName":"a"}}]}`, false},
		{"dynamodb", "DynamoDB_20120810.GetItem", `{"TableName":`, false},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(c.service, c.target, c.body))
		if allowed := w.Code == 202; allowed != c.allowed || !allowed && !strings.Contains(w.Body.String(), "is not authorized to perform: "+c.service+":") {
			t.Errorf("%s %s: %d %s", c.target, c.body, w.Code, w.Body)
		}
	}
}

// TestSendMessage sends what EventBridge has for a queue.
func TestSendMessage(t *testing.T) {
	e, services, _ := open(t, everything)
	e.answer = func(w http.ResponseWriter, r *http.Request, _ string) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "GetQueueUrl") {
			io.WriteString(w, `{"QueueUrl":"http://emulator/0/q"}`)
			return
		}
		io.WriteString(w, `{"MessageId":"1"}`)
	}
	queue, _ := fargo.ParseARN("arn:aws:sqs:us-east-1:123456789012:q")
	if err := services.SendMessage(t.Context(), queue, forward.Message{Body: "{}", Attributes: map[string]string{"RULE_ARN": "r"}, GroupID: "g", ID: "i"}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`sqs us-east-1 / AmazonSQS.GetQueueUrl {"QueueName":"q"}`,
		`sqs us-east-1 / AmazonSQS.SendMessage {"MessageAttributes":{"RULE_ARN":{"DataType":"String","StringValue":"r"}},"MessageBody":"{}","MessageDeduplicationId":"i","MessageGroupId":"g","QueueUrl":"http://emulator/0/q"}`,
	}
	if !slices.Equal(e.asked, want) {
		t.Errorf("asked was %q", e.asked)
	}
	e.answer = func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.WriteHeader(400)
		io.WriteString(w, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}`)
	}
	refused := &protocol.Error{}
	if err := services.SendMessage(t.Context(), queue, forward.Message{}); !errors.As(err, &refused) || refused.Code != "QueueDoesNotExist" {
		t.Errorf("a queue that is not there: %v", err)
	}
	if err := (*forward.Services)(nil).SendMessage(context.Background(), queue, forward.Message{}); !errors.Is(err, forward.ErrNotForwarded) {
		t.Errorf("without a URL: %v", err)
	}
}

// TestMappings refuses what is none.
func TestMappings(t *testing.T) {
	for _, m := range []string{"sqs", "sqs=", "sqs=host:1", "kinesis=http://h", "sqs,sqs=http://h", "=http://h", "sqs=http://h/?a=b"} {
		if _, err := forward.New([]string{m}, theirs); err == nil {
			t.Errorf("%s is taken", m)
		}
	}
}

// TestPublish sends a message to a topic, and gives what SNS says against it.
func TestPublish(t *testing.T) {
	e, services, _ := open(t, everything)
	topic, _ := fargo.ParseARN("arn:aws:sns:eu-west-1:123456789012:t")
	e.answer = func(w http.ResponseWriter, _ *http.Request, _ string) {
		io.WriteString(w, "<PublishResponse/>")
	}
	if err := services.Publish(t.Context(), topic, `ALARM: "a"`, "{}"); err != nil {
		t.Fatal(err)
	}
	want := "sns eu-west-1 /  Action=Publish&Message=%7B%7D&Subject=ALARM%3A+%22a%22&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3At&Version=2010-03-31"
	if got := e.asked[len(e.asked)-1]; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	e.answer = func(w http.ResponseWriter, _ *http.Request, _ string) {
		w.WriteHeader(404)
		io.WriteString(w, "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does not exist</Message></Error></ErrorResponse>")
	}
	refused := new(protocol.Error)
	if err := services.Publish(t.Context(), topic, "s", "m"); !errors.As(err, &refused) || refused.Code != "NotFound" || refused.Message != "Topic does not exist" {
		t.Errorf("%v", err)
	}
	if err := (*forward.Services)(nil).Publish(context.Background(), topic, "s", "m"); !errors.Is(err, forward.ErrNotForwarded) {
		t.Errorf("%v", err)
	}
}
