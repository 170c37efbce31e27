package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fargo/api"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
)

// observed notes what an observer is told.
type observed struct{ of []string }

func (o *observed) Served(s *api.Served) {
	refused := ""
	if s.Err != nil {
		refused = s.Err.Code
	}
	o.of = append(o.of, fmt.Sprintf("%s:%s %s in=%t out=%t %s", s.Service, s.Operation.Name, s.PrincipalARN, s.Input != nil, s.Output != nil, refused))
}

// TestObserver: what is told, and that nobody is told of callers who are not known.
func TestObserver(t *testing.T) {
	for _, test := range []struct {
		name string
		exchange
		authorizer api.Authorizer
		want       []string
	}{
		{
			"success",
			exchange{service: "ecs", header: target + "DescribeTasks", body: `{"tasks":["a"]}`},
			nil,
			[]string{"ecs:DescribeTasks arn:aws:iam::123456789012:user/admin in=true out=true "},
		},
		{
			"denied",
			exchange{service: "ecs", header: target + "DescribeTasks", body: `{"tasks":["a"]}`},
			deny{},
			[]string{"ecs:DescribeTasks arn:aws:iam::123456789012:user/admin in=true out=false AccessDeniedException"},
		},
		{
			"invalid",
			exchange{service: "ecs", header: target + "DescribeTasks", body: `{}`},
			nil,
			[]string{"ecs:DescribeTasks arn:aws:iam::123456789012:user/admin in=true out=false InvalidParameterException"},
		},
		{
			"not decoded",
			exchange{service: "ecs", header: target + "DescribeTasks", body: `{`},
			nil,
			[]string{"ecs:DescribeTasks arn:aws:iam::123456789012:user/admin in=true out=false SerializationException"},
		},
		{
			"not there",
			exchange{service: "ecs", header: target + "RunTask", body: `{}`},
			nil,
			[]string{"ecs:RunTask arn:aws:iam::123456789012:user/admin in=false out=false NotImplementedException"},
		},
		{"unknown key", exchange{service: "ecs", key: "AKIAWRONG", header: target + "DescribeTasks", body: "{}"}, nil, nil},
		{"not signed", exchange{header: target + "DescribeTasks", body: "{}"}, nil, nil},
		{"no operation", exchange{service: "ecs", header: target + "Sing", body: "{}"}, nil, nil},
	} {
		o, c := &observed{}, config(server{})
		c.Observers = []api.Observer{o}
		if test.authorizer != nil {
			c.Authorizer = test.authorizer
		}
		api.New(c).ServeHTTP(httptest.NewRecorder(), test.request("http://127.0.0.1"))
		if d := cmp.Diff(test.want, o.of); d != "" {
			t.Errorf("%s: %s", test.name, d)
		}
	}
}

// TestCallAs: a call of Fargo itself is authorized, validated and told as a request is.
func TestCallAs(t *testing.T) {
	tasks := []string{"a"}
	for _, test := range []struct {
		authorizer api.Authorizer
		in         *ecs.DescribeTasksInput
		code       string
		want       string
	}{
		{api.AllowAuthenticated{}, &ecs.DescribeTasksInput{Tasks: tasks}, "", "ecs:DescribeTasks arn:aws:iam::123456789012:root in=true out=true "},
		{api.AllowAuthenticated{}, &ecs.DescribeTasksInput{}, "InvalidParameterException", "ecs:DescribeTasks arn:aws:iam::123456789012:root in=true out=false InvalidParameterException"},
		{deny{}, &ecs.DescribeTasksInput{Tasks: tasks}, "AccessDeniedException", "ecs:DescribeTasks arn:aws:iam::123456789012:root in=true out=false AccessDeniedException"},
	} {
		o := &observed{}
		through := api.Calls{Authorizer: test.authorizer, Observers: []api.Observer{o}}
		call := &api.Call{Operation: "DescribeTasks", Caller: api.Caller{PrincipalARN: "arn:aws:iam::123456789012:root"}}
		_, err := api.CallAs(context.Background(), through, &ecs.API, call, test.in, server{}.DescribeTasks)
		if got := code(err); got != test.code {
			t.Errorf("%v, not %s", err, test.code)
		}
		if d := cmp.Diff([]string{test.want}, o.of); d != "" {
			t.Error(d)
		}
	}
}

func code(err error) string {
	var e *protocol.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
