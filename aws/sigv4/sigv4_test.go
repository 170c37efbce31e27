package sigv4_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"fargo/aws/sigv4"
)

// The example credentials of the AWS documentation, and the time all vectors
// were signed at.
const (
	exampleKey    = "AKIDEXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var signedAt = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// vector is a request as botocore 1.43 signed it.
type vector struct {
	Name, Service, Region, Token, Method, URL, Body string
	Headers                                         [][2]string
}

// raw is what travels.
func (v *vector) raw() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", v.Method, v.URL)
	for _, h := range v.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(v.Body), v.Body)
	return b.String()
}

func vectors(t testing.TB) []*vector {
	f, err := os.Open("testdata/botocore.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all []*vector
	for d := json.NewDecoder(f); ; {
		v := new(vector)
		if err := d.Decode(v); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
}

func read(t testing.TB, raw string) *http.Request {
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBotocoreVectors(t *testing.T) {
	var verifier sigv4.Verifier
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			r := read(t, v.raw())
			sig, err := sigv4.Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if sig.AccessKeyID != exampleKey || sig.Region != v.Region || sig.Service != v.Service || sig.Token != v.Token || !sig.Time.Equal(signedAt) {
				t.Errorf("parsed %+v", sig)
			}
			if err := verifier.Verify(sig, r, []byte(v.Body), exampleSecret, signedAt); err != nil {
				t.Error(err)
			}
			if err := verifier.Verify(sig, r, []byte(v.Body), exampleSecret+"x", signedAt); kind(err) != sigv4.Mismatch {
				t.Errorf("with another secret: %v", err)
			}
		})
	}
}

func kind(err error) sigv4.Kind {
	var e *sigv4.Error
	if !errors.As(err, &e) {
		return 255
	}
	return e.Kind
}

