package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// account is what a part of Fargo has computed so far.
type account struct {
	name     string
	computed time.Duration
}

// accounts are all of Fargo: control plane and node, and, with all that ended
// meanwhile, containerd's control group, which has the shims and the first half
// of runc, and the tasks', which has the other half and the tasks themselves.
func (in *installation) accounts() (all []account, err error) {
	for _, part := range []string{"up", "node"} {
		pid, err := in.holder(part + ".lock")
		if err != nil {
			return nil, err
		}
		all = append(all, account{part, processorTime(pid)})
	}
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	daemon, err := groupTime("fargo-" + id + "-containerd")
	if err != nil {
		return nil, err
	}
	tasks, err := groupTime("fargo-" + id)
	return append(all, account{"containerd and shims", daemon}, account{"in the task's control group", tasks}), err
}

// groupTime is what a control group has computed; 0 before it is there. (Linux,
// Documentation/admin-guide/cgroup-v1/cpuacct.rst and cgroup-v2.rst.)
func groupTime(group string) (time.Duration, error) {
	if ns := value(filepath.Join("/sys/fs/cgroup/cpuacct", group, "cpuacct.usage"), ""); ns != "" {
		return time.ParseDuration(ns + "ns")
	}
	if us := value(filepath.Join("/sys/fs/cgroup", group, "cpu.stat"), "usage_usec "); us != "" {
		return time.ParseDuration(us + "us")
	}
	return 0, nil
}

// shareOut says what each of count things has cost between two looks, in all and
// by part.
func shareOut(before, after []account, count int) string {
	var sum time.Duration
	var parts []string
	for i, a := range after {
		cost := (a.computed - before[i].computed) / time.Duration(count)
		sum += cost
		parts = append(parts, fmt.Sprintf("%s %s", a.name, millis(cost)))
	}
	return fmt.Sprintf("%s (%s)", millis(sum), strings.Join(parts, ", "))
}
