package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is one executable that is inside the fargo binary, or is it.
type program struct {
	name     string
	dir      string // where it is built, below the root of the repository
	packages string // the argument of go build
	tags     string // as go build gets them
	cgo      string // CGO_ENABLED
}

// programs are what Makefile and containerd/carried/build build. The tag
// "carried", with which fargo itself is built, is left out: it adds no module, and
// needs the others to be built first.
var programs = []program{
	{name: "fargo", dir: ".", packages: "./cmd/fargo", cgo: "0"},
	{name: "init", dir: "containerd/carried", packages: "../init", cgo: "0"},
	{name: "containerd", dir: pins, packages: "./containerd", tags: "no_systemd no_rdt", cgo: "0"},
	{name: "containerd-shim-runc-v2", dir: pins, packages: "./shim", cgo: "0"},
	{name: "runc", dir: pins, packages: "github.com/opencontainers/runc", tags: "seccomp netgo osusergo urfave_cli_no_docs", cgo: "1"},
}

const pins = "containerd/carried/pins"

// architectures are those that Fargo is built for. The list has the modules of
// all of them, so that it is the same wherever it is made.
var architectures = []string{"amd64", "arm64"}

// module is what `go list -json` says of a module.
type module struct {
	Path    string
	Version string
	Dir     string
	Main    bool
}

// listed is what `go list -json` says of a package.
type listed struct {
	Dir    string
	Module *module // nil in the standard library
}

// dependencies lists the packages that p consists of on an architecture.
func (p program) dependencies(root, arch string) ([]listed, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Module", "-tags", p.tags, p.packages)
	cmd.Dir = filepath.Join(root, p.dir)
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOOS=linux", "GOARCH="+arch, "CGO_ENABLED="+p.cgo)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the packages of %s: %w: %s", p.name, err, strings.TrimSpace(stderr.String()))
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var one listed
		if err := d.Decode(&one); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading what go list says of %s: %w", p.name, err)
		}
		all = append(all, one)
	}
}
