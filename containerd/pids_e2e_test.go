//go:build e2e

package containerd_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fargo/host"
	"fargo/kernel"
)

// A container that forks without end fills its task's control group and nothing
// else: other containers start and run meanwhile. It ends whole when it is told
// to, with a PID namespace of its own or in another container's.
func TestForkBombEndsWithItsTask(t *testing.T) {
	groups, err := kernel.NewCgroups(kernel.Config{Instance: "c0fe"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := groups.Purge(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for _, test := range []struct {
		name   string
		shared bool
	}{{"own", false}, {"shared", true}} {
		t.Run(test.name, func(t *testing.T) {
			bomb := spec(t, "bomb")
			task := host.TaskCgroup{TaskID: bomb.TaskID, CPU: 256, Memory: 512, PIDs: 100}
			if err := groups.Set(t.Context(), []host.TaskCgroup{task}); err != nil {
				t.Fatal(err)
			}
			bomb.CgroupPath = groups.Path(bomb.TaskID, bomb.ID)
			if test.shared {
				first := spec(t, "idle")
				first.ID += "-first"
				first.TaskID, first.CgroupPath = bomb.TaskID, groups.Path(bomb.TaskID, first.ID)
				start(t, first)
				t.Cleanup(func() { remove(t, first.ID) })
				bomb.PIDOf = first.ID
			}
			start(t, bomb)
			untilRefused(t, bomb)

			t.Run("others", func(t *testing.T) {
				other := spec(t, "exit", "7")
				start(t, other)
				if state := ended(t, other.ID); state.ExitCode != 7 {
					t.Errorf("another container: %+v", state)
				}
			})

			if err := tests.runtime.Signal(t.Context(), bomb.ID, "SIGKILL"); err != nil {
				t.Fatal(err)
			}
			ended(t, bomb.ID)
			remove(t, bomb.ID)
			if left := groupProcesses(t, bomb.CgroupPath); left != "" {
				t.Errorf("left of it: %s", left)
			}
		})
	}
}

func remove(t *testing.T, id string) {
	t.Helper()
	if err := tests.runtime.Remove(context.Background(), id); err != nil {
		t.Error(err)
	}
}

// untilRefused waits until the kernel has refused a fork in the container.
func untilRefused(t *testing.T, s host.ContainerSpec) {
	t.Helper()
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		// Counted where the limit is, or where the fork was: kernels differ.
		for _, group := range []string{s.CgroupPath, filepath.Dir(s.CgroupPath)} {
			for _, root := range []string{"/sys/fs/cgroup/pids", "/sys/fs/cgroup"} {
				events, err := os.ReadFile(filepath.Join(root, group, "pids.events"))
				if err == nil && !strings.Contains(string(events), "max 0\n") {
					return
				}
			}
		}
	}
	t.Fatal("the bound was not met in time")
}

// groupProcesses are those in a control group, which is gone if there are none.
func groupProcesses(t *testing.T, group string) string {
	t.Helper()
	dirs, err := filepath.Glob("/sys/fs/cgroup/*" + group)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, dir := range append(dirs, "/sys/fs/cgroup"+group) {
		procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, strings.Fields(string(procs))...)
	}
	return strings.Join(all, " ")
}
