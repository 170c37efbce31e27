package taskmetadata

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/host"
)

// NextInvocation gives an invocation to the task that has one.
func (m *machine) NextInvocation(_ context.Context, t *host.Task) (desired.Invocation, error) {
	if t.Assignment.TaskARN != theTask {
		return desired.Invocation{}, errdefs.ErrNotFound
	}
	return desired.Invocation{
		RequestID: "1", FunctionARN: "arn:aws:lambda:us-east-1:123456789012:function:f", Deadline: time.UnixMilli(42), Event: []byte(`{"a":1}`),
	}, nil
}

// PutInvocationResult keeps what the task says.
func (m *machine) PutInvocationResult(_ context.Context, t *host.Task, r desired.InvocationResult) error {
	if t.Assignment.TaskARN != theTask || r.RequestID != "1" && r.RequestID != "" {
		return errdefs.ErrNotFound
	}
	m.result = r
	return nil
}

// A runtime gets the event of its task, and says how the invocation has ended.
func TestRuntimeAPI(t *testing.T) {
	m := newMachine()
	h := newServer(m).handler("vpc-1")
	from := "10.0.0.7"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = from + ":4711"
		h.ServeHTTP(w, r)
	}))
	defer server.Close()
	ask := func(method, path, body, kind string) (*http.Response, string) {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/2018-06-01/runtime"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if kind != "" {
			r.Header.Set("Lambda-Runtime-Function-Error-Type", kind)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(text)
	}

	answer, event := ask("GET", "/invocation/next", "", "")
	if h := answer.Header; answer.StatusCode != 200 || event != `{"a":1}` || h.Get("Lambda-Runtime-Aws-Request-Id") != "1" || h.Get("Lambda-Runtime-Deadline-Ms") != "42" ||
		h.Get("Lambda-Runtime-Invoked-Function-Arn") != "arn:aws:lambda:us-east-1:123456789012:function:f" {
		t.Errorf("the event: %d %v %s", answer.StatusCode, h, event)
	}
	for name, test := range map[string]struct {
		path, body, kind string
		status           int
		want             desired.InvocationResult
	}{
		"a response": {"/invocation/1/response", `{}`, "", 202, desired.InvocationResult{TaskARN: theTask, RequestID: "1"}},
		"a large response": {"/invocation/1/response", strings.Repeat("a", maxResponse+1), "", 413, desired.InvocationResult{
			TaskARN: theTask, RequestID: "1", ErrorType: "Function.ResponseSizeTooLarge", Error: "the response is larger than 6291456 bytes",
		}},
		"an error":   {"/invocation/1/error", `{"errorMessage":"no"}`, "E", 202, desired.InvocationResult{TaskARN: theTask, RequestID: "1", ErrorType: "E", Error: `{"errorMessage":"no"}`}},
		"no runtime": {"/init/error", strings.Repeat("a", maxErrorKept+1), "", 202, desired.InvocationResult{TaskARN: theTask, ErrorType: "Unhandled", Error: strings.Repeat("a", maxErrorKept)}},
		"another":    {"/invocation/2/response", `{}`, "", 404, desired.InvocationResult{}},
	} {
		m.result = desired.InvocationResult{}
		if answer, text := ask("POST", test.path, test.body, test.kind); answer.StatusCode != test.status || m.result != test.want {
			t.Errorf("%s: %d %s, and %v", name, answer.StatusCode, text, m.result)
		}
	}
	for _, other := range []netip.Addr{netip.MustParseAddr("10.0.0.8"), netip.MustParseAddr("10.0.0.9")} { // another task, and nobody
		from = other.String()
		m.result = desired.InvocationResult{}
		next, text := ask("GET", "/invocation/next", "", "")
		put, _ := ask("POST", "/invocation/1/response", "", "")
		if next.StatusCode != 404 || put.StatusCode != 404 || strings.Contains(text, `"a"`) || m.result != (desired.InvocationResult{}) {
			t.Errorf("from %s: %d %s, %d", from, next.StatusCode, text, put.StatusCode)
		}
	}
}
