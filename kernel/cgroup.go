package kernel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"fargo/host"
)

// Cgroups keeps the control groups of tasks on this machine: one for each task,
// /fargo-<instance>/<task>, in every hierarchy that limits or counts. The group
// that all of them are in is limited too, so that tasks, however many and
// whatever their sizes, leave a reserve to the machine and Fargo's own processes.
// Its methods may be called from several goroutines.
//
// Hierarchies are used as they are mounted: version 1, version 2, or both (hybrid)
// with the controllers in either.
type Cgroups struct {
	cfg         Config
	hierarchies []hierarchy
	share       host.TaskCgroup // of all tasks together

	mu struct {
		sync.Mutex
		applied map[string]host.TaskCgroup // by task id
		pruned  bool                       // there are no groups but the applied ones
	}
}

// A Usage is what a task has used and uses.
type Usage struct {
	// CPU is the time its processes have run, on all cores together, since the
	// task began.
	CPU time.Duration
	// Memory is in bytes, without the part of the page cache that the kernel
	// would give up first (inactive_file). Docker's stats, from which the ECS
	// agent takes its figures, count alike.
	Memory int64
}

// needed are the controllers without which a task could use up the machine.
var needed = []string{"cpu", "memory", "pids"}

// NewCgroups finds out how control groups are mounted, and fails if no hierarchy
// limits CPU, memory or the number of processes. It needs root.
func NewCgroups(cfg Config) (*Cgroups, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	hs, err := findHierarchies()
	if err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	for _, controller := range needed {
		if _, ok := with(hs, controller); !ok {
			return nil, fmt.Errorf("kernel: no control group hierarchy has the %s controller", controller)
		}
	}
	machine, err := machineSize()
	if err != nil {
		return nil, fmt.Errorf("kernel: %w", err)
	}
	c := &Cgroups{cfg: cfg, hierarchies: hs, share: tasksShare(machine)}
	c.mu.applied = map[string]host.TaskCgroup{}
	return c, nil
}

// Path is where a container's control group goes: linuxCgroupsPath of the OCI
// runtime specification, for a runtime that drives cgroupfs itself. The runtime
// makes the group, inside the task's, and removes it.
func (c *Cgroups) Path(taskID, containerID string) string {
	return "/" + c.base() + "/" + taskID + "/" + containerID
}

func (c *Cgroups) base() string { return "fargo-" + c.cfg.Instance }

func (c *Cgroups) dir(h hierarchy, taskID string) string {
	return filepath.Join(h.mount, c.base(), taskID)
}

// Set makes the machine have exactly these control groups, with these limits. When
// one cannot be made or removed, the others are all the same: the error is then
// [host.Failures], by task id. Processes in a group that is to be removed are killed
// with SIGKILL. Set does not wait for their end: a group that still has processes is
// [ErrBusy], and Set is to be called again.
func (c *Cgroups) Set(ctx context.Context, tasks []host.TaskCgroup) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	failed := host.Failures{}
	want := make(map[string]bool, len(tasks))
	for _, t := range tasks {
		want[t.TaskID] = true
		if c.mu.applied[t.TaskID] == t {
			continue
		}
		if err := c.apply(t); err != nil {
			failed[t.TaskID] = err
			continue
		}
		c.mu.applied[t.TaskID] = t
	}
	for id := range c.mu.applied {
		if !want[id] {
			delete(c.mu.applied, id)
			c.mu.pruned = false
		}
	}
	// Listing all hierarchies takes longer than making a group in them.
	if !c.mu.pruned {
		if err := c.prune(ctx, want, failed); err != nil {
			return fmt.Errorf("set control groups: %w", err)
		}
		c.mu.pruned = len(failed) == 0
	}
	if len(failed) > 0 {
		return fmt.Errorf("set control groups: %w", failed)
	}
	return ctx.Err()
}

// purgeTimeout is how long Purge waits for killed processes to leave their groups
// (many may share little CPU). pause is the interval of polling.
const (
	purgeTimeout = 10 * time.Second
	pause        = 5 * time.Millisecond
)

