package sigv4_test

import (
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"fargo/aws/sigv4"
)

// TestVersion2 has URLs as botocore 1.43 presigns them for S3 in us-east-1, with the
// bucket in the path and in the host.
func TestVersion2(t *testing.T) {
	until := time.Unix(1796012116, 0)
	const (
		inHost = "http://my-bucket.localhost:14599/b/small.txt?response-content-type=text%2Fx&AWSAccessKeyId=AKIAEXAMPLE&Signature=gjL5yNGUoEijXsbbcy7rUY7NKlc%3D&Expires=1796012116"
		inPath = "http://127.0.0.1:14599/my-bucket/b/small.txt?response-content-type=text%2Fx&AWSAccessKeyId=AKIAEXAMPLE&Signature=gjL5yNGUoEijXsbbcy7rUY7NKlc%3D&Expires=1796012116"
	)
	for _, c := range []struct {
		name, method, url, secret string
		at                        time.Time
		want                      sigv4.Kind // 255 for none
	}{
		{"in the host", "GET", inHost, "secretsecret", until, 255},
		{"in the path", "GET", inPath, "secretsecret", until, 255},
		{"another secret", "GET", inHost, "secret", until, sigv4.Mismatch},
		{"another method", "PUT", inHost, "secretsecret", until, sigv4.Mismatch},
		{"another object", "GET", "http://my-bucket.localhost:14599/c" + inHost[len("http://my-bucket.localhost:14599/b"):], "secretsecret", until, sigv4.Mismatch},
		{"late", "GET", inHost, "secretsecret", until.Add(time.Second), sigv4.ExpiredURL},
		{"another time", "GET", inHost[:len(inHost)-1] + "9", "secretsecret", until, sigv4.Mismatch},
	} {
		r := httptest.NewRequest(c.method, c.url, nil)
		sig, err := sigv4.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := new(sigv4.Verifier).Verify(sig, r, nil, c.secret, c.at); kind(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		body, err := new(sigv4.Verifier).VerifyStream(sig, r, c.secret, c.at)
		if kind(err) != c.want {
			t.Errorf("%s, streamed: %v", c.name, err)
		} else if err == nil {
			if _, err := io.ReadAll(body); err != nil {
				t.Error(err)
			}
		}
	}
}
