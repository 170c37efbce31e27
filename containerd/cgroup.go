package containerd

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"fargo/host"
)

const cgroupRoot = "/sys/fs/cgroup"

// unified says that the machine has cgroup v2 alone; otherwise v1 controllers
// are mounted one by one (legacy or hybrid). It cannot change at run time.
var unified = sync.OnceValue(func() bool {
	var stat unix.Statfs_t
	return unix.Statfs(cgroupRoot, &stat) == nil && stat.Type == unix.CGROUP2_SUPER_MAGIC
})

// controller is the directory of a control group for one controller.
func controller(name, group string) string {
	if unified() {
		return filepath.Join(cgroupRoot, group)
	}
	return filepath.Join(cgroupRoot, name, group)
}

// swapAccounted says that the kernel can limit memory and swap together. On v1
// that is a boot option of the kernel.
var swapAccounted = sync.OnceValue(func() bool {
	if unified() {
		return true
	}
	_, err := os.Stat(filepath.Join(cgroupRoot, "memory", "memory.memsw.limit_in_bytes"))
	return err == nil
})

// oomKills is how many processes of the group the kernel killed for memory,
// whoever's limit it was: the group's own, the task's or the machine's. 0 when
// the group is gone. (Linux, Documentation/admin-guide/cgroup-v2.rst,
// "memory.events"; cgroup-v1/memory.rst, "memory.oom_control".)
func oomKills(group string) int64 {
	file := "memory.oom_control"
	if unified() {
		file = "memory.events"
	}
	figures, err := readFigures(filepath.Join(controller("memory", group), file))
	if err != nil {
		return 0
	}
	return figures["oom_kill"]
}

// usage reads what the group has used. The error is fs.ErrNotExist when the
// group is gone.
func usage(group string) (host.Usage, error) {
	if unified() {
		return usageV2(group)
	}
	cpu, err := readFigure(filepath.Join(controller("cpuacct", group), "cpuacct.usage"))
	if err != nil {
		return host.Usage{}, err
	}
	memory, err := memoryInUse(group, "memory.usage_in_bytes", "total_inactive_file")
	return host.Usage{CPU: time.Duration(cpu), Memory: memory}, err
}

func usageV2(group string) (host.Usage, error) {
	figures, err := readFigures(filepath.Join(controller("cpu", group), "cpu.stat"))
	if err != nil {
		return host.Usage{}, err
	}
	memory, err := memoryInUse(group, "memory.current", "inactive_file")
	return host.Usage{CPU: time.Duration(figures["usage_usec"]) * time.Microsecond, Memory: memory}, err
}

// memoryInUse leaves out file pages that nobody used lately, as docker stats
// does.
func memoryInUse(group, current, inactive string) (int64, error) {
	dir := controller("memory", group)
	used, err := readFigure(filepath.Join(dir, current))
	if err != nil {
		return 0, err
	}
	figures, err := readFigures(filepath.Join(dir, "memory.stat"))
	if err != nil {
		return 0, err
	}
	return max(0, used-figures[inactive]), nil
}

// readFigure reads a file that is one number.
func readFigure(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}

// readFigures reads a file of lines "name number".
func readFigures(path string) (map[string]int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	figures := map[string]int64{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		name, number, _ := strings.Cut(lines.Text(), " ")
		if figures[name], err = strconv.ParseInt(number, 10, 64); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return figures, lines.Err()
}

// removeCgroup removes the group from every hierarchy; it must have no
// processes and no groups inside.
func removeCgroup(group string) error {
	if group == "" {
		return nil
	}
	dirs := []string{filepath.Join(cgroupRoot, group)}
	if !unified() {
		var err error
		if dirs, err = filepath.Glob(filepath.Join(cgroupRoot, "*", group)); err != nil {
			return err
		}
	}
	var failed []error
	for _, dir := range dirs {
		// Only rmdir removes a control group: the files in it are not files.
		if err := unix.Rmdir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, &os.PathError{Op: "rmdir", Path: dir, Err: err})
		}
	}
	return errors.Join(failed...)
}
