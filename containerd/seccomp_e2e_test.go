//go:build e2e

package containerd_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"fargo/host"
)

// A container may do what Docker's would let it, whether its program is for 64
// bits or for 32.
func TestSystemCallFilter(t *testing.T) {
	const want = "getpid: \nsocket AF_UNIX: \nsocket AF_ALG: EPERM\npersonality 0: \npersonality 1: EPERM\n" +
		"add_key: EPERM\nclone3: ENOSYS\nunknown: ENOSYS\ntried\n"
	for _, arch := range []string{"amd64", "386"} {
		t.Run(arch, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "app")
			build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, "./testdata/app")
			build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOARCH="+arch)
			if output, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			if !runsHere(t, program) {
				t.Skip("this machine runs no programs of " + arch)
			}
			s := spec(t)
			s.EntryPoint, s.Command = []string{"/tried"}, []string{"filtered"}
			s.Mounts = []host.Mount{{Source: program, Target: "/tried", ReadOnly: true}}
			start(t, s)
			if got := ready(t, s, "tried"); got != want {
				t.Errorf("%s\nwant\n%s", got, want)
			}
		})
	}
}

// runsHere reports whether the machine runs programs as this one: some run none of 32 bits.
func runsHere(t *testing.T, program string) bool {
	t.Helper()
	c := exec.Command(program)
	err := c.Start()
	if errors.Is(err, unix.ENOEXEC) {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Process.Kill() // it may have ended
	_ = c.Wait()         // and how does not matter
	return true
}
