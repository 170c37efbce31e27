package registry_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"

	"fargo/registry"
)

func TestCollectRemovesWhatNoImageLeadsTo(t *testing.T) {
	s := newSite(t, "app", "other")
	shared := randomImage(t)
	layer, err := random.Layer(1024, "application/vnd.docker.image.rootfs.diff.tar.gzip")
	if err != nil {
		t.Fatal(err)
	}
	more, err := mutate.AppendLayers(shared, layer)
	if err != nil {
		t.Fatal(err)
	}
	kept, gone := s.push("app:kept", shared), s.push("app:gone", more)
	s.push("other:v1", shared)
	before := s.blobs()

	s.catalog.forget(home, "app", gone.String())
	if done := s.collect(); done != (registry.Collected{}) {
		t.Errorf("collected within the grace: %+v", done)
	}
	s.age()
	if done := s.collect(); done.Blobs != 3 { // a layer, a configuration, a manifest
		t.Errorf("collected %+v", done)
	}
	if got := s.blobs(); got != before-3 {
		t.Errorf("%d of %d blobs are left", got, before)
	}
	s.mustPull("app:kept", kept)
	s.mustPull("other:v1", kept)
	if done := s.collect(); done != (registry.Collected{}) {
		t.Errorf("the second time: %+v", done)
	}

	s.catalog.forget(home, "app", kept.String())
	s.collect()
	s.mustPull("other:v1", kept) // the other repository still leads to it
	s.push("app:gone", more)
	s.mustPull("app:gone", gone)
}

func TestCollectKeepsIndexes(t *testing.T) {
	s := newSite(t, "multi")
	index, err := random.Index(1024, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(s.ref("multi:v1"), index, asAnn); err != nil {
		t.Fatal(err)
	}
	s.age()
	if done := s.collect(); done != (registry.Collected{}) {
		t.Errorf("collected %+v", done)
	}
}

// A push that found a layer there must find it there with its manifest too,
// however old the layer is.
func TestCollectSparesPushInProgress(t *testing.T) {
	s := newSite(t, "app")
	image := randomImage(t)
	h := s.push("app:v1", image)
	s.catalog.forget(home, "app", h.String())
	s.age()
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range append(manifest.Layers, manifest.Config) {
		if resp, _ := s.do("HEAD", "/v2/app/blobs/"+l.Digest.String(), ""); resp.StatusCode != http.StatusOK {
			t.Fatal(resp.Status)
		}
	}
	s.collect()
	text, err := image.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	if resp, body := s.do("PUT", "/v2/app/manifests/v1", string(text), "Content-Type", string(manifest.MediaType)); resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status, body)
	}
	s.mustPull("app:v1", h)
}

func TestCollectRemovesAbandonedUploads(t *testing.T) {
	s := newSite(t, "app")
	old, _ := s.do("POST", "/v2/app/blobs/uploads/", "")
	s.do("PATCH", old.Header.Get("Location"), "never finished")
	s.age()
	young, _ := s.do("POST", "/v2/app/blobs/uploads/", "")
	if done := s.collect(); done.Uploads != 1 {
		t.Errorf("collected %+v", done)
	}
	if resp, _ := s.do("PUT", old.Header.Get("Location")+"&digest="+digest.FromString("x").String(), "x"); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the old upload: %s", resp.Status)
	}
	if resp, body := s.do("PUT", young.Header.Get("Location")+"&digest="+digest.FromString("x").String(), "x"); resp.StatusCode != http.StatusCreated {
		t.Errorf("the young upload: %s %s", resp.Status, body)
	}
}

func TestCollectRefusesToGuess(t *testing.T) {
	s := newSite(t, "app")
	h := s.push("app:v1", randomImage(t))
	s.push("app:v2", randomImage(t))
	s.age()
	if err := os.Remove(filepath.Join(s.dir, "registry/docker/registry/v2/blobs/sha256", h.Hex[:2], h.Hex, "data")); err != nil {
		t.Fatal(err)
	}
	before := s.blobs()
	if done, err := s.storage.Collect(t.Context(), s.catalog.AllImages()); err == nil || done != (registry.Collected{}) {
		t.Errorf("collected %+v, %v", done, err)
	}
	if s.blobs() != before {
		t.Error("blobs were removed")
	}
}
