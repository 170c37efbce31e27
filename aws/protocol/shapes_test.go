package protocol_test

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fargo/aws/protocol"
)

// everything has a member of every kind, tagged as the generator tags.
type everything struct {
	Text     *string             `aws:"text" min:"1" max:"8" pattern:"[a-z<&>]+"`
	Color    color               `aws:"color" enum:"RED|GREEN"`
	Small    *int32              `aws:"small" min:"0" max:"100"`
	Large    *int64              `aws:"large"`
	Single   *float32            `aws:"single"`
	Double   *float64            `aws:"double"`
	Flag     *bool               `aws:"flag"`
	Raw      []byte              `aws:"raw"`
	When     *time.Time          `aws:"when"`
	Texts    []string            `aws:"texts,item=item" max:"3" itemmax:"3"`
	Colors   []color             `aws:"colors" itemenum:"RED|GREEN"`
	Parts    []part              `aws:"parts"`
	Flat     []part              `aws:"flat,flat,item=Flat"`
	Grid     [][]string          `aws:"grid"`
	Times    []time.Time         `aws:"times"`
	Pairs    map[string]string   `aws:"pairs,key=Name,value=Value"`
	Named    map[color]part      `aws:"named"`
	Lists    map[string][]string `aws:"lists"`
	FlatMap  map[string]string   `aws:"flatMap,flat"`
	Inner    *part               `aws:"inner"`
	Again    *everything         `aws:"again"`
	Document any                 `aws:"document"`
}

type color string

type part struct {
	Key   *string `aws:"key,required"`
	Count *int64  `aws:"count" query:"HowMany"`
}

// strict has nothing but demands.
type strict struct {
	ClusterName *string `aws:"ClusterName,required"`
	Tags        []part  `aws:"tags,required" min:"1"`
}

// guarded has demands that are worded in a way of their own.
type guarded struct {
	Names    []string `aws:"names" itemmin:"1" itemmax:"3" itempattern:"[a-z]*"`
	Parts    []part   `aws:"parts" max:"1"`
	Password *string  `aws:"password" pattern:"[\\w]+" sensitive:"true"`
	Kind     color    `aws:"kind" enum:"RED|GREEN" sensitive:"true"`
}

var service = protocol.Service{
	Name: "things", SigningName: "things", JSONVersion: "1.1", TargetPrefix: "Things_20200101",
	XMLNamespace: "http://things.example/doc/2020-01-01/",
	Protocols:    []string{"json", "query", "ec2"},
	// The last two have one code.
	Errors: []protocol.ErrorShape{
		{Name: "NoSuchThingException", Code: "NoSuchThing", Status: 404},
		{Name: "BoardNotFound", Code: "NotFound", Status: 404},
		{Name: "NotFound", Code: "NotFound", Status: 404},
	},
	QueryCompatible: true, Namespace: "com.example",
}

func request(body string) *protocol.Request {
	return &protocol.Request{
		ID: "11111111-2222-3333-4444-555555555555", Service: &service,
		Operation: &protocol.Operation{Name: "DoThing", Method: "POST", Path: "/", Result: "DoThingResult"},
		HTTP:      httptest.NewRequestWithContext(context.Background(), "POST", "/", nil),
		Body:      []byte(body),
	}
}

// answer encodes out and gives the body.
func answer(t testing.TB, proto string, out any) string {
	t.Helper()
	a := &protocol.Answer{Header: http.Header{}}
	if err := protocol.For(proto).Encode(request(""), out, a); err != nil {
		t.Fatal(err)
	}
	return string(a.Body)
}

func decode(t testing.TB, proto, body string, in any) {
	t.Helper()
	if err := protocol.For(proto).Decode(request(body), in); err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
}

func encodeError(proto string, e *protocol.Error) *protocol.Answer {
	a := &protocol.Answer{Header: http.Header{}}
	protocol.For(proto).EncodeError(request(""), e, a)
	return a
}

func equal(t *testing.T, got, want string) {
	t.Helper()
	if strings.TrimSpace(got) != strings.TrimSpace(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func base64Text(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
