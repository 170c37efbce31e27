package protocol_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fargo/aws/protocol"
)

// bound has members everywhere a REST protocol can put them.
type bound struct {
	Name    *string             `aws:"Name,in=uri,required"`
	Group   *string             `aws:"groupName,in=querystring"`
	Many    []string            `aws:"many,in=querystring"`
	Rest    map[string][]string `aws:"rest,in=querystring"`
	Since   *time.Time          `aws:"since,in=querystring"`
	ETag    *string             `aws:"ETag,in=header"`
	Changed *time.Time          `aws:"Last-Modified,in=header"`
	Days    []int32             `aws:"X-Days,in=header"`
	Meta    map[string]string   `aws:"x-amz-meta-,in=headers"`
	Code    *int32              `aws:"code,in=statusCode"`
	Inside  *string             `aws:"inside"`
	When    *time.Time          `aws:"when"`
}

type blobBody struct {
	Type *string `aws:"Content-Type,in=header"`
	Body []byte  `aws:"Body,payload,stream"`
}

type structureBody struct {
	Tagging *part `aws:"Tagging,payload"`
}

func TestRESTRequest(t *testing.T) {
	for proto, body := range map[string]string{
		"rest-json": `{"inside":"i","when":1700000000,"groupName":"not from here"}`,
		"rest-xml":  `<?xml version="1.0"?><AnyRoot xmlns="u"><inside> i&amp;</inside><when>2023-11-14T22:13:20Z</when><groupName>no</groupName></AnyRoot>`,
	} {
		r := request(body)
		r.HTTP = httptest.NewRequest("POST", "/x/y?groupName=g&many=a&many=b&since=2023-11-14T22:13:20Z", strings.NewReader(body))
		r.HTTP.Header = http.Header{"Etag": {"e"}, "Last-Modified": {"Tue, 14 Nov 2023 22:13:20 GMT"}, "X-Days": {"1, 2", "3"}, "X-Amz-Meta-Owner": {"o"}}
		r.Labels = map[string]string{"Name": "y"}
		var in bound
		if err := protocol.For(proto).Decode(r, &in); err != nil {
			t.Fatal(err)
		}
		moment := time.Unix(1700000000, 0)
		if *in.Name != "y" || *in.Group != "g" || len(in.Many) != 2 || in.Rest["groupName"][0] != "g" || !in.Since.Equal(moment) || *in.ETag != "e" ||
			!in.Changed.Equal(moment) || len(in.Days) != 3 || in.Days[2] != 3 || in.Meta["owner"] != "o" || !strings.Contains(*in.Inside, "i") || !in.When.Equal(moment) {
			t.Errorf("%s: %+v", proto, in)
		}
	}
	r := request("")
	r.HTTP.Header.Set("X-Days", "one")
	var e *protocol.Error
	if err := protocol.For("rest-json").Decode(r, &bound{}); !errors.As(err, &e) || e.Code != "SerializationException" {
		t.Errorf("a bad header: %v", err)
	}
	if err := protocol.For("rest-xml").Decode(request("<a><b></a>"), &bound{}); !errors.As(err, &e) || e.Code != "MalformedXML" {
		t.Errorf("bad XML: %v", err)
	}
}

func TestRESTAnswer(t *testing.T) {
	moment := time.Unix(1700000000, 0)
	a := &protocol.Answer{Header: http.Header{}}
	out := &bound{ETag: new("e"), Changed: &moment, Days: []int32{1, 2}, Meta: map[string]string{"owner": "o"}, Code: new(int32(202)), Inside: new("i"), When: &moment}
	if err := protocol.For("rest-json").Encode(request(""), out, a); err != nil {
		t.Fatal(err)
	}
	equal(t, string(a.Body), `{"inside":"i","when":1700000000}`)
	if a.Status != 202 || a.Header.Get("ETag") != "e" || a.Header.Get("Last-Modified") != "Tue, 14 Nov 2023 22:13:20 GMT" ||
		a.Header.Get("X-Days") != "1, 2" || map[string][]string(a.Header)["x-amz-meta-owner"][0] != "o" || a.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	equal(t, answer(t, "rest-xml", &bound{Inside: new("i")}), `<?xml version="1.0" encoding="UTF-8"?>
<DoThingResult xmlns="http://things.example/doc/2020-01-01/"><inside>i</inside></DoThingResult>`)
}

