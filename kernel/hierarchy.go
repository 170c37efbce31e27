package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
)

// A hierarchy is one mounted tree of control groups.
type hierarchy struct {
	mount       string
	unified     bool // version 2
	controllers []string
}

func (h hierarchy) has(controller string) bool { return slices.Contains(h.controllers, controller) }

// findHierarchies lists what is mounted, with the controllers that are there.
func findHierarchies() ([]hierarchy, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	hs := parseHierarchies(string(b))
	for i := range hs {
		if !hs[i].unified {
			continue
		}
		b, err := os.ReadFile(filepath.Join(hs[i].mount, "cgroup.controllers"))
		if err != nil {
			return nil, err
		}
		hs[i].controllers = strings.Fields(string(b))
	}
	return hs, nil
}

// parseHierarchies reads the format of /proc/PID/mountinfo (proc(5)). A tree
// that is mounted twice counts once, where it is mounted first. The controllers
// of a version 2 tree are not to be seen there.
func parseHierarchies(mountinfo string) []hierarchy {
	var out []hierarchy
	for line := range strings.Lines(mountinfo) {
		before, after, ok := strings.Cut(line, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 5 || len(right) < 3 {
			continue
		}
		h := hierarchy{mount: unescape(left[4])}
		switch right[0] {
		case "cgroup2":
			h.unified = true
		case "cgroup":
			h.controllers = strings.Split(right[2], ",")
		default:
			continue
		}
		again := func(o hierarchy) bool {
			return o.unified == h.unified && slices.Equal(o.controllers, h.controllers)
		}
		if !slices.ContainsFunc(out, again) {
			out = append(out, h)
		}
	}
	return out
}

// unescape turns the octal escapes of mountinfo back into bytes.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// enable is what cgroup.subtree_control takes to hand on the controllers that
// we and the runtime use.
func (h hierarchy) enable() string {
	var words []string
	for _, c := range []string{"cpu", "memory", "pids"} {
		if h.has(c) {
			words = append(words, "+"+c)
		}
	}
	return strings.Join(words, " ")
}

// A setting is a value for a file of a control group.
type setting struct {
	file, value string
	// optional: the kernel may have been built, or booted, without.
	optional bool
}

func (s setting) write(dir string) error {
	err := writeFile(dir, s.file, s.value)
	if s.optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

const period = 100_000 // microseconds, the kernel's default

// limits are the files to write, in order, for what this hierarchy limits.
//
// The CPU ceiling comes with a share in proportion to it, by which tasks divide
// a machine that has promised too much. Swap is not given: a task's memory is
// all it has, as on Fargate.
func (h hierarchy) limits(t fargo.TaskCgroup) []setting {
	var out []setting
	if h.has("cpu") {
		if h.unified {
			out = append(out, unifiedCPU(t.CPU)...)
		} else {
			out = append(out, cpu(t.CPU)...)
		}
	}
	if h.has("memory") {
		if h.unified {
			out = append(out, unifiedMemory(t.Memory)...)
		} else {
			out = append(out, memory(t.Memory)...)
		}
	}
	return out
}

// quota is the microseconds per period that ECS units come to. The kernel takes
// no less than a millisecond.
func quota(units int64) int64 { return max(units*period/1024, 1000) }

func cpu(units int64) []setting {
	ceiling, shares := int64(-1), int64(1024)
	if units > 0 {
		ceiling, shares = quota(units), max(units, 2)
	}
	return []setting{
		{file: "cpu.cfs_period_us", value: strconv.Itoa(period)},
		{file: "cpu.cfs_quota_us", value: strconv.FormatInt(ceiling, 10)},
		{file: "cpu.shares", value: strconv.FormatInt(shares, 10)},
	}
}

func unifiedCPU(units int64) []setting {
	ceiling, weight := "max", int64(100)
	if units > 0 {
		ceiling = strconv.FormatInt(quota(units), 10)
		// 1024 units weigh 100, the default, as 1024 are the default of shares.
		weight = min(max(units*100/1024, 1), 10_000)
	}
	return []setting{
		{file: "cpu.max", value: fmt.Sprintf("%s %d", ceiling, period)},
		{file: "cpu.weight", value: strconv.FormatInt(weight, 10)},
	}
}

// memory sets limits in an order that works both ways: that of memory and swap
// together may never be below that of memory alone, so it is lifted, memory is
// set, and it comes down again.
func memory(mib int64) []setting {
	limit := "-1"
	if mib > 0 {
		limit = strconv.FormatInt(mib<<20, 10)
	}
	return []setting{
		{file: "memory.memsw.limit_in_bytes", value: "-1", optional: true},
		{file: "memory.limit_in_bytes", value: limit},
		{file: "memory.memsw.limit_in_bytes", value: limit, optional: true},
	}
}

func unifiedMemory(mib int64) []setting {
	limit, swap := "max", "max"
	if mib > 0 {
		limit, swap = strconv.FormatInt(mib<<20, 10), "0"
	}
	return []setting{
		{file: "memory.max", value: limit},
		{file: "memory.swap.max", value: swap, optional: true},
	}
}

func (h hierarchy) cpuUsed(dir string) (time.Duration, error) {
	if !h.unified {
		ns, err := readNumber(filepath.Join(dir, "cpuacct.usage"))
		return time.Duration(ns), err
	}
	us, err := readKey(filepath.Join(dir, "cpu.stat"), "usage_usec")
	return time.Duration(us) * time.Microsecond, err
}

func (h hierarchy) memoryUsed(dir string) (int64, error) {
	all, key := "memory.usage_in_bytes", "total_inactive_file"
	if h.unified {
		all, key = "memory.current", "inactive_file"
	}
	used, err := readNumber(filepath.Join(dir, all))
	if err != nil {
		return 0, err
	}
	cache, err := readKey(filepath.Join(dir, "memory.stat"), key)
	return max(used-cache, 0), err
}

func readNumber(path string) (int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}

// readKey finds "key number" among the lines of a file.
func readKey(path, key string) (int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == key {
			return strconv.ParseInt(value, 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, key)
}
