package containerd

import (
	"testing"

	"github.com/containerd/errdefs"
	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func TestForThisPlatform(t *testing.T) {
	here := platforms.DefaultSpec()
	there := ocispec.Platform{OS: "plan9", Architecture: "vax"}
	// What image builders add beside each manifest.
	attestation := ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	manifest := func(name string, p *ocispec.Platform) ocispec.Descriptor {
		return ocispec.Descriptor{MediaType: name, Platform: p}
	}
	for _, c := range []struct {
		name      string
		manifests []ocispec.Descriptor
		want      string
	}{
		{"the only one", []ocispec.Descriptor{manifest("a", &here)}, "a"},
		{"among others", []ocispec.Descriptor{manifest("a", &there), manifest("b", &here), manifest("c", &attestation)}, "b"},
		{"better than silence", []ocispec.Descriptor{manifest("a", nil), manifest("b", &here)}, "b"},
		{"silence", []ocispec.Descriptor{manifest("a", nil), manifest("b", &there)}, "a"},
	} {
		if got, err := forThisPlatform(c.manifests); err != nil || got.MediaType != c.want {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
	if _, err := forThisPlatform([]ocispec.Descriptor{manifest("a", &there)}); !errdefs.IsNotFound(err) {
		t.Errorf("error = %v", err)
	}
}
