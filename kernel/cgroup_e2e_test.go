//go:build e2e

package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"fargo/host"
)

// newTestCgroups are of an instance that no other on this machine is: other tests,
// and other Fargos, may run at the same time.
func newTestCgroups(t testing.TB) *Cgroups {
	t.Helper()
	c, err := NewCgroups(Config{Instance: unusedInstance(t)})
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

// unusedInstance is a random instance name without control groups.
func unusedInstance(t testing.TB) string {
	t.Helper()
	for range 100 {
		instance := fmt.Sprintf("%04x", rand.N(1<<16))
		var used []string
		for _, pattern := range []string{"/sys/fs/cgroup/fargo-%s*", "/sys/fs/cgroup/*/fargo-%s*"} {
			paths, err := filepath.Glob(fmt.Sprintf(pattern, instance))
			if err != nil {
				t.Fatal(err)
			}
			used = append(used, paths...)
		}
		if len(used) == 0 {
			return instance
		}
	}
	t.Fatal("every instance name is in use")
	return ""
}

// inGroup runs a command inside the container group of a task, in every
// hierarchy, as a runtime would.
func inGroup(t *testing.T, c *Cgroups, task string, args ...string) *exec.Cmd {
	t.Helper()
	path := c.Path(task, "container")
	// It waits for its standard input before it compatible the command.
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
	c := newTestCgroups(t)
	task := host.TaskCgroup{TaskID: "t1", CPU: 256, Memory: 64, PIDs: 64}
	if err := c.Set(t.Context(), []host.TaskCgroup{task}); err != nil {
		t.Fatal(err)
	}
	for of, want := range map[string]host.TaskCgroup{"t1": task, "": c.share} {
		for _, h := range c.hierarchies {
			checkLimits(t, c.dir(h, of), h.limits(want))
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
	for _, task := range []host.TaskCgroup{
		{TaskID: "t1", CPU: 512, Memory: 128, PIDs: 128}, {TaskID: "t1", CPU: 256, Memory: 32, PIDs: 2}, {TaskID: "t1"},
	} {
		if err := c.Set(t.Context(), []host.TaskCgroup{task}); err != nil {
			t.Fatal(err)
		}
	}
}

// checkLimits reads back what was written; only files that the kernel may not
// have need not be there.
func checkLimits(t *testing.T, dir string, written []setting) {
	t.Helper()
	last := map[string]setting{}
	for _, s := range written {
		last[s.file] = s
	}
	for _, s := range last {
		got, err := os.ReadFile(filepath.Join(dir, s.file))
		if s.optional && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		is := strings.TrimPrefix(strings.TrimSpace(string(got)), "default ")
		if err != nil || is != s.value && s.value != "-1" {
			t.Errorf("%s/%s: got %q, %v, want %q", dir, s.file, is, err, s.value)
		}
	}
}

func TestCgroupsAreRemovedWhenEmpty(t *testing.T) {
	c := newTestCgroups(t)
	if err := c.Set(t.Context(), []host.TaskCgroup{{TaskID: "t1"}, {TaskID: "t2"}}); err != nil {
		t.Fatal(err)
	}
	sleeper := inGroup(t, c, "t1", "sleep", "600")

	// A new process finds what the old one left.
	c, err := NewCgroups(c.cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Set(t.Context(), []host.TaskCgroup{{TaskID: "t3"}}); !errors.Is(err, ErrBusy) {
		t.Errorf("with a process inside: %v, want ErrBusy", err)
	}
	memory, _ := with(c.hierarchies, "memory")
	for id, want := range map[string]bool{"t2": false, "t3": true} {
		if _, err := os.Stat(c.dir(memory, id)); (err == nil) != want {
			t.Errorf("group of %s: %v", id, err)
		}
	}

	// It was killed: its group goes as soon as the kernel is done with it.
	sleeper.Wait()
	if status := sleeper.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGKILL {
		t.Errorf("the process in the group ended by %v", sleeper.ProcessState)
	}
	settle(t, c, nil)
	if _, err := os.Stat(c.dir(memory, "t1")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("group of t1 is left: %v", err)
	}
}

// settle sets the groups again until nothing is busy.
func settle(t *testing.T, c *Cgroups, tasks []host.TaskCgroup) {
	t.Helper()
	for deadline := time.Now().Add(longer); ; time.Sleep(pause) {
		err := c.Set(t.Context(), tasks)
		if err == nil {
			return
		}
		if !errors.Is(err, ErrBusy) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// bombVariable makes this test's program start copies of itself for ever, and
// each of them the same.
const bombVariable = "FARGO_TEST_BOMB"

func init() {
	for os.Getenv(bombVariable) != "" {
		_ = exec.Command("/proc/self/exe").Start() // when it fails, again
	}
}

// A task that forks without end fills its own group, and nothing else: the
// machine and other tasks go on, and all of it ends with the task.
func TestForkBombHitsItsOwnBound(t *testing.T) {
	c := newTestCgroups(t)
	bomb := host.TaskCgroup{TaskID: "bomb", CPU: 256, Memory: 512, PIDs: 80}
	other := host.TaskCgroup{TaskID: "other", CPU: 256, Memory: 64, PIDs: 80}
	if err := c.Set(t.Context(), []host.TaskCgroup{bomb, other}); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	inGroup(t, c, "bomb", "env", bombVariable+"=1", self)

	pids, _ := with(c.hierarchies, "pids")
	group := c.dir(pids, "bomb")
	for deadline := time.Now().Add(longer); ; time.Sleep(pause) {
		// Counted where the limit is, or where the fork was: kernels differ.
		here, _ := readKey(filepath.Join(group, "pids.events"), "max")
		inside, _ := readKey(filepath.Join(group, "container", "pids.events"), "max")
		if here+inside > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the bound was not met")
		}
	}
	if n, err := readNumber(filepath.Join(group, "pids.current")); err != nil || n > bomb.PIDs {
		t.Errorf("%d processes, %v, want at most %d", n, err, bomb.PIDs)
	}
	if err := exec.Command("true").Run(); err != nil {
		t.Errorf("the machine: %v", err)
	}
	if err := inGroup(t, c, "other", "sh", "-c", "true | true").Wait(); err != nil {
		t.Errorf("another task: %v", err)
	}

	settle(t, c, []host.TaskCgroup{other})
	if _, err := os.Stat(group); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the group is left: %v", err)
	}
}
