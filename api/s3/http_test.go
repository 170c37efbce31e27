package s3_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fargo/api"
	"fargo/aws/sigv4"
	"fargo/record"
	"fargo/store"
)

var credentials = sigv4.Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: "secret"}

type keys struct{}

func (keys) Key(id string) (api.Key, bool) {
	return api.Key{Secret: credentials.Secret, Account: home.Account, Caller: api.Caller{PrincipalARN: "arn:aws:iam::" + home.Account + ":user/a"}}, id == credentials.AccessKeyID
}

// client sends requests through the whole chain.
type client struct {
	t   testing.TB
	url string
	db  *store.DB
}

func serve(t testing.TB) *client {
	t.Helper()
	s, db, _ := open(t)
	h := httptest.NewServer(api.New(api.Config{Services: mounted(s), Keys: keys{}, Authorizer: api.AllowAuthenticated{}, Logger: slog.New(slog.DiscardHandler), Account: home.Account, Region: home.Region}))
	t.Cleanup(h.Close)
	c := &client{t, h.URL, db}
	c.expect(200, "", c.request("PUT", "/bucket", ""))
	return c
}

func (c *client) request(method, path, body string) *http.Request {
	r, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

// expect sends a request, signed unless it is already or is not to be, and compares the
// answer's status and a part of its body.
func (c *client) expect(status int, text string, r *http.Request) http.Header {
	c.t.Helper()
	if r.Header.Get("Authorization") == "" {
		body, err := r.GetBody()
		if err != nil {
			c.t.Fatal(err)
		}
		all, err := io.ReadAll(body)
		if err != nil {
			c.t.Fatal(err)
		}
		sign(r, hashOf(all))
	}
	if r.Header.Get("Authorization") == "none" {
		r.Header.Del("Authorization")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status || !strings.Contains(string(got), text) {
		c.t.Errorf("%s %s: %d %s, %v; want %d %s", r.Method, r.URL, answer.StatusCode, got, err, status, text)
	}
	return answer.Header
}

func sign(r *http.Request, payload string) {
	r.Header.Set("X-Amz-Content-Sha256", payload)
	sigv4.SignPayload(r, payload, credentials, home.Region, "s3", time.Now())
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func (c *client) objects() (names []string) {
	for o := range store.Objects.All(c.db.View()) {
		names = append(names, o.Name)
	}
	return names
}

// A key is a name and never a path: whatever it is, the object is found by it, and by
// no other.
func TestKeys(t *testing.T) {
	c := serve(t)
	for _, key := range []string{
		"plain", "a/b/c", "/", "//", "/lead", "trail/", "..", "../../etc/passwd", "a/../b", ".", "ü ñ +&?%#", "%2F", "new\nline", "\x00nul", "a\\b",
		"healthz", "v2/x", "\U0001f600", strings.Repeat("k", 1024), "?acl", "*",
	} {
		path := "/bucket/" + (&url.URL{Path: "/" + key}).EscapedPath()[1:]
		path = strings.ReplaceAll(path, "%2F", "/")
		if strings.ContainsAny(key, "%*") {
			path = "/bucket/" + url.PathEscape(key)
		}
		c.expect(200, "", c.request("PUT", path, "of "+key))
		if _, ok := store.Objects.Get(c.db.View(), record.ObjectKey("bucket", key)); !ok {
			t.Errorf("%q is not there, but %q", key, c.objects())
		}
		c.expect(200, "of "+key, c.request("GET", path, ""))
		c.expect(204, "", c.request("DELETE", path, ""))
		if names := c.objects(); len(names) > 0 {
			t.Fatalf("%q: left %q", key, names)
		}
	}
	c.expect(400, "KeyTooLongError", c.request("PUT", "/bucket/"+strings.Repeat("k", 1025), ""))
	c.expect(400, "UnknownOperationException", c.request("PUT", "/bucket/%ff", ""))
}

// A body is taken only when it is the one that was signed, in each way of signing.
func TestBodies(t *testing.T) {
	c := serve(t)
	put := func(status int, text, payload, body string, header ...string) {
		t.Helper()
		r := c.request("PUT", "/bucket/k", body)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		sign(r, payload)
		c.expect(status, text, r)
	}
	put(200, "", hashOf([]byte("text")), "text")
	put(400, "XAmzContentSHA256Mismatch", hashOf([]byte("text")), "test")
	put(200, "", "UNSIGNED-PAYLOAD", "text")
	chunked := "b\r\nhello world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
	header := []string{"X-Amz-Decoded-Content-Length", "11", "X-Amz-Trailer", "x-amz-checksum-crc32", "Content-Encoding", "aws-chunked"}
	put(200, "", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", chunked, header...)
	if o, _ := store.Objects.Get(c.db.View(), record.ObjectKey("bucket", "k")); o.Headers.ContentEncoding != "" || o.Checksum.Value != "DUoRhQ==" || o.Size() != 11 {
		t.Errorf("%+v", o)
	}
	put(400, "BadDigest", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", strings.Replace(chunked, "hello", "Hello", 1), header...)
	put(400, "InvalidRequest", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", strings.Replace(chunked, "DUoRhQ==", "DUoRhQ", 1), header...)
	put(400, "IncompleteBody", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "b\r\nhello wo", header...)
	put(411, "MissingContentLength", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", chunked)
	c.expect(200, "hello world", c.request("GET", "/bucket/k", ""))
}

// Whoever has no key, or another one, is told nothing.
func TestCallers(t *testing.T) {
	c := serve(t)
	c.expect(200, "", c.request("PUT", "/bucket/k", "text"))
	wrong := c.request("GET", "/bucket/k", "")
	wrong.Header.Set("X-Amz-Content-Sha256", hashOf(nil))
	sigv4.SignPayload(wrong, hashOf(nil), sigv4.Credentials{AccessKeyID: "AKIAEXAMPLE", Secret: "wrong"}, home.Region, "s3", time.Now())
	c.expect(403, "SignatureDoesNotMatch", wrong)
	unknown := c.request("GET", "/bucket/k", "")
	sigv4.SignPayload(unknown, hashOf(nil), sigv4.Credentials{AccessKeyID: "AKIAUNKNOWN", Secret: "wrong"}, home.Region, "s3", time.Now())
	c.expect(403, "InvalidAccessKeyId", unknown)
	late := c.request("PUT", "/bucket/k", "text")
	late.Header.Set("X-Amz-Content-Sha256", hashOf([]byte("text")))
	sigv4.SignPayload(late, hashOf([]byte("text")), credentials, home.Region, "s3", time.Now().Add(-16*time.Minute))
	c.expect(403, "RequestTimeTooSkewed", late)
	anonymous := c.request("GET", "/k", "")
	anonymous.Host = "bucket.s3.us-east-1.amazonaws.com"
	anonymous.Header.Set("Authorization", "none")
	c.expect(403, "AccessDenied", anonymous)
}

// The bucket is in the path or in the host.
func TestHosts(t *testing.T) {
	c := serve(t)
	c.expect(200, "", c.request("PUT", "/bucket/a/b", "text"))
	for host, path := range map[string]string{
		"":                                  "/bucket/a/b",
		"localhost:4566":                    "/bucket/a/b",
		"s3.us-east-1.amazonaws.com":        "/bucket/a/b",
		"s3.amazonaws.com":                  "/bucket/a/b",
		"bucket.s3.us-east-1.amazonaws.com": "/a/b",
		"bucket.s3.amazonaws.com":           "/a/b",
		"bucket.s3-us-west-2.amazonaws.com": "/a/b",
		"bucket.localhost:4566":             "/a/b",
		"bucket.fargo.example":              "/a/b",
		"fargo.example":                     "/bucket/a/b",
	} {
		r := c.request("GET", path, "")
		r.Host = host
		c.expect(200, "text", r)
	}
	r := c.request("PUT", "/", "")
	r.Host = "made.localhost:4566"
	c.expect(200, "", r)
	r = c.request("GET", "/?location", "")
	r.Host = "made.s3.us-east-1.amazonaws.com"
	h := c.expect(200, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`, r)
	if h.Get("X-Amz-Request-Id") == "" {
		t.Error("no request id")
	}
}

// What a client needs to know of a bucket elsewhere is in the headers of its refusal.
func TestRegions(t *testing.T) {
	c := serve(t)
	c.expect(200, "", c.request("PUT", "/elsewhere", `<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>`))
	client := *http.DefaultClient
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r := c.request("HEAD", "/elsewhere", "")
	sign(r, hashOf(nil))
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != 301 || answer.Header.Get("X-Amz-Bucket-Region") != "eu-west-1" {
		t.Error(answer.Status, answer.Header)
	}
}

// Digests of bodies that are no contents are checked as well, and metadata has names in
// lower case.
func TestHeaders(t *testing.T) {
	c := serve(t)
	r := c.request("PUT", "/bucket/k", "text")
	r.Header.Set("X-Amz-Meta-Owner-Name", "me")
	c.expect(200, "", r)
	if o, _ := store.Objects.Get(c.db.View(), record.ObjectKey("bucket", "k")); o.Headers.Metadata["owner-name"] != "me" {
		t.Errorf("%+v", o)
	}
	h := c.expect(200, "", c.request("HEAD", "/bucket/k", ""))
	if h.Get("Content-Length") != "4" || h.Get("X-Amz-Meta-Owner-Name") != "me" || h.Get("Etag") != `"1cb251ec0d568de6a929b520c4aed8d1"` {
		t.Error(h)
	}
	const list = `<Delete><Object><Key>k</Key></Object></Delete>`
	r = c.request("POST", "/bucket?delete", list)
	r.Header.Set("Content-Md5", "XrY7u+Ae7tCTyyK7j1rNww==")
	c.expect(400, "BadDigest", r)
	c.expect(200, "<DeleteResult", c.request("POST", "/bucket?delete", list))
	c.expect(501, "RestoreObject", c.request("POST", "/bucket/k?restore", ""))
}

func BenchmarkPut8MB(b *testing.B) {
	c := serve(b)
	body := bytes.Repeat([]byte("12345678"), 1<<20)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		r, err := http.NewRequestWithContext(b.Context(), "PUT", c.url+"/bucket/k", bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		sign(r, "UNSIGNED-PAYLOAD")
		c.expect(200, "", r)
	}
}

func BenchmarkGet8MB(b *testing.B) {
	c := serve(b)
	body := strings.Repeat("12345678", 1<<20)
	c.expect(200, "", c.request("PUT", "/bucket/k", body))
	b.SetBytes(int64(len(body)))
	benchmarkGet(b, func() *http.Request {
		r := c.request("GET", "/bucket/k", "")
		sign(r, hashOf(nil))
		return r
	})
}

// BenchmarkFileServer is what a GET of a file costs without S3.
func BenchmarkFileServer(b *testing.B) {
	body := bytes.Repeat([]byte("12345678"), 1<<20)
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "k", time.Time{}, bytes.NewReader(body))
	}))
	defer h.Close()
	c := &client{b, h.URL, nil}
	b.SetBytes(int64(len(body)))
	benchmarkGet(b, func() *http.Request { return c.request("GET", "/k", "") })
}

func benchmarkGet(b *testing.B, request func() *http.Request) {
	for b.Loop() {
		answer, err := http.DefaultClient.Do(request())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != 200 {
			b.Fatal(answer.Status, err)
		}
		answer.Body.Close()
	}
}

func BenchmarkPutSmall(b *testing.B) {
	c := serve(b)
	for n := 0; b.Loop(); n++ {
		r := c.request("PUT", fmt.Sprintf("/bucket/%d", n), "small")
		sign(r, "UNSIGNED-PAYLOAD")
		c.expect(200, "", r)
	}
}

func BenchmarkGetSmall(b *testing.B) {
	c := serve(b)
	c.expect(200, "", c.request("PUT", "/bucket/k", "small"))
	for b.Loop() {
		c.expect(200, "small", c.request("GET", "/bucket/k", ""))
	}
}
