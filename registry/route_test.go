package registry

import (
	"strings"
	"testing"
)

func FuzzParseRoute(f *testing.F) {
	for _, path := range []string{
		"/v2/myapp/api/manifests/v1", "/v2/a/tags/list", "/v2/a/blobs/sha256:00", "/v2/a/blobs/uploads/", "/v2/a/blobs/uploads",
		"/v2/a/blobs/uploads/x", "/v2/blobs/uploads/x", "/v2/tags/list", "/v2/a/manifests/", "/v2//manifests/x", "/v3/a/manifests/x",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		to, ok := parseRoute(path)
		if !ok {
			return
		}
		if to.repository == "" || to.kind == "" {
			t.Errorf("%q is %+v", path, to)
		}
		if !strings.HasPrefix(path, "/v2/"+to.repository+"/") || !strings.HasSuffix(path, to.reference) || strings.Contains(to.reference, "/") {
			t.Errorf("%q is not in %+v", path, to)
		}
		if to.reference == "" && to.kind != "tags" && to.kind != "uploads" {
			t.Errorf("%q names no %s", path, to.kind)
		}
	})
}

func TestParseRoute(t *testing.T) {
	for path, want := range map[string]route{
		"/v2/myapp/api/manifests/v1":        {"manifests", "myapp/api", "v1"},
		"/v2/manifests/manifests/manifests": {"manifests", "manifests", "manifests"},
		"/v2/blobs/uploads/blobs/uploads/":  {"uploads", "blobs/uploads", ""},
		"/v2/a/blobs/uploads":               {"uploads", "a", ""},
		"/v2/a/blobs/uploads/id":            {"uploads", "a", "id"},
		"/v2/a/blobs/sha256:00":             {"blobs", "a", "sha256:00"},
		"/v2/tags/list/tags/list":           {"tags", "tags/list", ""},
		"/v2/a/manifests/":                  {},
		"/v2/manifests/v1":                  {},
		"/v2/tags/list":                     {},
		"/v2/a/other/x":                     {},
		"/v2/a/referrers/sha256:00":         {"referrers", "a", "sha256:00"},
	} {
		got, ok := parseRoute(path)
		if ok != (want != route{}) || ok && got != want {
			t.Errorf("%s: %+v, %v; want %+v", path, got, ok, want)
		}
	}
}
