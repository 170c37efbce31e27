package registry_test

import (
	"io"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"
)

// An image as a lesson pushes it: three small layers, each new.
func BenchmarkPush(b *testing.B) {
	s := newSite(b, "app")
	for b.Loop() {
		b.StopTimer()
		image, err := random.Image(4096, 3)
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		s.push("app:v1", image)
	}
}

// One large layer, again and again.
func BenchmarkPullLayer(b *testing.B) {
	const size = 64 << 20
	s := newSite(b, "app")
	image, err := random.Image(size, 1)
	if err != nil {
		b.Fatal(err)
	}
	s.push("app:v1", image)
	layers, err := image.Layers()
	if err != nil {
		b.Fatal(err)
	}
	h, err := layers[0].Digest()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size)
	for b.Loop() {
		resp, err := s.get("/v2/app/blobs/" + h.String())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			b.Fatal(err)
		}
		resp.Body.Close()
	}
}
