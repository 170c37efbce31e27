package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// kill sends SIGKILL to all processes in a task's group, in every hierarchy, and to
// those that they fork meanwhile. It does not wait for their end.
func (c *Cgroups) kill(ctx context.Context, taskID string) error {
	for _, h := range c.hierarchies {
		if !h.unified {
			continue
		}
		// Source: Documentation/admin-guide/cgroup-v2.rst, "cgroup.kill"; kernels
		// before 5.14 have none.
		err := writeFile(c.dir(h, taskID), "cgroup.kill", "1")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	thaw, err := c.freeze(ctx, taskID)
	if err != nil {
		return err
	}
	defer thaw()
	for _, h := range c.hierarchies {
		if err := killEach(c.dir(h, taskID)); err != nil {
			return err
		}
	}
	return nil
}

// freezeTimeout is how long to wait until a group is frozen.
const freezeTimeout = 50 * time.Millisecond

// freeze stops the processes in a group of version 1, so that they cannot fork.
// Without such a group it does nothing. Source:
// Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst.
func (c *Cgroups) freeze(ctx context.Context, taskID string) (thaw func(), err error) {
	nothing := func() {}
	h, ok := with(c.hierarchies, "freezer")
	if !ok || h.unified {
		return nothing, nil
	}
	dir := c.dir(h, taskID)
	if err := writeFile(dir, "freezer.state", "FROZEN"); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nothing, err
	}
	thaw = func() { _ = writeFile(dir, "freezer.state", "THAWED") } // fails when the group is gone
	ctx, cancel := context.WithTimeout(ctx, freezeTimeout)
	defer cancel()
	for ctx.Err() == nil {
		state, err := os.ReadFile(filepath.Join(dir, "freezer.state"))
		if err != nil || strings.TrimSpace(string(state)) == "FROZEN" {
			break // without the file, they are killed while they run
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return thaw, nil
}

// killEach kills the processes in a group and in those inside it, one by one.
func killEach(dir string) error {
	inside, err := subgroups(dir)
	if err != nil {
		return err
	}
	for _, name := range inside {
		if err := killEach(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	procs, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
			return nil
		}
		return err
	}
	for _, field := range strings.Fields(string(procs)) {
		// 0 is a process of another PID namespace, which we cannot name.
		pid, err := strconv.Atoi(field)
		if err != nil || pid <= 0 {
			continue
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill process %d of control group %s: %w", pid, dir, err)
		}
	}
	return nil
}
