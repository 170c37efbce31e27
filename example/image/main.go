// Command image builds the image of the example service, as `docker save` would
// write it, without Docker: the service, a shell (busybox) and curl, which the
// health checks of most task definitions call. It knows what goes into the
// image and where Debian keeps it, and refuses to know any registry.
package main

import (
	"flag"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func main() {
	log.SetFlags(0)
	out := flag.String("o", "example-image.tar", "the `file` to write")
	tag := flag.String("t", "example:latest", "the `tag` inside it")
	flag.Parse()
	if err := build(*out, *tag); err != nil {
		log.Fatal(err)
	}
}

func build(out, tag string) error {
	ref, err := name.NewTag(tag)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "example-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	service := filepath.Join(dir, "service")
	compile := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", service, "fargo/example/service")
	compile.Env = append(os.Environ(), "CGO_ENABLED=0")
	compile.Stderr = os.Stderr
	if err := compile.Run(); err != nil {
		return err
	}
	img, err := image(service)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return tarball.WriteToFile(out, ref, img)
}

// image has the tools below and the service on top, so that a new service
// leaves the larger layer as it is.
func image(service string) (v1.Image, error) {
	tools, err := toolsLayer()
	if err != nil {
		return nil, err
	}
	own, err := layer([]entry{{path: "service", from: service}})
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, tools, own)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{
		Cmd:          []string{"/service"},
		Env:          []string{"PATH=/usr/bin:/bin"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
	}
	return mutate.ConfigFile(img, config)
}
