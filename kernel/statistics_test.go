package kernel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo/host"
)

// group writes files of control groups, by their paths.
func group(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for path, content := range files {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Both versions of control groups say the same of a container.
func TestStatistics(t *testing.T) {
	root := t.TempDir()
	unified := Cgroups{cfg: Config{Instance: "1a2b"}, share: host.TaskCgroup{Memory: 1024}, hierarchies: []hierarchy{
		{mount: filepath.Join(root, "two"), unified: true, controllers: []string{"cpu", "memory", "pids", "io"}},
	}}
	group(t, filepath.Join(root, "two/fargo-1a2b/task"), map[string]string{
		"memory.max":        "268435456\n",
		"c/cpu.stat":        "usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 7\nnr_throttled 2\nthrottled_usec 50\n",
		"c/memory.current":  "4096\n",
		"c/memory.max":      "max\n",
		"c/memory.stat":     "anon 1024\ninactive_file 512\n",
		"c/pids.current":    "3\n",
		"c/pids.max":        "max\n",
		"c/io.stat":         "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\nnonsense\n",
		"c/unreadable.stat": "",
	})
	split := Cgroups{cfg: Config{Instance: "1a2b"}, share: host.TaskCgroup{Memory: 128}}
	for _, name := range []string{"cpu", "cpuacct", "memory", "pids", "blkio"} {
		split.hierarchies = append(split.hierarchies, hierarchy{mount: filepath.Join(root, name), controllers: []string{name}})
	}
	group(t, root, map[string]string{
		"cpu/fargo-1a2b/task/c/cpu.stat":                                    "nr_periods 7\nnr_throttled 2\nthrottled_time 50000\n",
		"cpuacct/fargo-1a2b/task/c/cpuacct.usage":                           "3000000\n",
		"cpuacct/fargo-1a2b/task/c/cpuacct.stat":                            "user 2\nsystem 1\n",
		"cpuacct/fargo-1a2b/task/c/cpuacct.usage_percpu":                    "1000000 2000000 \n",
		"memory/fargo-1a2b/task/memory.limit_in_bytes":                      "268435456\n",
		"memory/fargo-1a2b/task/c/memory.usage_in_bytes":                    "4096\n",
		"memory/fargo-1a2b/task/c/memory.max_usage_in_bytes":                "8192\n",
		"memory/fargo-1a2b/task/c/memory.limit_in_bytes":                    "9223372036854771712\n",
		"memory/fargo-1a2b/task/c/memory.stat":                              "anon 1024\ninactive_file 512\n",
		"pids/fargo-1a2b/task/c/pids.current":                               "3\n",
		"pids/fargo-1a2b/task/c/pids.max":                                   "64\n",
		"blkio/fargo-1a2b/task/c/blkio.throttle.io_service_bytes_recursive": "8:0 Read 10\n8:0 Write 20\n8:0 Total 30\nTotal 30\n",
		"blkio/fargo-1a2b/task/c/blkio.throttle.io_serviced_recursive":      "8:0 Read 1\n8:0 Write 2\n",
	})
	blocks := []host.BlockStatistics{
		{Major: 8, Operation: "read", Bytes: 10, Operations: 1}, {Major: 8, Operation: "write", Bytes: 20, Operations: 2},
	}
	parts := map[string]int64{"anon": 1024, "inactive_file": 512}
	for name, test := range map[string]struct {
		groups *Cgroups
		want   host.Statistics
	}{
		"version 2": {&unified, host.Statistics{
			CPU:    host.CPUStatistics{Total: 3 * time.Millisecond, User: 2 * time.Millisecond, System: time.Millisecond},
			Memory: host.MemoryStatistics{Usage: 4096, Limit: 256 << 20, Parts: parts},
			PIDs:   3, Blocks: blocks,
		}},
		"version 1": {&split, host.Statistics{
			CPU: host.CPUStatistics{
				Total: 3 * time.Millisecond, User: 20 * time.Millisecond, System: 10 * time.Millisecond,
				PerCPU: []time.Duration{time.Millisecond, 2 * time.Millisecond},
			},
			Memory: host.MemoryStatistics{Usage: 4096, MaxUsage: 8192, Limit: 128 << 20, Parts: parts},
			PIDs:   3, MaxPIDs: 64, Blocks: blocks,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.groups.Statistics("task", "c")
			if err != nil {
				t.Fatal(err)
			}
			if got.Read.IsZero() || got.CPU.Machine <= 0 || got.CPU.CPUs < 1 {
				t.Errorf("of the machine: %+v", got)
			}
			got.Read, got.CPU.Machine, got.CPU.CPUs = time.Time{}, 0, 0
			test.want.CPU.Periods, test.want.CPU.Throttled, test.want.CPU.ThrottledTime = 7, 2, 50*time.Microsecond
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
			if _, err := test.groups.Statistics("task", "gone"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("of no container: %v", err)
			}
			if _, err := test.groups.Statistics("task", "../task"); err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("of a path: %v", err)
			}
		})
	}
}

func TestClockError(t *testing.T) {
	if bound, _, err := ClockError(); err != nil || bound < 0 {
		t.Errorf("%s, %v", bound, err)
	}
}
