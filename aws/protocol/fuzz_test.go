package protocol_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fargo/aws/protocol"
)

// fuzzDecoder holds a decoder to its promises for any body: it does not panic,
// it refuses with an error that a client understands, and what it takes can be answered
// and read again to the same.
func fuzzDecoder(f *testing.F, proto string, seeds ...string) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	codec := protocol.For(proto)
	f.Fuzz(func(t *testing.T, body string) {
		in := new(everything)
		if err := codec.Decode(request(body), in); err != nil {
			var e *protocol.Error
			if !errors.As(err, &e) || e.Code == "" {
				t.Fatalf("refuses with %v", err)
			}
			return
		}
		protocol.Validate(in)
		first, again := encodeJSON(t, in), new(everything)
		decode(t, "json", first, again)
		if second := encodeJSON(t, again); first != second {
			t.Fatalf("%q is answered\n%s\nthen\n%s", body, first, second)
		}
		a := &protocol.Answer{Header: http.Header{}}
		in.Document = nil
		if err := codec.Encode(request(""), in, a); err != nil {
			t.Fatal(err)
		}
	})
}

func encodeJSON(t testing.TB, v any) string { return answer(t, "json", v) }

func FuzzJSON(f *testing.F) {
	fuzzDecoder(f, "json", `{"text":"a\u00e9","small":-1.5e2,"flag":true,"raw":"aGk=","when":1.5,"texts":["a",null],"pairs":{"a":"b"},"document":[1,{}]}`,
		`{"inner":{"key":null},"again":{"again":{}},"x":[[]]}`, `{"double":"NaN"}`, `{"text":"\ud83d\ude00\ud83d"}`)
}

func FuzzQuery(f *testing.F) {
	fuzzDecoder(f, "query", "Action=A&text=a%20b&texts.item.1=a&parts.member.2.key=k&pairs.entry.1.Name=n&pairs.entry.1.Value=v",
		"Flat.1.key=x&flatMap.1.key=k&when=2023-11-14&grid.member.1.member.1=g&again.again.text=t", "text.a.b=&colors=")
}

func FuzzEC2(f *testing.F) {
	fuzzDecoder(f, "ec2", "Action=A&Text=a&Texts.1=a&Parts.2.HowMany=3&Inner.Key=k&When=2023-11-14T01:02:03.5Z", "Grid.1.1=g&Pairs.1.Name=n")
}

func FuzzXML(f *testing.F) {
	fuzzDecoder(f, "rest-xml", `<a><text>t</text><texts><item>a</item></texts><Flat><key>k</key></Flat><pairs><entry><Name>n</Name><Value>v</Value></entry></pairs></a>`,
		`<?xml version="1.0"?><!-- c --><a xmlns="u"><when>2023-11-14T01:02:03Z</when><inner/><grid><member><member>g</member></member></grid></a>`)
}

func FuzzCBOR(f *testing.F) {
	fuzzDecoder(f, "smithy-rpc-v2-cbor", "\xa1\x64text\x61a", "\xbf\x64when\xc1\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00\x65texts\x9f\x61a\xff\xff", "\xa1\x63raw\x42hi", "\xa1\x65small\x1a\xff\xff\xff\xff")
}

func FuzzREST(f *testing.F) {
	f.Add("/x?groupName=g&many=a&since=2023-11-14T22:13:20Z", "1, 2", "/{Name+}?many")
	f.Fuzz(func(t *testing.T, target, days, template string) {
		if !strings.HasPrefix(target, "/") || strings.ContainsAny(target, " \r\n\x7f") {
			return
		}
		r := request("{}")
		r.HTTP = httptest.NewRequest("POST", "/", nil)
		u, err := r.HTTP.URL.Parse(target)
		if err != nil {
			return
		}
		r.HTTP.URL = u
		r.HTTP.Header.Set("X-Days", days)
		r.Labels, _ = protocol.ParseTemplate(template).Match(u)
		var e *protocol.Error
		if err := protocol.For("rest-json").Decode(r, &bound{}); err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
	})
}
