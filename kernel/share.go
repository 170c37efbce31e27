package kernel

import (
	"fmt"
	"os"

	"fargo/host"
)

// A size is what a machine has for processes.
type size struct {
	memory int64 // MiB
	// pids is how many processes and threads the kernel can have at once:
	// kernel.pid_max or kernel.threads-max, whichever is less.
	pids int64
}

// machineSize reads the size from /proc.
func machineSize() (size, error) {
	pidMax, err := readNumber("/proc/sys/kernel/pid_max")
	if err != nil {
		return size{}, err
	}
	threads, err := readNumber("/proc/sys/kernel/threads-max")
	if err != nil {
		return size{}, err
	}
	meminfo, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return size{}, err
	}
	var kb int64 // the first line, says proc_meminfo(5)
	if _, err := fmt.Sscanf(string(meminfo), "MemTotal: %d kB", &kb); err != nil {
		return size{}, fmt.Errorf("/proc/meminfo: %w", err)
	}
	return size{memory: kb >> 10, pids: min(pidMax, threads)}, nil
}

// The bounds of the reserve of memory: for the machine, containerd and its shims,
// and Fargo's own processes.
const (
	minReserve = 512  // MiB: a control plane, a node, containerd, a few load balancers and a system
	maxReserve = 4096 // MiB
)

// tasksShare are the limits of the group that all tasks are in. Memory: an eighth is
// reserved, within bounds, but never more than half. Processes: a quarter is
// reserved. CPU is shared by weight, and all tasks together have the weight of one
// other group or service: nothing is reserved, and nothing is idle.
func tasksShare(of size) host.TaskCgroup {
	reserve := min(max(of.memory/8, minReserve), maxReserve)
	return host.TaskCgroup{
		Memory: max(of.memory-reserve, of.memory/2),
		PIDs:   max(of.pids-of.pids/4, 1),
	}
}
