package lambda_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fargo"
	"fargo/lambda"
)

const arn = "arn:aws:lambda:us-east-1:123456789012:function:rotate"

var scope = fargo.Scope{Account: "123456789012", Region: "us-east-1"}

func TestInvoke(t *testing.T) {
	var got string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = r.Method + " " + r.URL.Path + " " + r.Header.Get("Content-Type") + " " + string(b)
		switch r.URL.Path {
		case "/broken":
			http.Error(w, "no database", http.StatusBadGateway)
		case "/raised":
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
			io.WriteString(w, `{"errorMessage":"no database"}`)
		}
	}))
	defer server.Close()
	m, err := lambda.ParseMappings([]string{"rotate=" + server.URL + "/ok", arn + "2=" + server.URL + "/ok?a=b", "broken=" + server.URL + "/broken", "raised=" + server.URL + "/raised"})
	if err != nil {
		t.Fatal(err)
	}
	f := lambda.New(m, nil)
	for function, want := range map[string]string{
		"rotate": "", arn: "", arn + ":prod": "", arn + "2": "", arn + "2:1": "",
		"rotate2": "no such function", arn + "3": "no such function",
		"broken": "call broken: 502 Bad Gateway: no database",
		"raised": `call raised: Unhandled error: {"errorMessage":"no database"}`,
	} {
		got = ""
		err := f.Invoke(t.Context(), scope, "1", function, []byte(`{"Step":"x"}`))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", function, err, want)
		}
		absent := errors.Is(err, lambda.ErrNoFunction)
		if f.Callable(function) == absent {
			t.Errorf("%s is callable: %v", function, !absent)
		}
		if called := strings.HasPrefix(got, "POST /") && strings.HasSuffix(got, ` application/json {"Step":"x"}`); called == absent {
			t.Errorf("%s was called with %q", function, got)
		}
	}
	if (*lambda.Functions)(nil).Callable("rotate") {
		t.Error("there is a function where there are none")
	}
}

func TestBadMappings(t *testing.T) {
	for mapping, want := range map[string]string{
		"rotate":                   "not NAME=URL or NAME=TASKDEF",
		"=http://a":                "not NAME=URL",
		"rotate=":                  "not NAME=URL",
		"rotate=http://":           "is not a URL",
		"rotate=ftp://a/b":         "is not a URL",
		"rotate=family:0":          "does not begin with FAMILY",
		"rotate=family:last":       "does not begin with FAMILY",
		"rotate=cluster=a":         "does not begin with FAMILY",
		"rotate=family,":           "is not OPTION=VALUE",
		"rotate=family,subnet":     "is not OPTION=VALUE",
		"rotate=family,subnets=s1": `there is no option "subnets"`,
	} {
		if _, err := lambda.ParseMappings([]string{mapping}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", mapping, err)
		}
	}
	if _, err := lambda.ParseMappings([]string{"a=http://b", "a=family"}); err == nil {
		t.Error("a function has two meanings")
	}
}
