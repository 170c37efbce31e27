package containerd

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// A server that answers without end, or in an encoding of its own, is given up,
// also behind a redirect; only layers are as large as they are.
func TestAnswersAreBounded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("accepts %q", r.Header.Get("Accept-Encoding"))
		}
		switch {
		case strings.HasSuffix(r.URL.Path, "/moved"):
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case r.URL.Path == "/zipped":
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			_, _ = io.Copy(zip, strings.NewReader("text"))
			zip.Close()
		default:
			_, _ = io.CopyN(w, endless{}, maxDocument+1)
		}
	}))
	defer server.Close()
	client := http.Client{Transport: bounded{http.DefaultTransport}}
	for path, fits := range map[string]bool{
		"/v2/app/manifests/latest": false, "/v2/app/manifests/moved": false, "/token": false, "/zipped": false,
		"/v2/app/blobs/sha256:1": true, "/v2/app/blobs/moved": true,
	} {
		response, err := client.Get(server.URL + path)
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
		}
		if (err == nil) != fits || err != nil && !refused(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// Whatever images hold, the memory that they are remembered in is bounded.
func TestImageCacheIsBounded(t *testing.T) {
	var cache imageCache
	large := &image{passwd: make([]byte, maxAccounts), group: make([]byte, maxAccounts)}
	most := 0
	for i := range 100 {
		of := digest.FromString(fmt.Sprint(i))
		cache.put(of, large)
		if cache.get(of) != large {
			t.Fatal("not kept")
		}
		most = max(most, len(cache.mu.images))
	}
	if want := maxImageCache / large.size(); most != want {
		t.Errorf("kept %d, want %d", most, want)
	}
}
