package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// entry is a file of a layer: a copy of from, or a link to another path.
type entry struct {
	path string // without a leading slash
	from string
	link string
}

// applets are the commands that busybox is linked as.
var applets = []string{
	"sh", "cat", "cp", "date", "dd", "echo", "env", "false", "grep", "head", "hostname", "id", "ip", "kill", "ls",
	"mkdir", "mount", "nc", "nslookup", "ping", "ps", "rm", "sleep", "stat", "tail", "test", "top", "touch", "true",
	"uname", "vi", "wc", "wget", "yes",
}

func toolsLayer() (v1.Layer, error) {
	entries := []entry{{path: "bin/busybox", from: "/bin/busybox"}, {path: "tmp/"}}
	for _, applet := range applets {
		entries = append(entries, entry{path: "bin/" + applet, link: "busybox"})
	}
	curl, err := withLibraries("/usr/bin/curl")
	if err != nil {
		return nil, err
	}
	return layer(append(entries, curl...))
}

// library matches a line of ldd that names a file.
var library = regexp.MustCompile(`(/\S+) \(0x`)

// withLibraries gives a program of this machine and every library it loads, each
// where the loader looks for it.
func withLibraries(program string) ([]entry, error) {
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return nil, fmt.Errorf("ldd %s: %w", program, err)
	}
	entries := []entry{{path: strings.TrimPrefix(program, "/"), from: program}}
	for _, m := range library.FindAllSubmatch(out, -1) {
		file := string(m[1])
		entries = append(entries, entry{path: strings.TrimPrefix(file, "/"), from: file})
	}
	return entries, nil
}

// layer is a tar of the entries and the directories they are in. It carries no
// times, so that the same content has the same digest.
func layer(entries []entry) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	var directories []string
	for _, e := range entries {
		for dir := path.Dir(strings.TrimSuffix(e.path, "/")); dir != "."; dir = path.Dir(dir) {
			directories = append(directories, dir)
		}
	}
	slices.Sort(directories)
	for _, dir := range slices.Compact(directories) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	for _, e := range entries {
		if err := write(w, e); err != nil {
			return nil, fmt.Errorf("%s: %w", e.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(buf.Bytes())), nil
	})
}

func write(w *tar.Writer, e entry) error {
	switch {
	case strings.HasSuffix(e.path, "/"):
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: e.path, Mode: 0o1777})
	case e.link != "":
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: e.path, Linkname: e.link, Mode: 0o777})
	}
	content, err := os.ReadFile(e.from)
	if err != nil {
		return err
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: e.path, Mode: 0o755, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}
