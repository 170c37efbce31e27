package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// Every module that is inside the binary is in the list, in the version and with
// the licences that it has there.
func TestListIsCurrent(t *testing.T) {
	components, err := collect(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]byte{tablePath: table(components), textsPath: texts(components)} {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(got, want) {
			continue
		}
		t.Errorf("%s is stale: run make generate", path)
		for line := range strings.Lines(string(want)) {
			if !bytes.Contains(got, []byte(line)) && strings.HasPrefix(line, "| ") {
				t.Logf("not listed: %s", line)
			}
		}
	}
}

// Programs are listed with the tags that they are built with.
func TestProgramsAreThoseOfTheMakefile(t *testing.T) {
	build := regexp.MustCompile(`(?m)^\t*(?:CGO_ENABLED=(\d) )go build (?:.*\\\n)?.*$`)
	var commands []string
	for _, path := range []string{"Makefile", "containerd/carried/build"} {
		b, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range build.FindAllString(string(b), -1) {
			if !strings.Contains(command, "./examples/") {
				commands = append(commands, strings.TrimSpace(command))
			}
		}
	}
	if len(commands) != len(programs) {
		t.Errorf("%d programs are built, and %d listed: %q", len(commands), len(programs), commands)
	}
	for _, p := range programs {
		if !built(p, commands) {
			t.Errorf("%s is not built so: CGO_ENABLED=%s, tags %q, of %s", p.name, p.cgo, p.tags, p.packages)
		}
	}
}

func built(p program, commands []string) bool {
	for _, command := range commands {
		_, packages, _ := strings.Cut(command, "/"+p.name+`" `)
		if p.name == "fargo" {
			_, packages, _ = strings.Cut(command, "-o bin/fargo ")
		}
		if packages != p.packages {
			continue
		}
		tags := p.tags == "" || strings.Contains(command, "-tags '"+p.tags+"'")
		return tags && strings.HasPrefix(command, "CGO_ENABLED="+p.cgo+" ")
	}
	return false
}

func TestLicencesAreRecognized(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"  Apache License\n   Version 2.0, January 2004\n", "Apache-2.0"},
		{"Redistribution and use in source and binary\nforms, with", "BSD-2-Clause"},
		{"Redistribution and use in source and binary forms … to endorse or promote products", "BSD-3-Clause"},
		{"Mozilla Public License, version 2.0", "MPL-2.0"},
		{"All rights reserved.", ""},
	} {
		if got := spdx(c.text); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// A module whose terms nobody has read stops the generator.
func TestUnknownLicenceIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("All rights reserved."), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := licensesIn(dir, dir); err == nil {
		t.Error("it is taken for a licence that is known")
	}
}
