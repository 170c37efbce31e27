package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is one of an installation's processes.
type process struct {
	pid  int
	name string // "fargo up"
}

// processes are those whose arguments name the installation.
func (in *installation) processes() ([]process, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	var found []process
	for _, path := range paths {
		b, err := os.ReadFile(path)
		line := string(b)
		if err != nil || !strings.Contains(line, in.data) && !strings.Contains(line, "/run/fargo-"+id+"/") {
			continue // gone, or another's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		argv := strings.Split(line, "\x00")
		name := filepath.Base(argv[0])
		if name == filepath.Base(in.binary) {
			name += " " + argv[1]
		}
		found = append(found, process{pid: pid, name: name})
	}
	return found, nil
}

// memory is the process's proportional share in bytes: pages that several
// processes share count once in the sum of all.
func (p process) memory() (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			var kB int64
			_, err := fmt.Sscan(rest, &kB)
			return kB << 10, err
		}
	}
	return 0, fmt.Errorf("smaps_rollup of %s has no Pss", p.name)
}

// tick is the unit of /proc/<pid>/stat on every Linux machine (USER_HZ).
const tick = time.Second / 100

// cpuTime is the processor time of a process so far; 0 when it is gone.
func cpuTime(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything; utime and stime are the 12th
	// and 13th field after it (proc_pid_stat(5)).
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	var sum time.Duration
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0
		}
		sum += time.Duration(n) * tick
	}
	return sum
}

// cpuClock is the processor time of a process so far, to the nanosecond.
func cpuClock(pid int) (time.Duration, error) {
	// The clock of another process: clock_getcpuclockid(3), and CPUCLOCK_SCHED
	// of linux/posix-timers.h.
	const sched = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|sched), &t); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// awaitIdle waits until the installation's processes use next to no processor time,
// and returns them.
func (in *installation) awaitIdle(ctx context.Context) (processes []process, err error) {
	last := time.Duration(-1)
	err = poll(ctx, 2*time.Second, func() (bool, error) {
		if processes, err = in.processes(); err != nil {
			return false, err
		}
		var sum time.Duration
		for _, p := range processes {
			sum += cpuTime(p.pid)
		}
		idle := last >= 0 && sum-last <= 4*tick // 2 % of a core
		last = sum
		return idle, nil
	})
	return processes, err
}