func TestRESTPayloads(t *testing.T) {
	r := request("\x00raw")
	r.HTTP.Header.Set("Content-Type", "image/png")
	var in blobBody
	if err := protocol.For("rest-xml").Decode(r, &in); err != nil || string(in.Body) != "\x00raw" || *in.Type != "image/png" {
		t.Errorf("%+v %v", in, err)
	}
	r.Body[0] = 'x'
	if in.Body[0] != 0 {
		t.Error("the input shares memory with the request")
	}
	equal(t, answer(t, "rest-json", &in), "\x00raw")

	var tagging structureBody
	decode(t, "rest-xml", "<Tagging><key>k</key></Tagging>", &tagging)
	equal(t, answer(t, "rest-json", &tagging), `{"key":"k"}`)
	equal(t, answer(t, "rest-json", &structureBody{}), ``)
}

type streamed struct {
	Length *int64        `aws:"Content-Length,in=header"`
	Body   io.ReadCloser `aws:"Body,payload,stream"`
}

// A streaming blob is not read when it is decoded, nor when it is encoded.
func TestRESTStreams(t *testing.T) {
	for _, c := range []struct {
		in   any
		want bool
	}{{&streamed{}, true}, {&blobBody{}, false}, {&bound{}, false}} {
		op := protocol.Operation{Input: func() any { return c.in }}
		if op.Streams() != c.want {
			t.Errorf("%T streams: %v", c.in, !c.want)
		}
	}
	r := request("")
	r.Stream = io.NopCloser(strings.NewReader("streamed"))
	var in streamed
	if err := protocol.For("rest-xml").Decode(r, &in); err != nil || in.Body != r.Stream {
		t.Fatal(in, err)
	}
	a := &protocol.Answer{Header: http.Header{}}
	if err := protocol.For("rest-xml").Encode(request(""), &streamed{Length: new(int64(8)), Body: in.Body}, a); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := a.Events(t.Context(), w); err != nil || w.Body.String() != "streamed" || a.Header.Get("Content-Length") != "8" {
		t.Error(w.Body, a.Header, err)
	}
}

// A member with the name of the outermost element is that element's text, and some
// members are attributes.
func TestRESTElements(t *testing.T) {
	type location struct {
		Where *string `aws:"Where"`
	}
	type grantee struct {
		ID   *string `aws:"ID"`
		Type *string `aws:"xsi:type,attribute"`
	}
	type grant struct {
		Grantee *grantee `aws:"Grantee"`
		Other   *string  `aws:"Other"`
	}
	encode := func(root string, out any) string {
		r, a := request(""), &protocol.Answer{Header: http.Header{}}
		r.Service, r.Operation = &protocol.Service{XMLNamespace: "u"}, &protocol.Operation{Name: "Get", Result: root, Status: 202}
		if err := protocol.For("rest-xml").Encode(r, out, a); err != nil || a.Status != 202 {
			t.Fatal(a.Status, err)
		}
		_, body, _ := strings.Cut(string(a.Body), "\n")
		return body
	}
	equal(t, encode("Where", &location{new("here")}), `<Where xmlns="u">here</Where>`)
	equal(t, encode("Where", &location{}), `<Where xmlns="u"></Where>`)
	equal(t, encode("Grants", &grant{Grantee: &grantee{new("i"), new("a\"b")}}),
		`<Grants xmlns="u"><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="a&quot;b"><ID>i</ID></Grantee></Grants>`)
}

// Operations that share a path are told apart by what they require.
func TestTemplatesRequire(t *testing.T) {
	type part struct {
		Number *int32  `aws:"partNumber,in=querystring,required"`
		Source *string `aws:"X-Source,in=header,required"`
		Also   *string `aws:"X-Also,in=header"`
	}
	plain := protocol.ParseTemplate("/{Bucket}/{Key+}")
	particular := plain.Requiring(&part{})
	if !particular.Before(plain) || plain.Before(particular) {
		t.Error("what asks for more does not come first")
	}
	for query, want := range map[string]bool{"": false, "?partNumber=1": true} {
		u, err := url.Parse("/b/k" + query)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := particular.Match(u); ok != want {
			t.Errorf("matches %s: %v", u, ok)
		}
	}
	if particular.HasHeaders(http.Header{}) || !particular.HasHeaders(http.Header{"X-Source": {"s"}}) || !plain.HasHeaders(nil) {
		t.Error("the headers")
	}
}

