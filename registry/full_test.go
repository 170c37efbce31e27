package registry_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"fargo"
	"fargo/registry"
)

// Without room nothing can be pushed, which clients are told as what it is, also in
// the middle of a layer; what is there can be pulled, although that cannot be noted;
// and with room again all goes on. The cause is logged once.
func TestFullDisk(t *testing.T) {
	var said bytes.Buffer
	var space atomic.Int64
	space.Store(1 << 40)
	logger := slog.New(slog.NewTextHandler(&said, nil))
	dir, c := t.TempDir(), newCatalog("app")
	storage, err := registry.OpenStorage(t.Context(), registry.StorageConfig{
		Dir: filepath.Join(dir, "registry"), Grace: time.Hour, Logger: logger,
		Free: func() (uint64, error) { return uint64(space.Load()), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registry.New(t.Context(), registry.Config{Storage: storage, Catalog: c, Secret: []byte("secret"), Logger: logger}))
	t.Cleanup(server.Close)
	s := &site{t, dir, c, storage, strings.TrimPrefix(server.URL, "http://")}
	first := s.push("app:v1", randomImage(t))
	resp, _ := s.do("POST", "/v2/app/blobs/uploads/", "")
	begun := resp.Header.Get("Location")

	space.Store(1 << 20)
	c.failPulls(fargo.ErrNotWritable)
	for range 3 {
		err = remote.Write(s.ref("app:v2"), randomImage(t), asAnn, remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
		var refused *transport.Error
		if !errors.As(err, &refused) || refused.StatusCode != http.StatusServiceUnavailable || !strings.Contains(err.Error(), "no room on the disk for images") {
			t.Errorf("push without room: %v", err)
		}
	}
	for _, request := range [][2]string{{"PATCH", begun}, {"PUT", "/v2/app/manifests/v3"}, {"POST", "/v2/app/blobs/uploads/"}} {
		manifest := `{"schemaVersion":2,"config":{"digest":"sha256:` + strings.Repeat("0", 64) + `","size":1,"mediaType":"application/vnd.oci.image.config.v1+json"},"layers":[]}`
		resp, body := s.do(request[0], request[1], manifest, "Content-Type", "application/vnd.oci.image.manifest.v1+json")
		if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, `"code":"UNAVAILABLE"`) {
			t.Errorf("%s without room: %s %s", request[0], resp.Status, body)
		}
	}
	s.mustPull("app:v1", first)
	c.failPulls(nil)

	// The space goes while a layer comes in.
	space.Store(1 << 40)
	source, sink := io.Pipe()
	go func() {
		for i := range 4 {
			if i == 2 {
				space.Store(1 << 20)
			}
			if _, err := sink.Write(make([]byte, 3<<20)); err != nil {
				return
			}
		}
		sink.Close()
	}()
	r, err := http.NewRequestWithContext(t.Context(), "PATCH", "http://"+s.host+begun, source)
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("AWS", "open")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "no room on the disk") {
		t.Errorf("in the middle of a layer: %s %s", answer.Status, body)
	}

	space.Store(1 << 40)
	s.mustPull("app:v4", s.push("app:v4", randomImage(t)))
	if n := strings.Count(said.String(), "level=ERROR"); n != 2 {
		t.Errorf("the disk was full twice, and %d errors were logged:\n%s", n, said.String())
	}
}
