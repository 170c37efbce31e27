package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// build makes the image: the tools below and the service on top, so that a new
// version leaves the larger layer as it is.
func build(binary, busybox string) (v1.Image, error) {
	tools, err := tools(busybox)
	if err != nil {
		return nil, err
	}
	service, err := service(binary)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, tools, service); err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Created = v1.Time{Time: time.Unix(0, 0).UTC()}
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config = v1.Config{
		Entrypoint:   []string{"/api"},
		Env:          []string{"PATH=/usr/bin:/bin", "PORT=8080"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}},
		WorkingDir:   "/",
	}
	return mutate.ConfigFile(image, config)
}

// tools is a layer with a shell and what belongs to it. busybox itself knows
// the names it goes by.
func tools(busybox string) (v1.Layer, error) {
	names, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its tools: %w", busybox, err)
	}
	files := []file{
		{path: "bin/busybox", from: busybox},
		{path: "etc/passwd", content: "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n"},
		{path: "etc/group", content: "root:x:0:\nnogroup:x:65534:\n"},
		{path: "root/"},
		{path: "tmp/"},
	}
	for _, tool := range strings.Fields(string(names)) {
		if tool != "busybox" {
			files = append(files, file{path: "bin/" + tool, link: "busybox"})
		}
	}
	return layer(files)
}

// service is a layer with the service, which is also curl when called so.
func service(binary string) (v1.Layer, error) {
	return layer([]file{{path: "api", from: binary}, {path: "usr/bin/curl", link: "/api"}})
}

// file is a file of a layer: a copy of another, a text, a link, or, with a
// slash at the end of its path, a directory.
type file struct{ path, from, content, link string }

// layer makes a layer of files and the directories that lead to them.
func layer(files []file) (v1.Layer, error) {
	for _, f := range files {
		for dir := path.Dir(strings.TrimSuffix(f.path, "/")); dir != "."; dir = path.Dir(dir) {
			files = append(files, file{path: dir + "/"})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	files = slices.CompactFunc(files, func(a, b file) bool { return a.path == b.path })
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		if err := f.write(w); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}

func (f *file) write(w *tar.Writer) error {
	mode, content := int64(0o644), []byte(f.content)
	switch {
	case f.path == "tmp/":
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: f.path, Mode: 0o1777})
	case strings.HasSuffix(f.path, "/"):
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: f.path, Mode: 0o755})
	case f.link != "":
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: f.path, Linkname: f.link, Mode: 0o777})
	case f.from != "":
		var err error
		if content, err = os.ReadFile(f.from); err != nil {
			return err
		}
		mode = 0o755
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: mode, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}
