package cloudwatch_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
)

// keys are those of nobody: the requests of these tests are not signed.
type keys struct{}

func (keys) Key(string) (api.Key, bool) { return api.Key{}, false }

// newHandler serves CloudWatch to whoever comes.
func newHandler(t *testing.T) http.Handler {
	return api.New(api.Config{
		Services: setup(t).Services, Keys: keys{}, Authorizer: api.AllowAuthenticated{}, Logger: slog.New(slog.DiscardHandler),
		AcceptAnyCredentials: true, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
	})
}

// post sends a request with headers, one in a line.
func post(handler http.Handler, path, headers, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for line := range strings.Lines(headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

const (
	formHeader = "Content-Type: application/x-www-form-urlencoded; charset=utf-8"
	jsonHeader = "Content-Type: application/x-amz-json-1.0\nX-Amz-Target: GraniteServiceVersion20100801."
	cborHeader = "Content-Type: application/cbor\nSmithy-Protocol: rpc-v2-cbor"
	cborPath   = "/service/GraniteServiceVersion20100801/operation/"
)

// What CloudWatch answers is the same in each of its protocols.
func TestProtocols(t *testing.T) {
	const missing = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a"
	handler := newHandler(t)
	for _, c := range []struct {
		path, headers, body string
		status              int
		want, code          string
	}{
		{"/", formHeader, "Action=ListTagsForResource&Version=2010-08-01&ResourceARN=" + missing, 200, "<ListTagsForResourceResult><Tags></Tags></ListTagsForResourceResult>", ""},
		{"/", jsonHeader + "ListTagsForResource", `{"ResourceARN":"` + missing + `"}`, 200, `{"Tags":[]}`, ""},
		{cborPath + "ListTagsForResource", cborHeader, "\xa1\x6bResourceARN\x78\x31" + missing, 200, "\xa1\x64Tags\x80", ""},

		{"/", formHeader, "Action=UntagResource&Version=2010-08-01&ResourceARN=" + missing + "&TagKeys.member.1=k", 404, "<Code>ResourceNotFoundException</Code>", ""},
		{"/", jsonHeader + "UntagResource", `{"ResourceARN":"` + missing + `","TagKeys":["k"]}`, 404, `"__type":"ResourceNotFoundException"`, "ResourceNotFoundException;Sender"},
		{cborPath + "UntagResource", cborHeader, "\xa2\x6bResourceARN\x78\x31" + missing + "\x67TagKeys\x81\x61k", 404, "com.amazonaws.cloudwatch.v2010_08_01#ResourceNotFoundException", "ResourceNotFoundException;Sender"},

		{"/", formHeader, "Action=ListTagsForResource&Version=2010-08-01", 400, "<Code>ValidationError</Code>", ""},
		{"/", jsonHeader + "ListTagsForResource", `{}`, 400, `"__type":"ValidationException"`, "ValidationError;Sender"},
		{cborPath + "ListTagsForResource", cborHeader, "\xa0", 400, "com.amazon.coral.validate#ValidationException", "ValidationError;Sender"},
	} {
		w := post(handler, c.path, c.headers, c.body)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) || w.Header().Get("X-Amzn-Query-Error") != c.code {
			t.Errorf("%s %s: %d %q %v, want %d %q", c.headers, c.body, w.Code, w.Body, w.Header(), c.status, c.want)
		}
	}
}

// The largest request that CloudWatch takes is taken: 1,000 data with 30 dimensions each,
// compressed, as SDKs send it.
func TestLargestRequest(t *testing.T) {
	text := func(s string) []byte { return append([]byte{0x78, byte(len(s))}, s...) }
	datum := append([]byte{0xa3}, text("MetricName")...)
	datum = append(append(datum, text("m")...), text("Value")...)
	datum = append(append(datum, 0x01), text("Dimensions")...)
	datum = append(datum, 0x98, 30)
	for i := range 30 {
		datum = append(append(append(datum, 0xa2), text("Name")...), text(fmt.Sprint("n", i))...)
		datum = append(append(datum, text("Value")...), text("v")...)
	}
	body := append([]byte{0xa2}, text("Namespace")...)
	body = append(append(body, text("shop")...), text("MetricData")...)
	body = append(body, 0x99, 1000>>8, 1000&0xff)
	body = append(body, bytes.Repeat(datum, 1000)...)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(body); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	w := post(newHandler(t), cborPath+"PutMetricData", cborHeader+"\nContent-Encoding: gzip", packed.String())
	if w.Code != 200 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
