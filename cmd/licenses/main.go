package main

import (
	"bytes"
	"fmt"
	"log"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// What is written, below the root of the repository.
const (
	tablePath = "docs/licenses.md"
	textsPath = "docs/licenses.txt"
)

// component is a third-party module, or the standard library.
type component struct {
	path, version string
	programs      []string // it is in
	files         map[string]licenseFile
}

func main() {
	log.SetFlags(0)
	if err := run("."); err != nil {
		log.Fatal("licenses: ", err)
	}
}

func run(root string) error {
	components, err := collect(root)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, tablePath), table(components), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, textsPath), texts(components), 0o644)
}

// collect finds the components of all programs, sorted by path and version.
func collect(root string) ([]*component, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	found := map[string]*component{}
	for _, p := range programs {
		for _, arch := range architectures {
			packages, err := p.dependencies(root, arch)
			if err != nil {
				return nil, err
			}
			for _, one := range packages {
				if one.Module == nil || one.Module.Main {
					continue
				}
				key := one.Module.Path + " " + one.Module.Version
				if found[key] == nil {
					found[key] = &component{path: one.Module.Path, version: one.Module.Version, files: map[string]licenseFile{}}
				}
				if err := found[key].add(p.name, one); err != nil {
					return nil, err
				}
			}
		}
	}
	for key, c := range found {
		if !c.licensed() {
			return nil, fmt.Errorf("%s: no licence came with it", key)
		}
	}
	sorted := slices.Collect(maps.Values(found))
	slices.SortFunc(sorted, func(a, b *component) int {
		return strings.Compare(a.path+" "+a.version, b.path+" "+b.version)
	})
	return sorted, nil
}

// add notes that a program has a package of c, with the licence files that are in
// the package's directory and those above it.
func (c *component) add(program string, one listed) error {
	if !slices.Contains(c.programs, program) {
		c.programs = append(c.programs, program)
	}
	for dir := one.Dir; ; dir = filepath.Dir(dir) {
		files, err := licensesIn(one.Module.Dir, dir)
		if err != nil {
			return err
		}
		for _, f := range files {
			c.files[f.name] = f
		}
		if dir == one.Module.Dir {
			return nil
		}
	}
}

func (c *component) licensed() bool {
	for _, f := range c.files {
		if f.spdx != "notice" {
			return true
		}
	}
	return false
}

const head = `# Licences of what is inside the binary

Written by ` + "`make generate`" + `. Fargo itself is under the Apache License 2.0
([LICENSE](../LICENSE)); this is what others wrote. The texts, by the beginning of
their SHA-256, are in [licenses.txt](licenses.txt). The last column names the programs
inside the binary that a Go module is part of, on amd64 or on arm64.

Besides these modules there are inside:

| what | where | licence |
|---|---|---|
| the standard library and the runtime of Go | all programs | BSD-3-Clause, as for golang.org/x/sys |
| the GNU C Library of the machine that builds, linked statically | runc | LGPL-2.1-or-later |
| the C library libseccomp of the machine that builds, linked statically, on arm64 only | runc | LGPL-2.1-only |
| botocore's models of the AWS APIs, of which the packages in ` + "`aws`" + ` are made | fargo | Apache-2.0 |

On amd64 ` + "`containerd/carried/libseccomp`" + `, which is Fargo's own, takes the place of
` + "`github.com/seccomp/libseccomp-golang`" + `. The table of system calls in it is made from
` + "`golang.org/x/sys`" + `.

| module | version | file | licence (a guess by its text) | text | in |
|---|---|---|---|---|---|
`

// table writes docs/licenses.md.
func table(components []*component) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	for _, c := range components {
		for _, name := range slices.Sorted(maps.Keys(c.files)) {
			f := c.files[name]
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n",
				c.path, c.version, f.name, f.spdx, f.digest, strings.Join(c.programs, ", "))
		}
	}
	return b.Bytes()
}

// texts writes docs/licenses.txt: each text once, under its digest.
func texts(components []*component) []byte {
	byDigest := map[string]string{}
	for _, c := range components {
		for _, f := range c.files {
			byDigest[f.digest] = f.text
		}
	}
	var b bytes.Buffer
	for _, digest := range slices.Sorted(maps.Keys(byDigest)) {
		fmt.Fprintf(&b, "======== %s\n\n%s\n", digest, strings.TrimRight(byDigest[digest], "\n")+"\n")
	}
	return b.Bytes()
}
