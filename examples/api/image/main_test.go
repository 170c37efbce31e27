package main

import (
	"archive/tar"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// inputs are a service and a busybox that knows two names.
func inputs(t *testing.T) (binary, busybox string) {
	dir := t.TempDir()
	binary, busybox = filepath.Join(dir, "api"), filepath.Join(dir, "busybox")
	if err := os.WriteFile(binary, []byte("the service"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(busybox, []byte("#!/bin/sh\necho busybox; echo cat; echo sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return binary, busybox
}

func buildTest(t *testing.T) v1.Image {
	t.Helper()
	image, err := build(inputs(t))
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func names(t *testing.T, r io.Reader) (names []string) {
	t.Helper()
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		name := h.Name
		if h.Linkname != "" {
			name += " -> " + h.Linkname
		}
		names = append(names, name)
	}
}

func TestImage(t *testing.T) {
	image := buildTest(t)
	files := names(t, mutate.Extract(image))
	slices.Sort(files)
	want := []string{
		"api", "bin", "bin/busybox", "bin/cat -> busybox", "bin/sh -> busybox", "etc", "etc/group", "etc/passwd",
		"root", "tmp", "usr", "usr/bin", "usr/bin/curl -> /api",
	}
	if diff := cmp.Diff(want, files); diff != "" {
		t.Error(diff)
	}
	first, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if second, err := buildTest(t).Digest(); err != nil || first != second {
		t.Errorf("built twice: %v and %v, %v", first, second, err)
	}
}

func TestPush(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	t.Setenv("ECR_PASSWORD", "secret")
	if err := push(strings.TrimPrefix(server.URL, "http://")+"/myapp/api:v1.3.0", false, buildTest(t)); err != nil {
		t.Error(err)
	}
}

func TestArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "build", "image.tar")
	if err := archive(path, "myapp/api:v1.3.0", buildTest(t)); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files := names(t, f)
	if len(files) != 6 || !slices.Contains(files, "index.json") || !slices.Contains(files, "oci-layout") { // and four blobs
		t.Errorf("the archive has %v", files)
	}
}
