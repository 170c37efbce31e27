package registry

import "strings"

// route is what the path of a request names.
type route struct {
	kind       string // "manifests", "referrers", "tags", "blobs", "uploads"
	repository string // as the client calls it
	reference  string // a tag, a digest or an upload's id; empty for tags and for new uploads
}

// parseRoute takes a path under /v2/ apart. A repository's name may have
// slashes, and parts that look like ours, so the path is read from its end.
func parseRoute(path string) (route, bool) {
	path, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return route{}, false
	}
	if name, ok := strings.CutSuffix(path, "/tags/list"); ok {
		return route{"tags", name, ""}, name != ""
	}
	head, reference, ok := cutLast(path)
	if !ok {
		return route{}, false
	}
	for _, kind := range []struct{ suffix, kind string }{
		{"/manifests", "manifests"},
		{"/referrers", "referrers"},
		{"/blobs/uploads", "uploads"},
		{"/blobs", "blobs"},
	} {
		name, ok := strings.CutSuffix(head, kind.suffix)
		if !ok || name == "" {
			continue
		}
		if kind.kind == "blobs" && reference == "uploads" { // no slash at the end
			return route{"uploads", name, ""}, true
		}
		return route{kind.kind, name, reference}, reference != "" || kind.kind == "uploads"
	}
	return route{}, false
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}
