package cloudwatch_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
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

// TestRequestSize: of a request that is as large as may be one more byte is too many,
// in each protocol, as it is sent: a compressed one may have more in it.
func TestRequestSize(t *testing.T) {
	const limit = 1 << 20
	handler := newHandler(t)
	for name, form := range map[string]struct {
		path, headers string
		body          func(padding int) string
	}{
		"query": {"/", formHeader, func(padding int) string {
			return "Action=PutMetricData&Version=2010-08-01&Namespace=shop&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1&x=" + strings.Repeat("y", padding)
		}},
		"json": {"/", jsonHeader + "PutMetricData", func(padding int) string {
			return `{"Namespace":"shop","MetricData":[{"MetricName":"m","Value":1}]}` + strings.Repeat(" ", padding)
		}},
		"cbor": {cborPath + "PutMetricData", cborHeader, func(padding int) string {
			return "\xa3\x69Namespace\x64shop\x6aMetricData\x81\xa2\x6aMetricName\x61m\x65Value\x01\x61x" +
				string(binary.BigEndian.AppendUint32([]byte{0x7a}, uint32(padding))) + strings.Repeat("y", padding)
		}},
	} {
		padding := limit - len(form.body(0))
		if w := post(handler, form.path, form.headers, form.body(padding)); w.Code != 200 {
			t.Errorf("%s: %d %q of a request that is as large as may be", name, w.Code, w.Body)
		}
		const text = "Request size 1048577 exceeded 1048576 bytes"
		if w := post(handler, form.path, form.headers, form.body(padding+1)); w.Code != 413 || !strings.Contains(w.Body.String(), "RequestEntityTooLarge") || !strings.Contains(w.Body.String(), text) {
			t.Errorf("%s: %d %q of a request that is too large", name, w.Code, w.Body)
		}
		if w := post(handler, form.path, form.headers+"\nContent-Encoding: gzip", packed(t, form.body(padding+1))); w.Code != 200 {
			t.Errorf("%s: %d %q of one that is compressed", name, w.Code, w.Body)
		}
	}
	large := `{"StartTime":0,"EndTime":1,"MetricDataQueries":[]}` + strings.Repeat(" ", 600<<10)
	if w := post(handler, "/", jsonHeader+"GetMetricData", large); w.Code != 413 || !strings.Contains(w.Body.String(), "exceeded 614400 bytes") {
		t.Errorf("%d %q of a large GetMetricData", w.Code, w.Body)
	}
}

// packed is a body compressed.
func packed(t *testing.T, body string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, body); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestPutLimits puts as much as may be, and one more.
func TestPutLimits(t *testing.T) {
	handler := newHandler(t)
	list := func(n int, item func(i int) string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = item(i)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	datum := func(member string) string {
		return `[{"MetricName":"m","Value":1` + member + `}]`
	}
	put := func(data string) string { return `{"Namespace":"shop","MetricData":` + data + `}` }
	for name, limit := range map[string]struct {
		most int
		body func(n int) string
		want string
	}{
		"data": {
			1000, func(n int) string { return put(list(n, func(int) string { return `{"MetricName":"m","Value":1}` })) },
			"The collection MetricData must not have a size greater than 1000.",
		},
		"data in all": {999, func(n int) string {
			return `{"Namespace":"shop","StrictEntityValidation":true,"MetricData":` + datum("") + `,"EntityMetricData":[{"MetricData":` + list(n, func(int) string { return `{"MetricName":"m","Value":1}` }) + `}]}`
		}, "The collection MetricData must not have a size greater than 1000."},
		"entities": {2, func(n int) string {
			return `{"Namespace":"shop","StrictEntityValidation":true,"EntityMetricData":` + list(n, func(int) string { return `{"MetricData":` + datum("") + `}` }) + `}`
		}, "The collection EntityMetricData must not have a size greater than 2."},
		"values": {150, func(n int) string {
			return put(`[{"MetricName":"m","Values":` + list(n, func(i int) string { return fmt.Sprint(i) }) + `}]`)
		}, "The collection MetricData.member.1.Values must not have a size greater than 150."},
		"dimensions": {30, func(n int) string {
			return put(datum(`,"Dimensions":` + list(n, func(i int) string { return fmt.Sprintf(`{"Name":"n%d","Value":"v"}`, i) })))
		}, "failed to satisfy constraint: Member must have length less than or equal to 30"},
		"a dimension's name": {255, func(n int) string {
			return put(datum(`,"Dimensions":[{"Name":"` + strings.Repeat("x", n) + `","Value":"v"}]`))
		}, "length less than or equal to 255"},
		"a dimension's value": {1024, func(n int) string {
			return put(datum(`,"Dimensions":[{"Name":"n","Value":"` + strings.Repeat("x", n) + `"}]`))
		}, "length less than or equal to 1024"},
		"a metric's name": {255, func(n int) string { return put(`[{"MetricName":"` + strings.Repeat("x", n) + `","Value":1}]`) }, "length less than or equal to 255"},
		"a namespace": {255, func(n int) string {
			return `{"Namespace":"` + strings.Repeat("x", n) + `","MetricData":` + datum("") + `}`
		}, "length less than or equal to 255"},
	} {
		if w := post(handler, "/", jsonHeader+"PutMetricData", limit.body(limit.most)); w.Code != 200 {
			t.Errorf("%s: %d %q of as many as may be", name, w.Code, w.Body)
		}
		if w := post(handler, "/", jsonHeader+"PutMetricData", limit.body(limit.most+1)); w.Code != 400 || !strings.Contains(w.Body.String(), limit.want) {
			t.Errorf("%s: %d %q of one more", name, w.Code, w.Body)
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
	w := post(newHandler(t), cborPath+"PutMetricData", cborHeader+"\nContent-Encoding: gzip", packed(t, string(body)))
	if w.Code != 200 {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
