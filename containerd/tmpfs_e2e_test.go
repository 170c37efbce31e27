//go:build e2e

package containerd_test

import (
	"strings"
	"testing"

	"fargo/desired"
)

// A tmpfs is a mount of its own with the options asked for, over the usual ones, and
// may be where another was.
func TestTmpfsIsMounted(t *testing.T) {
	s := spec(t, "read", "/proc/mounts")
	s.Tmpfs = []desired.Tmpfs{
		{Path: "/scratch", Size: 64, Options: []string{"exec", "mode=700", "uid=1000"}},
		{Path: "/dev/shm", Size: 128},
		{Path: "/sealed", Size: 1, Options: []string{"ro"}},
	}
	start(t, s)
	ended(t, s.ID)
	last := map[string]string{} // by path, what was mounted there last
	for line := range strings.Lines(ready(t, s, "/sealed")) {
		if f := strings.Fields(line); len(f) > 3 {
			last[f[1]] = f[2] + " " + f[3] + ","
		}
	}
	for path, want := range map[string][]string{
		"/scratch": {"tmpfs rw,", "nosuid,", "nodev,", "size=65536k,", "mode=700,", "uid=1000,"},
		"/dev/shm": {"tmpfs rw,", "nosuid,", "nodev,", "noexec,", "size=131072k,"},
		"/sealed":  {"tmpfs ro,", "size=1024k,"},
	} {
		for _, w := range want {
			if !strings.Contains(last[path], w) {
				t.Errorf("%s has no %q: %s", path, w, last[path])
			}
		}
	}
	if strings.Contains(last["/scratch"], "noexec") {
		t.Errorf("/scratch: %s", last["/scratch"])
	}
}

// What is in a tmpfs counts as the container's memory.
func TestTmpfsIsCounted(t *testing.T) {
	s := spec(t, "fill", "/scratch/file", "32")
	s.Tmpfs = []desired.Tmpfs{{Path: "/scratch", Size: 64}}
	s.Memory = 128
	start(t, s)
	ready(t, s, "filled")
	used, err := tests.runtime.Usage(t.Context(), s.ID)
	if err != nil || used.Memory < 32<<20 || used.Memory > 128<<20 {
		t.Errorf("%+v, %v", used, err)
	}
}

func TestTmpfsCannotHoldMoreThanTheMemory(t *testing.T) {
	s := spec(t, "fill", "/scratch/file", "48")
	s.Tmpfs = []desired.Tmpfs{{Path: "/scratch", Size: 64}}
	s.Memory = 32
	start(t, s)
	if state := ended(t, s.ID); state.ExitCode != 137 || !state.OOMKilled {
		t.Errorf("%+v", state)
	}
}

func TestTmpfsCannotHoldMoreThanItsSize(t *testing.T) {
	s := spec(t, "fill", "/scratch/file", "3")
	s.Tmpfs = []desired.Tmpfs{{Path: "/scratch", Size: 2, Options: []string{"nr_blocks=1g"}}}
	start(t, s)
	if state := ended(t, s.ID); state.ExitCode != 1 {
		t.Errorf("%+v", state)
	}
	ready(t, s, "no space left on device")
}
