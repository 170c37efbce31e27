package registry_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// fromGo finds what the errors of Go's packages and of the libraries look like, which
// nobody but us can do anything with.
var fromGo = regexp.MustCompile(`json:|mime:|Go struct|Go value|unmarshal|strconv\.|parsing "|\bEOF\b|invalid character|unexpected end|filesystem|/docker/registry|goroutine|runtime error|\bnil\b|invalid checksum digest|hex decode`)

// FuzzAnswers sends strange bodies and headers to whatever takes some, and looks for
// the words of Go in the answers, and for internal errors.
func FuzzAnswers(f *testing.F) {
	const image = v1.MediaTypeImageManifest
	for _, seed := range []struct{ method, path, contentType, body, value string }{
		{"PUT", "manifests/v1", image, `{"schemaVersion":2,"config":{"digest":"x","size":"y"}}`, ""},
		{"PUT", "manifests/v1", image, `{"schemaVersion":"2"}`, ""},
		{"PUT", "manifests/v1", image, `{"schemaVersion":2,"mediaType":3,"layers":{}}`, ""},
		{"PUT", "manifests/v1", image, `{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:00","size":2},"layers":[]}`, ""},
		{"PUT", "manifests/v1", image, `{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha512:00"},"layers":[{"digest":""}]}`, ""},
		{"PUT", "manifests/v1", image, `{"schemaVersion":2,"layers":[{"urls":["%"]}],"subject":{"digest":"no"}}`, ""},
		{"PUT", "manifests/v1", v1.MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[{"digest":"md5:00"}]}`, ""},
		{"PUT", "manifests/v1", "application/vnd.docker.distribution.manifest.list.v2+json", `{"manifests":[{"platform":[]}]}`, ""},
		{"PUT", "manifests/v1", "application/vnd.docker.distribution.manifest.v2+json", `{"schemaVersion":2,"config":{}}`, ""},
		{"PUT", "manifests/v1", image, "{}", ""},
		{"PUT", "manifests/v1", ";;", "", ""},
		{"PUT", "manifests/v1", "a/b; c", "[]", ""},
		{"PUT", "manifests/sha256:00", image, "{", ""},
		{"GET", "manifests/sha256:xyz", "", "", ""},
		{"GET", "blobs/md5:00", "", "", "bytes=x-y"},
		{"GET", "blobs/sha256:00", "", "", "bytes=9-1"},
		{"POST", "blobs/uploads/?mount=x&from=%2e%2e", "application/x-www-form-urlencoded", "mount=%zz", ""},
		{"POST", "blobs/uploads/?digest=x", "multipart/form-data", "--", ""},
		{"PATCH", "blobs/uploads/0?_state=x", "application/octet-stream", "x", "x-y"},
		{"PUT", "blobs/uploads/0?_state=%00&digest=x", "", "x", "5-1"},
		{"GET", "tags/list?n=99999999999999999999", "", "", ""},
		{"GET", "referrers/sha256:", "", "", ""},
	} {
		f.Add(seed.method, seed.path, seed.contentType, seed.body, seed.value)
	}
	s := newSite(f, "app")
	f.Fuzz(func(t *testing.T, method, path, contentType, body, value string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.host+"/v2/app/"+path, strings.NewReader(body))
		if err != nil {
			return // no request that a client can send
		}
		r.SetBasicAuth("AWS", "open")
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Range", value)
		r.Header.Set("Content-Range", value)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return // no header that a client can send
		}
		answer := read(t, resp)
		if resp.StatusCode >= http.StatusInternalServerError {
			t.Errorf("%s %s: %s %s", method, path, resp.Status, answer)
		}
		if resp.StatusCode >= http.StatusBadRequest && fromGo.MatchString(answer) {
			t.Errorf("%s %s: %s %s", method, path, resp.Status, answer)
		}
	})
}

// Uploads that go wrong midway are refused in the registry's own words.
func TestUploadRefusals(t *testing.T) {
	s := newSite(t, "app")
	begin := func() string {
		resp, _ := s.do("POST", "/v2/app/blobs/uploads/", "")
		return resp.Header.Get("Location")
	}
	for _, c := range []struct {
		name, method, query, body, contentType, contentRange string
		status                                               int
		code                                                 string
	}{
		{"another digest", "PUT", "&digest=" + digestOf("other"), "x", "", "", 400, "DIGEST_INVALID"},
		{"no digest", "PUT", "", "x", "", "", 400, "DIGEST_INVALID"},
		{"not a digest", "PUT", "&digest=sha256:xy", "x", "", "", 400, "DIGEST_INVALID"},
		{"out of order", "PATCH", "", "x", "application/octet-stream", "5-5", 416, "RANGE_INVALID"},
		{"longer than said", "PATCH", "", "xxx", "application/octet-stream", "0-0", 400, "SIZE_INVALID"},
		{"not a range", "PATCH", "", "x", "application/octet-stream", "x", 416, "RANGE_INVALID"},
		{"forged state", "PATCH", "x", "x", "application/octet-stream", "", 404, "BLOB_UPLOAD_INVALID"},
	} {
		resp, body := s.do(c.method, begin()+c.query, c.body, "Content-Type", c.contentType, "Content-Range", c.contentRange)
		if resp.StatusCode != c.status || !strings.Contains(body, `"code":"`+c.code+`"`) || strings.Contains(body, "detail") || fromGo.MatchString(body) {
			t.Errorf("%s: %s %s; want %d %s", c.name, resp.Status, body, c.status, c.code)
		}
	}
}
