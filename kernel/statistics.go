package kernel

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"fargo/host"
)

// clockTick is the unit of times in /proc/stat and cpuacct.stat: USER_HZ, which is 100 on
// all of Linux. Source: time(7).
const clockTick = time.Second / 100

// Statistics reads what a container has used. The error is fs.ErrNotExist if it has no
// control group.
func (c *Cgroups) Statistics(taskID, containerID string) (s host.Statistics, err error) {
	if err := errors.Join(checkName(taskID), checkName(containerID)); err != nil {
		return s, err
	}
	in := func(controller string) (hierarchy, string) {
		h, _ := with(c.hierarchies, controller)
		return h, filepath.Join(c.dir(h, taskID), containerID)
	}
	s.Read = time.Now()
	cpu, dir := in("cpu")
	s.CPU, err = cpu.cpuStatistics(dir)
	if _, apart := with(c.hierarchies, "cpuacct"); apart && err == nil {
		_, dir = in("cpuacct")
		err = accounted(dir, &s.CPU)
	}
	if err != nil {
		return s, fmt.Errorf("CPU statistics of %s: %w", containerID, err)
	}
	memory, dir := in("memory")
	if s.Memory, err = memory.memoryStatistics(dir, c.share.Memory<<20); err != nil {
		return s, fmt.Errorf("memory statistics of %s: %w", containerID, err)
	}
	_, dir = in("pids")
	if s.PIDs, err = readNumber(filepath.Join(dir, "pids.current")); err != nil {
		return s, fmt.Errorf("processes of %s: %w", containerID, err)
	}
	s.MaxPIDs, err = readLimit(dir, "pids.max")
	if err != nil {
		return s, fmt.Errorf("processes of %s: %w", containerID, err)
	}
	// Not every machine counts what goes to disks.
	if h, ok := with(c.hierarchies, "io"); ok {
		s.Blocks = ioStatistics(filepath.Join(c.dir(h, taskID), containerID))
	} else if h, ok := with(c.hierarchies, "blkio"); ok {
		s.Blocks = blkioStatistics(filepath.Join(c.dir(h, taskID), containerID))
	}
	return s, nil
}

// cpuStatistics is all that a version 2 hierarchy says, and of version 1 what the cpu
// controller does.
func (h hierarchy) cpuStatistics(dir string) (s host.CPUStatistics, err error) {
	s.CPUs = runtime.NumCPU()
	if s.Machine, err = machineTime("/proc/stat"); err != nil {
		return s, err
	}
	all, err := readKeys(filepath.Join(dir, "cpu.stat"))
	s.Periods, s.Throttled = all["nr_periods"], all["nr_throttled"]
	s.ThrottledTime = time.Duration(all["throttled_time"]) // of version 1
	if h.unified {
		s.ThrottledTime = time.Duration(all["throttled_usec"]) * time.Microsecond
		s.Total = time.Duration(all["usage_usec"]) * time.Microsecond
		s.User = time.Duration(all["user_usec"]) * time.Microsecond
		s.System = time.Duration(all["system_usec"]) * time.Microsecond
	}
	return s, err
}

// accounted adds what the cpuacct controller of version 1 says.
func accounted(dir string, s *host.CPUStatistics) error {
	total, err := readNumber(filepath.Join(dir, "cpuacct.usage"))
	if err != nil {
		return err
	}
	s.Total = time.Duration(total)
	all, err := readKeys(filepath.Join(dir, "cpuacct.stat"))
	if err != nil {
		return err
	}
	s.User, s.System = time.Duration(all["user"])*clockTick, time.Duration(all["system"])*clockTick
	each, err := os.ReadFile(filepath.Join(dir, "cpuacct.usage_percpu"))
	for _, one := range strings.Fields(string(each)) {
		ns, _ := strconv.ParseInt(one, 10, 64) // the kernel writes numbers
		s.PerCPU = append(s.PerCPU, time.Duration(ns))
	}
	return err
}

// machineTime is the time of all processors: of the first line's eight states. The guests'
// are in those of the user. Source: proc_stat(5).
func machineTime(path string) (time.Duration, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, fmt.Errorf("%s begins with %q", path, line)
	}
	var sum time.Duration
	for _, f := range fields[1:9] {
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		sum += time.Duration(ticks) * clockTick
	}
	return sum, nil
}

