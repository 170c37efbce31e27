package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// partTime is the processor time that a part of Fargo has used so far.
type partTime struct {
	name string
	used time.Duration
}

// cpuTimes are those of all of Fargo: control plane and node, and, with all that
// ended meanwhile, containerd's control group, which has the shims and the first
// half of runc, and the tasks', which has the other half and the tasks themselves.
func (in *installation) cpuTimes() (all []partTime, err error) {
	for _, part := range []string{"up", "node"} {
		pid, err := in.lockHolder(part + ".lock")
		if err != nil {
			return nil, err
		}
		all = append(all, partTime{part, cpuTime(pid)})
	}
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	daemon, err := cgroupTime("fargo-" + id + "-containerd")
	if err != nil {
		return nil, err
	}
	tasks, err := cgroupTime("fargo-" + id)
	return append(all, partTime{"containerd and shims", daemon}, partTime{"in the task's control group", tasks}), err
}

// cgroupTime is the processor time of a control group; 0 before it is there. (Linux,
// Documentation/admin-guide/cgroup-v1/cpuacct.rst and cgroup-v2.rst.)
func cgroupTime(group string) (time.Duration, error) {
	if ns := value(filepath.Join("/sys/fs/cgroup/cpuacct", group, "cpuacct.usage"), ""); ns != "" {
		return time.ParseDuration(ns + "ns")
	}
	if us := value(filepath.Join("/sys/fs/cgroup", group, "cpu.stat"), "usage_usec "); us != "" {
		return time.ParseDuration(us + "us")
	}
	return 0, nil
}

// perItem says what each of count items has cost between two readings, in all and
// by part.
func perItem(before, after []partTime, count int) string {
	var sum time.Duration
	var parts []string
	for i, a := range after {
		cost := (a.used - before[i].used) / time.Duration(count)
		sum += cost
		parts = append(parts, fmt.Sprintf("%s %s", a.name, millis(cost)))
	}
	return fmt.Sprintf("%s (%s)", millis(sum), strings.Join(parts, ", "))
}
