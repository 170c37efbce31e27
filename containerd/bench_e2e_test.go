//go:build e2e

package containerd_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// From a local image to a running process, one after the other. Removal is not
// counted.
func BenchmarkCreateStart(b *testing.B) {
	var next atomic.Int64
	var creating, starting, removing time.Duration
	busy := -processor(b)
	for b.Loop() {
		s := benchSpec(b, &next)
		begin := time.Now()
		if err := tests.runtime.Create(b.Context(), s); err != nil {
			b.Fatal(err)
		}
		creating += time.Since(begin)
		begin = time.Now()
		if err := tests.runtime.Start(b.Context(), s.ID); err != nil {
			b.Fatal(err)
		}
		starting += time.Since(begin)
		b.StopTimer()
		before := processor(b)
		busy += before
		if err := tests.runtime.Remove(b.Context(), s.ID); err != nil {
			b.Fatal(err)
		}
		after := processor(b)
		busy -= after
		removing += after - before
		b.StartTimer()
	}
	busy += processor(b)
	b.ReportMetric(busy.Seconds()*1000/float64(b.N), "cpu-ms")
	b.ReportMetric(removing.Seconds()*1000/float64(b.N), "remove-cpu-ms")
	b.ReportMetric(creating.Seconds()*1000/float64(b.N), "create-ms")
	b.ReportMetric(starting.Seconds()*1000/float64(b.N), "start-ms")
}

// Four at a time, as a service that grows does. Removal is not counted.
func BenchmarkCreateStartFourAtATime(b *testing.B) {
	const workers = 4
	var next atomic.Int64
	busy := -processor(b)
	begin := time.Now()
	var made sync.Map
	work := make(chan struct{})
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for range work {
				s := benchSpec(b, &next)
				made.Store(s.ID, true)
				if err := tests.runtime.Create(context.Background(), s); err != nil {
					b.Error(err)
				}
				if err := tests.runtime.Start(context.Background(), s.ID); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	wait.Wait()
	b.StopTimer()
	busy += processor(b)
	b.ReportMetric(busy.Seconds()*1000/float64(b.N), "cpu-ms")
	b.ReportMetric(float64(b.N)/time.Since(begin).Seconds(), "containers/s")
	made.Range(func(id, _ any) bool {
		if err := tests.runtime.Remove(context.Background(), id.(string)); err != nil {
			b.Error(err)
		}
		return true
	})
}

// What an idle daemon and a shim hold in memory.
func BenchmarkIdleMemory(b *testing.B) {
	var next atomic.Int64
	s := benchSpec(b, &next)
	start(b, s)
	state, err := tests.runtime.Inspect(b.Context(), s.ID)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.ReportMetric(private(b, daemonPID(b)), "daemon-MB")
		b.ReportMetric(private(b, parent(b, state.PID)), "shim-MB")
	}
	if err := tests.runtime.Remove(b.Context(), s.ID); err != nil {
		b.Error(err)
	}
}

func benchSpec(b *testing.B, next *atomic.Int64) host.ContainerSpec {
	b.Helper()
	id := fmt.Sprintf("bench-%d", next.Add(1))
	return host.ContainerSpec{
		ID: id, TaskID: "task-" + id, ImageDigest: tests.digest, Hostname: "box", CgroupPath: "/fargo-test/" + id,
		LogPath:             filepath.Join(b.TempDir(), "log"),
		ContainerAssignment: desired.ContainerAssignment{Name: "main", RuntimeID: id, Image: tests.image},
	}
}

// processor is the time that all who take part have computed: daemon, shims and
// runc, containers while runc makes them, and we. Unlike time on the clock it
// says something on a busy machine too.
func processor(b *testing.B) (sum time.Duration) {
	b.Helper()
	var self unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &self); err != nil {
		b.Fatal(err)
	}
	sum = time.Duration(self.Utime.Nano() + self.Stime.Nano())
	for _, group := range []string{"fargo-test-containerd", "fargo-test"} {
		v1, err := os.ReadFile("/sys/fs/cgroup/cpuacct/" + group + "/cpuacct.usage")
		if err == nil {
			var ns int64
			if _, err := fmt.Sscan(string(v1), &ns); err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(ns)
			continue
		}
		v2, err := os.ReadFile("/sys/fs/cgroup/" + group + "/cpu.stat")
		if errors.Is(err, fs.ErrNotExist) {
			continue // before the first container
		}
		if err != nil {
			b.Fatal(err)
		}
		var us int64
		if _, err := fmt.Sscanf(string(v2), "usage_usec %d", &us); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(us) * time.Microsecond
	}
	return sum
}

// private is the process's proportional share of memory, in MB.
func private(b *testing.B, pid int) float64 {
	b.Helper()
	rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(rollup)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			var kB float64
			if _, err := fmt.Sscan(rest, &kB); err != nil {
				b.Fatal(err)
			}
			return kB / 1024
		}
	}
	b.Fatal("no Pss")
	return 0
}
