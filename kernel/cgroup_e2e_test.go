//go:build e2e

package kernel

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"fargo"
)

func newTestCgroups(t testing.TB, instance string) *Cgroups {
	t.Helper()
	c, err := NewCgroups(Config{Instance: instance})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Purge(context.Background()); err != nil {
			t.Error(err)
		}
		for _, h := range c.hierarchies {
			if _, err := os.Stat(c.dir(h, "")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is left: %v", c.dir(h, ""), err)
			}
		}
	})
	return c
}

// inGroup runs a command inside the container group of a task, in every
// hierarchy, as a runtime would.
func inGroup(t *testing.T, c *Cgroups, task string, args ...string) *exec.Cmd {
	t.Helper()
	path := c.Path(task, "container")
	// It waits for its standard input before it becomes the command.
	cmd := exec.Command("sh", append([]string{"-c", `read go; exec "$@"`, "sh"}, args...)...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for _, h := range c.hierarchies {
		if h.has("cpuset") && !h.unified {
			continue // wants its cores set first, which is the runtime's affair
		}
		dir := filepath.Join(h.mount, path)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := writeFile(dir, "cgroup.procs", strconv.Itoa(cmd.Process.Pid)); err != nil {
			t.Fatal(err)
		}
	}
	stdin.Write([]byte("go\n"))
	return cmd
}

func TestCgroupLimitsAndUsage(t *testing.T) {
	c := newTestCgroups(t, "c001")
	task := fargo.TaskCgroup{TaskID: "t1", CPU: 256, Memory: 64}
	if err := c.Set(t.Context(), []fargo.TaskCgroup{task}); err != nil {
		t.Fatal(err)
	}
	cpu, _ := with(c.hierarchies, "cpu")
	memory, _ := with(c.hierarchies, "memory")
	for _, s := range append(cpu.limits(task), memory.limits(task)...) {
		for _, h := range []hierarchy{cpu, memory} {
			if got, err := os.ReadFile(filepath.Join(c.dir(h, "t1"), s.file)); err == nil && s.value != "-1" && string(got) != s.value+"\n" {
				t.Errorf("%s: got %q, want %q", s.file, got, s.value)
			}
		}
	}

	// Memory beyond the limit kills.
	if err := inGroup(t, c, "t1", "dd", "if=/dev/zero", "of=/dev/null", "bs=200M", "count=1").Wait(); err == nil {
		t.Error("200 MiB fit into 64")
	}

	inGroup(t, c, "t1", "sh", "-c", "while :; do :; done")
	deadline := time.Now().Add(longer)
	for {
		u, err := c.Usage("t1")
		if err != nil {
			t.Fatal(err)
		}
		if u.CPU > 100*time.Millisecond && u.Memory > 0 && u.Memory <= 64<<20 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("usage stays at %+v", u)
		}
	}
	if _, err := c.Usage("t2"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("usage of no task: %v", err)
	}

	// Limits may change while processes run, up and down.
	for _, task := range []fargo.TaskCgroup{
		{TaskID: "t1", CPU: 512, Memory: 128}, {TaskID: "t1", CPU: 256, Memory: 32}, {TaskID: "t1"},
	} {
		if err := c.Set(t.Context(), []fargo.TaskCgroup{task}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCgroupsAreRemovedWhenEmpty(t *testing.T) {
	c := newTestCgroups(t, "c002")
	if err := c.Set(t.Context(), []fargo.TaskCgroup{{TaskID: "t1"}, {TaskID: "t2"}}); err != nil {
		t.Fatal(err)
	}
	sleeper := inGroup(t, c, "t1", "sleep", "600")

	// A new process finds what the old one left.
	c, err := NewCgroups(c.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Set(t.Context(), []fargo.TaskCgroup{{TaskID: "t3"}}); !errors.Is(err, ErrBusy) {
		t.Errorf("with a process inside: %v, want ErrBusy", err)
	}
	memory, _ := with(c.hierarchies, "memory")
	for id, want := range map[string]bool{"t1": true, "t2": false, "t3": true} {
		if _, err := os.Stat(c.dir(memory, id)); (err == nil) != want {
			t.Errorf("group of %s: %v", id, err)
		}
	}

	sleeper.Process.Kill()
	sleeper.Wait()
	if err := c.Set(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(c.dir(memory, "t1")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("group of t1 is left: %v", err)
	}
}
