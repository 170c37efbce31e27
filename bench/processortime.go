package main

import (
	"path/filepath"
	"time"
)

// computed is what all of Fargo has computed so far: control plane and node, and
// by their control groups containerd, shims, runc and the tasks themselves, whose
// groups runc works in. What ended meanwhile is in it.
func (in *installation) computed() (sum time.Duration, err error) {
	for _, lock := range []string{"up.lock", "node.lock"} {
		pid, err := in.holder(lock)
		if err != nil {
			return 0, err
		}
		sum += processorTime(pid)
	}
	id, err := in.id()
	if err != nil {
		return 0, err
	}
	for _, group := range []string{"fargo-" + id, "fargo-" + id + "-containerd"} {
		used, err := groupTime(group)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
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
