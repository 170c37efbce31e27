//go:build e2e

package containerd_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fargo/containerd"
	"fargo/containerd/carried"
	"fargo/host"
	"fargo/secret"
)

// TestSecretsOfAContainer holds that a container and what is run in it have its secrets,
// and that nothing else has: neither containerd's data nor runc's, no bundle and no
// command line. Only the files of root's own in MemoryDir have, while the container is
// there.
func TestSecretsOfAContainer(t *testing.T) {
	const value = "hunter2-\"correct\"\nhorse-of-a-container"
	s := spec(t, "read", "/proc/self/environ")
	s.Environment = []string{"PASSWORD=not secret", "PLAIN=1"}
	s.SecretEnvironment = []host.SecretVariable{{Name: "PASSWORD", Value: secret.New(value)}}
	start(t, s)
	ended(t, s.ID)
	if got := ready(t, s, "PLAIN=1\x00"); !strings.Contains(got, "PASSWORD="+value+"\x00") || strings.Contains(got, "not secret") {
		t.Errorf("the container's environment: %s", got)
	}
	idle := spec(t, "idle")
	idle.ID, idle.CgroupPath = idle.ID+"-exec", idle.CgroupPath+"-exec"
	idle.SecretEnvironment = s.SecretEnvironment
	start(t, idle)
	var out bytes.Buffer
	code, err := tests.runtime.Exec(t.Context(), idle.ID, host.ExecSpec{Args: []string{"/app", "read", "/proc/self/environ"}, Stdout: &out})
	if err != nil || code != 0 || !strings.Contains(out.String(), "PASSWORD="+value+"\x00") {
		t.Errorf("%d, %v, in the environment of a process in the container: %s", code, err, &out)
	}
	want := []string{filepath.Join(tests.config.MemoryDir, "environment", idle.ID), filepath.Join(tests.config.MemoryDir, "environment", s.ID)}
	slices.Sort(want)
	if got := filesWith(t, "of-a-container"); !slices.Equal(got, want) {
		t.Errorf("files with the secret: %q, want %q", got, want)
	}
	for _, id := range []string{s.ID, idle.ID} {
		if err := tests.runtime.Remove(context.Background(), id); err != nil {
			t.Fatal(err)
		}
	}
	if got := filesWith(t, "of-a-container"); len(got) > 0 {
		t.Errorf("afterwards: %q", got)
	}
}

// filesWith are the files of the daemon, of the runtime and of all processes' command
// lines that have a text in them, but for logs of the containers.
func filesWith(t *testing.T, text string) (found []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	visit := func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // gone meanwhile, or nothing to read
		}
		content, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(content, []byte(text)) {
			return nil
		}
		found = append(found, path)
		if info, err := d.Info(); err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return nil
	}
	for _, root := range append(lines, tests.daemon.StateDir, tests.daemon.RootDir, tests.config.MemoryDir) {
		if err := filepath.WalkDir(root, visit); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(found)
	return found
}

// A runtime whose shim would not add them refuses containers with secrets, in clear
// words without the values.
func TestSecretsThatNobodyWouldAdd(t *testing.T) {
	s := spec(t, "env")
	refused := func(why string, binaries carried.Binaries, v host.SecretVariable) {
		t.Helper()
		config := tests.config
		config.Binaries = binaries
		other, err := containerd.New(config)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		s.SecretEnvironment = []host.SecretVariable{v}
		var own *containerd.Error
		if err := other.Create(t.Context(), s); !errors.As(err, &own) || own.Kind != containerd.CannotCreate || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", v, err)
		}
	}
	password := host.SecretVariable{Name: "PASSWORD", Value: secret.New("hunter2")}
	users := tests.config.Binaries
	users.Shim = ""
	refused("need the containerd that Fargo carries", users, password)
	found := tests.config.Binaries
	found.Environment = false
	refused("need the containerd that Fargo carries", found, password)
	refused("contains a NUL", tests.config.Binaries, host.SecretVariable{Name: "PASSWORD", Value: secret.New("hunter2\x00")})
	refused("cannot be the name", tests.config.Binaries, host.SecretVariable{Name: "A=B", Value: secret.New("hunter2")})
	refused("cannot be the name", tests.config.Binaries, host.SecretVariable{Value: secret.New("hunter2")})
}