// Purge removes every control group of this instance. Like Set, it kills the
// processes in them, and it waits for their end, for at most ten seconds.
func (c *Cgroups) Purge(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, purgeTimeout)
	defer cancel()
	for {
		err := c.Set(ctx, nil)
		if err == nil {
			break
		}
		if !errors.Is(err, ErrBusy) {
			return err
		}
		select {
		case <-waiting.Done():
			return err
		case <-time.After(pause):
		}
	}
	for _, h := range c.hierarchies {
		if err := removeGroup(c.dir(h, "")); err != nil {
			return fmt.Errorf("purge control groups: %w", err)
		}
	}
	return nil
}

func (c *Cgroups) apply(t host.TaskCgroup) error {
	if err := checkName(t.TaskID); err != nil {
		return err
	}
	for _, h := range c.hierarchies {
		limits := h.limits(t)
		if len(limits) == 0 && !h.has("cpuacct") {
			continue
		}
		dir := c.dir(h, t.TaskID)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if h.unified {
			// From the top down: a group can delegate only what was delegated to
			// it. The last is for the containers inside.
			for _, d := range []string{h.mount, c.dir(h, ""), dir} {
				if err := h.enable(d); err != nil {
					return err
				}
			}
		}
		if err := write(c.dir(h, ""), h.limits(c.share)); err != nil {
			return err
		}
		if err := write(dir, limits); err != nil {
			return err
		}
	}
	return nil
}

func write(dir string, settings []setting) error {
	for _, s := range settings {
		if err := s.write(dir); err != nil {
			return err
		}
	}
	return nil
}

// Usage reads a task's figures. The error is fs.ErrNotExist if the task has no
// control group.
func (c *Cgroups) Usage(taskID string) (Usage, error) {
	var u Usage
	if err := checkName(taskID); err != nil {
		return u, err
	}
	cpu, _ := with(c.hierarchies, "cpu")
	if h, ok := with(c.hierarchies, "cpuacct"); ok {
		cpu = h
	}
	var err error
	if u.CPU, err = cpu.cpuUsed(c.dir(cpu, taskID)); err != nil {
		return u, fmt.Errorf("CPU usage of task %s: %w", taskID, err)
	}
	memory, _ := with(c.hierarchies, "memory")
	if u.Memory, err = memory.memoryUsed(c.dir(memory, taskID)); err != nil {
		return u, fmt.Errorf("memory usage of task %s: %w", taskID, err)
	}
	return u, nil
}

// ErrBusy means that a control group was not removed because it has processes.
var ErrBusy = errors.New("control group holds processes")

// prune removes the groups of tasks that are not wanted, and kills the processes in
// them. Those that it cannot remove are added to failed. The runtime makes the
// parents of a container's group in all hierarchies, so all are searched.
func (c *Cgroups) prune(ctx context.Context, want map[string]bool, failed host.Failures) error {
	for _, h := range c.hierarchies {
		tasks, err := subgroups(c.dir(h, ""))
		if err != nil {
			return err
		}
		for _, id := range tasks {
			if want[id] {
				continue
			}
			err := removeGroup(c.dir(h, id))
			if errors.Is(err, ErrBusy) {
				err = errors.Join(err, c.kill(ctx, id))
			}
			if err != nil {
				failed[id] = err
			}
		}
	}
	return nil
}

// subgroups lists the groups inside dir; none if dir is not there.
func subgroups(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
		}
	}
	return out, err
}

// removeGroup removes a group and those inside it.
func removeGroup(dir string) error {
	inside, err := subgroups(dir)
	if err != nil {
		return err
	}
	for _, name := range inside {
		if err := removeGroup(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	switch err := unix.Rmdir(dir); {
	case err == nil || errors.Is(err, unix.ENOENT):
		return nil
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("remove control group %s: %w%s", dir, ErrBusy, processesIn(dir))
	default:
		return fmt.Errorf("remove control group %s: %w", dir, err)
	}
}

// processesIn names the processes in a group for an error message.
func processesIn(dir string) string {
	b, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
	if err != nil || len(b) == 0 {
		return ""
	}
	return ": " + strings.Join(strings.Fields(string(b)), " ")
}

// with is the hierarchy that has a controller.
func with(hs []hierarchy, controller string) (hierarchy, bool) {
	for _, h := range hs {
		if h.has(controller) {
			return h, true
		}
	}
	return hierarchy{}, false
}

// writeFile writes to a file that the kernel has made; an error that is
// fs.ErrNotExist means a kernel without the feature.
func writeFile(dir, name, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteString(value); err != nil {
		return fmt.Errorf("%w (value %q)", err, value)
	}
	return nil
}
