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

// machine is what could be left behind on a machine, as lines of text.
type machine []string

func lookAtMachine() (machine, error) {
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

var (
	// Counters and remaining lifetimes change by themselves.
	volatile = regexp.MustCompile(`(packets \d+ bytes \d+|expires \S+|valid_lft \S+|preferred_lft \S+)`)
	// What carries an instance's id belongs to it: other installations on this
	// machine may come and go.
	dataName     = regexp.MustCompile(`fargo-e2e-\d+`)
	instanceName = regexp.MustCompile(`\b(?:fargo-|fg)([0-9a-f]{4}|test)\b`)
)

// since gives the lines of m that are not in before, but for those that belong
// to another installation than in, or to other programs: files of /run and mounts
// are Fargo's, or containerd's, by their names.
func (m machine) since(before machine, in *installation) []string {
	var lines []string
	for _, line := range m {
		if _, found := slices.BinarySearch(before, line); found {
			continue
		}
		if owner := instanceName.FindStringSubmatch(line); owner != nil && owner[1] != in.id {
			continue
		}
		if owner := dataName.FindString(line); owner != "" && !strings.Contains(in.data, owner) {
			continue
		}
		others := !instanceName.MatchString(line) && !strings.Contains(line, in.data) && !strings.Contains(line, "containerd")
		if others && (strings.HasPrefix(line, "file: ") || strings.HasPrefix(line, "mount: ")) {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

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

// routeMetric is that of a route for unused addresses: 0x7fff0000 and the
// instance, which has no other place for its name there.
var routeMetric = regexp.MustCompile(`^(.* )proto 236 metric (\d+)`)

func routes() ([]string, error) {
	lines, err := command("ip", "route", "show", "table", "all")()
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

// cgroups are the top-level groups of every hierarchy: what is further down
// belongs to whoever made the top, and comes and goes.
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

func runFiles() ([]string, error) {
	entries, err := os.ReadDir("/run")
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, entry := range entries {
		lines = append(lines, "file: /run/"+entry.Name())
	}
	return lines, nil
}

// processes are those whose arguments name a Fargo instance or data directory:
// what else runs on the machine is none of our business.
func processes() ([]string, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, path := range paths {
		b, err := os.ReadFile(path)
		line := strings.ReplaceAll(strings.TrimRight(string(b), "\x00"), "\x00", " ")
		if err == nil && (instanceName.MatchString(line) || strings.Contains(line, "fargo-e2e-")) {
			lines = append(lines, "process: "+line)
		}
	}
	return lines, nil
}