// memoryStatistics are of a container's group; that of its task is around it, and all tasks
// together may use machine bytes.
func (h hierarchy) memoryStatistics(dir string, machine int64) (s host.MemoryStatistics, err error) {
	usage, limit := "memory.usage_in_bytes", "memory.limit_in_bytes"
	if h.unified {
		usage, limit = "memory.current", "memory.max"
	}
	if s.Usage, err = readNumber(filepath.Join(dir, usage)); err != nil {
		return s, err
	}
	if !h.unified {
		if s.MaxUsage, err = readNumber(filepath.Join(dir, "memory.max_usage_in_bytes")); err != nil {
			return s, err
		}
	}
	s.Limit = machine
	for _, d := range []string{dir, filepath.Dir(dir)} {
		own, err := readLimit(d, limit)
		if err != nil {
			return s, err
		}
		s.Limit = min(s.Limit, cmp.Or(own, s.Limit))
	}
	s.Parts, err = readKeys(filepath.Join(dir, "memory.stat"))
	return s, err
}

// readLimit reads a number that may be "max": 0 then.
func readLimit(dir, name string) (int64, error) {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0, err
	}
	text := strings.TrimSpace(string(b))
	if text == "max" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return n, nil
}

// readKeys reads a file of lines "key number".
func readKeys(path string) (map[string]int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			all[key] = n
		}
	}
	return all, nil
}

// ioStatistics reads "8:0 rbytes=1 wbytes=2 rios=3 wios=4 …", of each device.
// Source: Documentation/admin-guide/cgroup-v2.rst, "io.stat".
func ioStatistics(dir string) (all []host.BlockStatistics) {
	b, err := os.ReadFile(filepath.Join(dir, "io.stat"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for line := range strings.Lines(string(b)) {
		device, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		read, write := host.BlockStatistics{Operation: "read"}, host.BlockStatistics{Operation: "write"}
		into := map[string]*int64{"rbytes": &read.Bytes, "rios": &read.Operations, "wbytes": &write.Bytes, "wios": &write.Operations}
		for _, field := range strings.Fields(rest) {
			name, value, _ := strings.Cut(field, "=")
			if n := into[name]; n != nil {
				*n, _ = strconv.ParseInt(value, 10, 64) // the kernel writes numbers
			}
		}
		for _, s := range []host.BlockStatistics{read, write} {
			if s.Major, s.Minor, err = parseDevice(device); err == nil {
				all = append(all, s)
			}
		}
	}
	return all
}

// blkioStatistics reads "8:0 Read 4096", of each device and operation, from two files.
// Source: Documentation/admin-guide/cgroup-v1/blkio-controller.rst.
func blkioStatistics(dir string) (all []host.BlockStatistics) {
	operations := map[string]int64{}
	readBlkio(filepath.Join(dir, "blkio.throttle.io_serviced_recursive"), func(device, operation string, n int64) {
		operations[device+operation] = n
	})
	readBlkio(filepath.Join(dir, "blkio.throttle.io_service_bytes_recursive"), func(device, operation string, n int64) {
		s := host.BlockStatistics{Operation: strings.ToLower(operation), Bytes: n, Operations: operations[device+operation]}
		var err error
		if s.Major, s.Minor, err = parseDevice(device); err == nil && (s.Operation == "read" || s.Operation == "write") {
			all = append(all, s)
		}
	})
	return all
}

func readBlkio(path string, each func(device, operation string, n int64)) {
	b, err := os.ReadFile(path)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 {
			if n, err := strconv.ParseInt(f[2], 10, 64); err == nil {
				each(f[0], f[1], n)
			}
		}
	}
}

// parseDevice reads "8:0".
func parseDevice(s string) (major, minor int64, err error) {
	before, after, _ := strings.Cut(s, ":")
	major, err = strconv.ParseInt(before, 10, 64)
	if err != nil {
		return 0, 0, err
	}
	minor, err = strconv.ParseInt(after, 10, 64)
	return major, minor, err
}
