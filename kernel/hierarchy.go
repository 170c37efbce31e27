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
)

// A hierarchy is one mounted tree of control groups.
type hierarchy struct {
	mount       string
	unified     bool // version 2
	controllers []string
	pages       []string // sizes of huge pages, as files of its groups are named: "2MB"
}

func (h hierarchy) has(controller string) bool { return slices.Contains(h.controllers, controller) }

// findHierarchies lists what is mounted, with the controllers that are there.
func findHierarchies() ([]hierarchy, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	pages, err := hugePages()
	if err != nil {
		return nil, err
	}
	hs := parseHierarchies(string(b))
	for i := range hs {
		hs[i].pages = pages
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
// of a version 2 tree are not in this file.
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

// hugePages are the sizes that this kernel has, as the files of control groups
// name them. Source: Documentation/admin-guide/cgroup-v1/hugetlb.rst.
func hugePages() ([]string, error) {
	entries, err := os.ReadDir("/sys/kernel/mm/hugepages")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var sizes []string
	for _, e := range entries { // "hugepages-2048kB"
		kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(e.Name(), "hugepages-"), "kB"))
		if err == nil {
			sizes = append(sizes, pageSize(kb))
		}
	}
	return sizes, nil
}

func pageSize(kb int) string {
	switch {
	case kb >= 1<<20:
		return strconv.Itoa(kb>>20) + "GB"
	case kb >= 1<<10:
		return strconv.Itoa(kb>>10) + "MB"
	default:
		return strconv.Itoa(kb) + "KB"
	}
}

// enable delegates the controllers that limit tasks to the groups inside dir, a group
// of version 2: those that are needed, and of the others those that can be.
func (h hierarchy) enable(dir string) error {
	var words []string
	for _, c := range needed {
		if h.has(c) {
			words = append(words, "+"+c)
		}
	}
	if len(words) > 0 {
		if err := writeFile(dir, "cgroup.subtree_control", strings.Join(words, " ")); err != nil {
			return err
		}
	}
	for _, c := range limiting {
		if h.has(c) && !slices.Contains(needed, c) {
			_ = writeFile(dir, "cgroup.subtree_control", "+"+c) // then its files are not there
		}
	}
	return nil
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
