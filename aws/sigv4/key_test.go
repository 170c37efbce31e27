package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Whoever knows an access key's id has keys derived in any scope: they take little memory.
func TestKeysAreBounded(t *testing.T) {
	v := new(Verifier)
	v.key(keyScope{"secret", "20150830", strings.Repeat("r", 100), strings.Repeat("s", 100)})
	if len(v.mu.keys) != 0 {
		t.Error("a key of a scope that nobody has is remembered")
	}
	for i := range maxKeys + 10 {
		v.key(keyScope{"secret", "20150830", strconv.Itoa(i), "ecs"})
	}
	if n := len(v.mu.keys); n == 0 || n > maxKeys {
		t.Errorf("%d keys are remembered", n)
	}
}

// A signature of version 2 is computed for each bucket that the host may name: there are few.
func TestHostOfManyLabels(t *testing.T) {
	paths := signedPaths(&http.Request{Host: "a.b.example.com:80", URL: &url.URL{Path: "/key"}})
	if want := []string{"/key", "/a/key", "/a.b/key", "/a.b.example/key"}; !slices.Equal(paths, want) {
		t.Errorf("%q, want %q", paths, want)
	}
	paths = signedPaths(&http.Request{Host: strings.Repeat("a.", 30_000), URL: &url.URL{Path: "/"}})
	if len(paths) > maxBucketName {
		t.Errorf("%d paths", len(paths))
	}
}
