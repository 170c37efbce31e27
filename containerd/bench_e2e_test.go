//go:build e2e

package containerd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fargo"
)

// From a local image to a running process, one after the other. Removal is not
// counted.
func BenchmarkCreateStart(b *testing.B) {
	var next atomic.Int64
	var creating, starting time.Duration
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
		busy += processor(b)
		if err := tests.runtime.Remove(b.Context(), s.ID); err != nil {
			b.Fatal(err)
		}
		busy -= processor(b)
		b.StartTimer()
	}
	busy += processor(b)
	b.ReportMetric(busy.Seconds()*1000/float64(b.N), "cpu-ms")
	b.ReportMetric(creating.Seconds()*1000/float64(b.N), "create-ms")
	b.ReportMetric(starting.Seconds()*1000/float64(b.N), "start-ms")
}

// Four at a time, as a service that grows does. Removal is not counted.
func BenchmarkCreateStartFourAtATime(b *testing.B) {
	const workers = 4
	var next atomic.Int64
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

func benchSpec(b *testing.B, next *atomic.Int64) fargo.ContainerSpec {
	b.Helper()
	id := fmt.Sprintf("bench-%d", next.Add(1))
	return fargo.ContainerSpec{
		ID: id, TaskID: "task-" + id, ImageDigest: tests.digest, Hostname: "box", CgroupPath: "/fargo-test/" + id,
		LogPath:             filepath.Join(b.TempDir(), "log"),
		ContainerAssignment: fargo.ContainerAssignment{Name: "main", RuntimeID: id, Image: tests.image},
	}
}

// processor is the time that the daemon, shims and runc have computed; unlike
// time on the clock it says something on a busy machine too.
func processor(b *testing.B) time.Duration {
	b.Helper()
	v1, err := os.ReadFile("/sys/fs/cgroup/cpuacct/fargo-test-containerd/cpuacct.usage")
	if err == nil {
		var ns int64
		if _, err := fmt.Sscan(string(v1), &ns); err != nil {
			b.Fatal(err)
		}
		return time.Duration(ns)
	}
	v2, err := os.ReadFile("/sys/fs/cgroup/fargo-test-containerd/cpu.stat")
	if err != nil {
		b.Fatal(err)
	}
	var us int64
	if _, err := fmt.Sscanf(string(v2), "usage_usec %d", &us); err != nil {
		b.Fatal(err)
	}
	return time.Duration(us) * time.Microsecond
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
