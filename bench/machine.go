package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// describeMachine says in a line what the numbers were taken on.
func describeMachine() (string, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", err
	}
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return "", err
	}
	release, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
	return fmt.Sprintf("%s: %d cores%s, %.0f GiB, %s, Linux %s, cgroups %s",
		time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), processor(),
		float64(info.Totalram)*float64(info.Unit)/(1<<30), distribution(), release, cgroups()), nil
}

// processor is the model of the cores, in parentheses; empty when it is not told.
func processor() string {
	if model := value("/proc/cpuinfo", "model name\t: "); model != "" {
		return " (" + model + ")"
	}
	return ""
}

func distribution() string {
	return strings.Trim(value("/etc/os-release", "PRETTY_NAME="), `"`)
}

// value is what follows the prefix in the first line of a file that has it.
func value(path, prefix string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, prefix); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// cgroups names the mode by where the unified hierarchy is (cgroups(7)).
func cgroups() string {
	for _, mode := range []struct{ path, name string }{
		{"/sys/fs/cgroup/cgroup.controllers", "v2"},
		{"/sys/fs/cgroup/unified/cgroup.procs", "hybrid"},
	} {
		if _, err := os.Stat(mode.path); err == nil {
			return mode.name
		}
	}
	return "v1"
}
