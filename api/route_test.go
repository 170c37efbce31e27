package api_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"fargo/api"
	"fargo/aws/protocol"
)

// thing is the input and output of every operation of the hand-made services.
type thing struct {
	Name *string `aws:"Name,in=uri"`
	Mode *string `aws:"mode"`
}

func operation(name, method, path string) protocol.Operation {
	return protocol.Operation{
		Name: name, Method: method, Path: path,
		Input: func() any { return new(thing) },
		Bind: func(any) (protocol.Handler, bool) {
			return func(_ context.Context, in any) (any, error) {
				label := "-"
				if in := in.(*thing); in.Name != nil {
					label = *in.Name
				} else if in.Mode != nil {
					label = *in.Mode
				}
				return &thing{Mode: new(name + " " + label)}, nil
			}, true
		},
	}
}

var (
	schedules = protocol.Service{Name: "schedules", SigningName: "scheduler", Protocols: []string{"rest-json"}, Operations: []protocol.Operation{
		operation("GetThing", "GET", "/things/{Name}"),
		operation("ListThings", "GET", "/things"),
		operation("GetDefault", "GET", "/things/default"),
		operation("PutThing", "PUT", "/things/{Name}"),
	}}
	buckets = protocol.Service{Name: "buckets", SigningName: "buckets", Protocols: []string{"rest-xml"}, Operations: []protocol.Operation{
		operation("GetObject", "GET", "/{Bucket}/{Name+}"),
		operation("GetAcl", "GET", "/{Name}?acl"),
		operation("ListBucket", "GET", "/{Name}"),
	}}
	metrics = protocol.Service{
		Name: "metrics", SigningName: "monitoring", APIVersion: "2010-08-01", TargetPrefix: "Granite", JSONVersion: "1.0",
		Protocols: []string{"smithy-rpc-v2-cbor", "json", "query"}, Operations: []protocol.Operation{operation("ListMetrics", "POST", "/")},
	}
)

// TestRoutes: a service is found wherever its protocols name it.
func TestRoutes(t *testing.T) {
	const cbor = "Smithy-Protocol: rpc-v2-cbor\nContent-Type: application/cbor"
	c := config(server{})
	c.Services = []api.Mounted{{Service: &schedules}, {Service: &buckets}, {Service: &metrics}}
	handler := api.New(c)
	for _, e := range []exchange{
		{service: "scheduler", url: "/things/a%2Fb", status: 200, want: `{"mode":"GetThing a/b"}`},
		{service: "scheduler", url: "/things/default", status: 200, want: `{"mode":"GetDefault -"}`},
		{service: "scheduler", url: "/things", status: 200, want: `{"mode":"ListThings -"}`},
		{service: "scheduler", url: "/things/a", header: "Content-Type: application/json", body: "{}", status: 400, want: `"UnknownOperationException"`}, // POST
		{service: "buckets", url: "/b", status: 200, want: "<mode>ListBucket b</mode>"},
		{service: "buckets", url: "/b?acl", status: 200, want: "<mode>GetAcl b</mode>"},
		{service: "buckets", url: "/b/k/l", status: 200, want: "<mode>GetObject k/l</mode>"},
		{service: "monitoring", url: "/service/Granite/operation/ListMetrics", header: cbor, body: "\xa1\x64mode\x61x", status: 200, want: "\xa1\x64mode\x6dListMetrics x"},
		{service: "monitoring", url: "/service/Granite/operation/Other", header: cbor, body: "\xa0", status: 400, want: "UnknownOperationException"},
		{service: "monitoring", url: "/service/Marble/operation/Other", header: cbor, body: "\xa0", status: 501, want: "The service Marble is not implemented"},
		{service: "monitoring", url: "/elsewhere", header: cbor, body: "\xa0", status: 400, want: "UnknownOperationException"},
		{service: "monitoring", header: "X-Amz-Target: Granite.ListMetrics", body: `{"mode":"x"}`, status: 200, want: `{"mode":"ListMetrics x"}`},
		{service: "monitoring", header: form, body: "Action=ListMetrics&Version=2010-08-01&mode=x", status: 200, want: "<ListMetricsResponse><mode>ListMetrics x</mode>"},
		{header: cbor, url: "/service/Granite/operation/ListMetrics", body: "\xa0", status: 400, want: "MissingAuthenticationTokenException"},
		{header: form, body: "Action=ListMetrics&Version=2010-08-01", status: 403, want: "<Code>MissingAuthenticationToken</Code>"},
		{url: "/things", status: 400, want: `{"__type":"MissingAuthenticationTokenException"`},
		{url: "/b?acl", status: 403, want: "<Code>MissingAuthenticationToken</Code>"},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, e.request("http://127.0.0.1:4566"))
		if w.Code != e.status || !strings.Contains(w.Body.String(), e.want) {
			t.Errorf("%s %s %s: %d %q, want %d %q", e.service, e.url, e.body, w.Code, w.Body, e.status, e.want)
		}
	}
}

// FuzzRequests: no request makes the chain panic or answer without an id.
func FuzzRequests(f *testing.F) {
	c := config(server{})
	c.Services = append(c.Services, api.Mounted{Service: &schedules}, api.Mounted{Service: &buckets}, api.Mounted{Service: &metrics})
	c.AcceptAnyCredentials = true
	handler := api.New(c)
	f.Add(target+"DescribeClusters", "/", `{}`)
	f.Add(form, "/", "Action=GetUser&Version=2010-05-08")
	f.Add("Smithy-Protocol: rpc-v2-cbor", "/service/Granite/operation/ListMetrics", "\xa0")
	f.Add("", "/things/a", "")
	f.Fuzz(func(t *testing.T, header, url, body string) {
		if !strings.HasPrefix(url, "/") || strings.ContainsAny(url, " \r\n\x7f") {
			return
		}
		if _, err := httptest.NewRequest("POST", "/", nil).URL.Parse(url); err != nil {
			return
		}
		e := exchange{header: header, body: body}
		r := e.request("http://127.0.0.1:4566")
		r.URL, _ = r.URL.Parse(url)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Header().Get("X-Amzn-Requestid") == "" || w.Code == 500 && !strings.Contains(body, "panic") && !strings.Contains(body, "broken") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
