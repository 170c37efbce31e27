//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// listMachine lists what Fargo could leave behind.
func listMachine() (machine, error) {
	var m machine
	for _, look := range []func() ([]string, error){
		command("ip", "-o", "link", "show"),
		command("ip", "-o", "address", "show"),
		routes,
		command("ip", "rule", "show"),
		command("nft", "list", "tables"),
		mounts, cgroups, runFiles, processes,
	} {
		lines, err := look()
		if err != nil {
			return nil, err
		}
		m = append(m, lines...)
	}
	slices.Sort(m)
	return m, nil
}

// Counters and remaining lifetimes change by themselves.
var volatile = regexp.MustCompile(`(packets \d+ bytes \d+|expires \S+|valid_lft \S+|preferred_lft \S+)`)

func command(name string, args ...string) func() ([]string, error) {
	return func() ([]string, error) {
		out, err := exec.Command(name, args...).Output()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var lines []string
		for line := range strings.Lines(string(out)) {
			lines = append(lines, name+": "+volatile.ReplaceAllString(strings.TrimSpace(line), ""))
		}
		return lines, nil
	}
}

// routeMetric is that of a route for unused addresses: 0x7fff0000 plus the instance,
// which a route cannot carry otherwise.
var routeMetric = regexp.MustCompile(`^(.* )proto 236 metric (\d+)`)

// anycast is of the kernel's own routes, which the machine's interfaces get when it first
// forwards IPv6: that stays on.
const anycast = "ip: anycast "

func routes() ([]string, error) {
	lines, err := command("ip", "route", "show", "table", "all")()
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, anycast) })
	for i, line := range lines {
		if m := routeMetric.FindStringSubmatch(line); m != nil {
			metric, err := strconv.Atoi(m[2])
			if err != nil {
				return nil, err
			}
			lines[i] = fmt.Sprintf("%sof fargo-%04x", m[1], metric-0x7fff0000)
		}
	}
	return lines, err
}

func mounts() ([]string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		lines = append(lines, "mount: "+fields[4])
	}
	return lines, nil
}

// cgroups are the top-level groups of every hierarchy: those below belong to the
// owner of the top one.
func cgroups() ([]string, error) {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(b)) {
		point := strings.Fields(line)[4]
		if !strings.Contains(line, " - cgroup") {
			continue
		}
		entries, err := os.ReadDir(point)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.IsDir() {
				lines = append(lines, "cgroup: "+filepath.Join(point, entry.Name()))
			}
		}
	}
	return lines, nil
}

// runFiles are the entries of /run, and those in which other programs' default
// directories keep what belongs to one caller: containerd's and runc's.
func runFiles() ([]string, error) {
	var lines []string
	for _, pattern := range []string{"/run/*", "/run/containerd/*/*", "/run/runc/*"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			lines = append(lines, "file: "+path)
		}
	}
	return lines, nil
}

// processes are those whose arguments name a Fargo instance or data directory.
func processes() ([]string, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, path := range paths {
		b, err := os.ReadFile(path)
		line := strings.ReplaceAll(strings.TrimRight(string(b), "\x00"), "\x00", " ")
		if err == nil && strings.Contains(line, "fargo-") {
			lines = append(lines, "process: "+line)
		}
	}
	return lines, nil
}