// TestChanges changes one thing in a well-signed request.
func TestChanges(t *testing.T) {
	all := vectors(t)
	post, presigned := all[0], all[18]
	for _, c := range []struct {
		name     string
		v        *vector
		old, new string
		later    time.Duration
		want     sigv4.Kind
		text     string
	}{
		{"not signed", post, "Authorization: ", "X-Other: ", 0, sigv4.Missing, "Missing Authentication Token"},
		{"basic", post, "AWS4-HMAC-SHA256", "Basic", 0, sigv4.Unsupported, "Unsupported AWS 'algorithm': 'Basic'."},
		{"asymmetric", post, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", 0, sigv4.Unsupported, "ECDSA"},
		{"no credential", post, "Credential=", "Credentials=", 0, sigv4.Malformed, "not a valid key=value pair"},
		{"empty signature", post, "Signature=fb812227b42606f062948ee86e1d04789800fb5f014811a3403e8dbfe7d0dd7a", "Signature=", 0, sigv4.Malformed, "Authorization header requires 'Signature' parameter."},
		{"no date", post, "X-Amz-Date", "X-Other", 0, sigv4.Malformed, "either a 'X-Amz-Date' or a 'Date' header"},
		{"bad date", post, "X-Amz-Date: 2015", "X-Amz-Date: 15", 0, sigv4.Malformed, "ISO-8601"},
		{"short credential", post, "/ecs/aws4_request", "/aws4_request", 0, sigv4.Malformed, "5 slash-delimited"},
		{"terminator", post, "aws4_request", "aws5_request", 0, sigv4.Scope, "valid terminator"},
		{"scope's date", post, "AKIDEXAMPLE/20150830", "AKIDEXAMPLE/20150829", 0, sigv4.Scope, "'20150829' != '20150830'"},
		{"scope's region", post, "us-east-1", "us-east-2", 0, sigv4.Mismatch, "does not match"},
		{"host not signed", post, "content-type;host;", "content-type;", 0, sigv4.Malformed, "'Host'"},
		{"date not signed", post, ";x-amz-date", "", 0, sigv4.Malformed, "X-Amz-Date"},
		{"signature", post, "Signature=fb", "Signature=fa", 0, sigv4.Mismatch, "does not match"},
		{"signature no hex", post, "Signature=fb", "Signature=zz", 0, sigv4.Mismatch, "does not match"},
		{"body", post, "cluster", "Cluster", 0, sigv4.Mismatch, "does not match"},
		{"header", post, "ListTasks", "StopTasks", 0, sigv4.Mismatch, "does not match"},
		{"method", post, "POST ", "PUT ", 0, sigv4.Mismatch, "does not match"},
		{"body hash", all[14], "{}", "[]", 0, sigv4.BodyMismatch, "x-amz-content-sha256"},
		{"chunks", all[15], "UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", 0, sigv4.Unsupported, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"},
		{"late", post, "", "", 5*time.Minute + time.Second, sigv4.Expired, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"},
		{"early", post, "", "", -5*time.Minute - time.Second, sigv4.NotYetCurrent, "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"},
		{"presigned late", presigned, "", "", 15*time.Minute + time.Second, sigv4.ExpiredURL, "Signature expired: 20150830T125100Z is now earlier than"},
		{"presigned too long", presigned, "Expires=900", "Expires=604801", 0, sigv4.Malformed, "X-Amz-Expires"},
		{"presigned parameter", presigned, "Action=GetCallerIdentity", "Action=GetSessionToken", 0, sigv4.Mismatch, "does not match"},
		{"presigned in part", presigned, "X-Amz-Date=", "X-Date=", 0, sigv4.Malformed, "'X-Amz-Date'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := c.v.raw()
			if !strings.Contains(raw, c.old) {
				t.Fatalf("no %q in\n%s", c.old, raw)
			}
			r := read(t, strings.Replace(raw, c.old, c.new, 1))
			body, _ := io.ReadAll(r.Body)
			sig, err := sigv4.Parse(r)
			if err == nil {
				err = new(sigv4.Verifier).Verify(sig, r, body, exampleSecret, signedAt.Add(c.later))
			}
			if kind(err) != c.want || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A header that is signed a thousand times would be hashed as often.
func TestHeaderSignedTwice(t *testing.T) {
	for _, headers := range []string{"content-type;content-type;host;", "host;content-type;host;"} {
		raw := strings.Replace(vectors(t)[0].raw(), "content-type;host;", headers, 1)
		if _, err := sigv4.Parse(read(t, raw)); kind(err) != sigv4.Mismatch {
			t.Errorf("%s: %v", headers, err)
		}
	}
}

func TestSkewIsTolerated(t *testing.T) {
	v := vectors(t)[0]
	for _, later := range []time.Duration{-5 * time.Minute, 0, 5 * time.Minute} {
		r := read(t, v.raw())
		sig, err := sigv4.Parse(r)
		if err == nil {
			err = new(sigv4.Verifier).Verify(sig, r, []byte(v.Body), exampleSecret, signedAt.Add(later))
		}
		if err != nil {
			t.Errorf("%v: %v", later, err)
		}
	}
}

func TestSign(t *testing.T) {
	for _, token := range []string{"", "session"} {
		r := httptest.NewRequest("POST", "http://127.0.0.1:4566/a%20b//c?x=1&a=%2F", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", "T.Op")
		sigv4.Sign(r, []byte("{}"), sigv4.Credentials{AccessKeyID: exampleKey, Secret: exampleSecret, Token: token}, "us-east-1", "ecs", signedAt)
		sig, err := sigv4.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := new(sigv4.Verifier).Verify(sig, r, []byte("{}"), exampleSecret, signedAt); err != nil || sig.Token != token {
			t.Error(sig, err)
		}
	}
}

// FuzzVerify: no request makes the check panic, and none that is not signed with
// the secret passes it.
func FuzzVerify(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(v.raw())
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			return
		}
		sig, err := sigv4.Parse(r)
		if err != nil {
			kind(err)
			return
		}
		if err := new(sigv4.Verifier).Verify(sig, r, nil, "not the secret", sig.Time); err == nil {
			t.Errorf("passes:\n%s", raw)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	v := vectors(b)[0]
	r := read(b, v.raw())
	var verifier sigv4.Verifier
	b.ReportAllocs()
	for b.Loop() {
		sig, err := sigv4.Parse(r)
		if err == nil {
			err = verifier.Verify(sig, r, []byte(v.Body), exampleSecret, signedAt)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