func TestRESTErrors(t *testing.T) {
	e := protocol.Errorf("NoSuchThing", "no <x>").WithStatus(404).WithField("BucketName", "b")
	a := encodeError("rest-json", e)
	equal(t, string(a.Body), `{"__type":"NoSuchThingException","message":"no <x>","BucketName":"b"}`)
	if a.Status != 404 || a.Header.Get("x-amzn-ErrorType") != "NoSuchThingException" {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	a = encodeError("rest-xml", e)
	equal(t, string(a.Body), `<ErrorResponse xmlns="http://things.example/doc/2020-01-01/"><Error><Type>Sender</Type><Code>NoSuchThing</Code>`+
		`<Message>no &lt;x&gt;</Message><BucketName>b</BucketName></Error><RequestId>`+id+`</RequestId></ErrorResponse>`)
	r := request("")
	r.Service = &protocol.Service{Name: "s3"}
	a = &protocol.Answer{Header: http.Header{}}
	protocol.For("rest-xml").EncodeError(r, e, a)
	equal(t, string(a.Body), `<?xml version="1.0" encoding="UTF-8"?>
<Error><Code>NoSuchThing</Code><Message>no &lt;x&gt;</Message><BucketName>b</BucketName><RequestId>`+id+`</RequestId></Error>`)
}

func TestTemplates(t *testing.T) {
	for _, c := range []struct {
		template, url string
		want          string // labels, or "-"
	}{
		{"/", "/", ""},
		{"/", "/a", "-"},
		{"/schedules/{Name}", "/schedules/a%2Fb%20c", "Name=a/b c"},
		{"/schedules/{Name}", "/schedules/a/", "Name=a"},
		{"/schedules/{Name}", "/schedules/", "-"},
		{"/schedules/{Name}", "/schedules/a/b", "-"},
		{"/schedules/{Name}", "/Schedules/a", "-"},
		{"/{Bucket}/{Key+}", "/b/x/y%2Fz/", "Bucket=b,Key=x/y/z/"},
		{"/{Bucket}/{Key+}", "/b", "-"},
		{"/{Bucket}/{Key+}", "/b/", "-"},
		{"/{Bucket}/{Key+}", "/b/%ff", "-"},
		{"/{Bucket}/{Key+}", "/b//", "Bucket=b,Key=/"},
		{"/{Bucket}/{Key+}", "/b/../x", "Bucket=b,Key=../x"},
		{"/a/{Path+}/end", "/a/b/c/end", "Path=b/c"},
		{"/a/{Path+}/end", "/a/end", "-"},
		{"/{Bucket}?acl", "/b?acl", "Bucket=b"},
		{"/{Bucket}?acl", "/b?list-type=2", "-"},
		{"/{Bucket}?list-type=2", "/b?list-type=2", "Bucket=b"},
		{"/{Bucket}?list-type=2", "/b?list-type=1", "-"},
	} {
		u, err := url.Parse(c.url)
		if err != nil {
			t.Fatal(err)
		}
		labels, ok := protocol.ParseTemplate(c.template).Match(u)
		got := "-"
		if ok {
			var all []string
			for _, name := range []string{"Bucket", "Key", "Name", "Path"} {
				if value, there := labels[name]; there {
					all = append(all, name+"="+value)
				}
			}
			got = strings.Join(all, ",")
		}
		if got != c.want {
			t.Errorf("%s on %s gives %q, want %q", c.template, c.url, got, c.want)
		}
	}
	for _, pair := range [][2]string{{"/{Bucket}?acl", "/{Bucket}"}, {"/schedules/{Name}", "/{A}/{B}"}, {"/{A}/{B+}", "/{A}"}} {
		if a, b := protocol.ParseTemplate(pair[0]), protocol.ParseTemplate(pair[1]); !a.Before(b) || b.Before(a) {
			t.Errorf("%s does not come before %s", pair[0], pair[1])
		}
	}
}

// A body has a bearable number of elements, which do not nest without end.
func TestXMLIsBounded(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		refused bool
	}{
		"many":     {"<a>" + strings.Repeat("<x><y>z</y></x>", 10_000) + "</a>", false},
		"too many": {"<a>" + strings.Repeat("<x/>", 100_000) + "</a>", true},
		"deep":     {strings.Repeat("<a>", 101) + strings.Repeat("</a>", 101), true},
		"entities": {`<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>`, true},
	} {
		err := protocol.For("rest-xml").Decode(request(c.body), &everything{})
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
