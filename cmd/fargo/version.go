package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"runtime"
)

// version is set by the linker: the tag or commit that was built.
var version = "devel"

// versionCommand prints what was built.
type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(std *stdio) error {
	_, err := fmt.Fprintf(std.out, "fargo %s %s/%s %s\n", version, runtime.GOOS, runtime.GOARCH, runtime.Version())
	return err
}

// buildID identifies the build of this binary: the Go build id, a hash of its inputs.
// A control plane replaces a node of another build.
func buildID() (string, error) {
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		return "", err
	}
	defer f.Close()
	section := f.Section(".note.go.buildid")
	if section == nil {
		return "", errors.New("this binary has no Go build id")
	}
	// An ELF note: three words of sizes and type, the name "Go\0\0", the id.
	note, err := section.Data()
	if err != nil {
		return "", err
	}
	const header = 16
	if len(note) < header {
		return "", errors.New("this binary's Go build id is cut short")
	}
	return string(note[header:]), nil
}
