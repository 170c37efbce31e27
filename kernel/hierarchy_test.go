package kernel

import (
	"fmt"
	"testing"

	"fargo"

	"github.com/google/go-cmp/cmp"
)

var mountinfos = []string{
	// Version 2 alone.
	"30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
	// Version 1, two controllers in one tree, and version 2 beside it for systemd.
	"1 0 8:1 / / rw - ext4 /dev/root rw\n" +
		"31 30 0:27 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n" +
		"32 30 0:28 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd\n" +
		"33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:12 - cgroup cgroup rw,cpu,cpuacct\n" +
		"34 30 0:30 / /sys/fs/cgroup/memory rw shared:13 - cgroup cgroup rw,memory\n" +
		"35 30 0:30 / /mnt/my\\040memory rw shared:13 - cgroup cgroup rw,memory\n",
	"",
	"nonsense - \n - cgroup\n",
}

func TestParseHierarchies(t *testing.T) {
	want := [][]hierarchy{
		{{mount: "/sys/fs/cgroup", unified: true}},
		{
			{mount: "/sys/fs/cgroup/unified", unified: true},
			{mount: "/sys/fs/cgroup/systemd", controllers: []string{"rw", "xattr", "name=systemd"}},
			{mount: "/sys/fs/cgroup/cpu,cpuacct", controllers: []string{"rw", "cpu", "cpuacct"}},
			{mount: "/sys/fs/cgroup/memory", controllers: []string{"rw", "memory"}},
		},
		nil,
		nil,
	}
	for i, in := range mountinfos {
		if d := cmp.Diff(want[i], parseHierarchies(in), cmp.AllowUnexported(hierarchy{})); d != "" {
			t.Errorf("case %d: %s", i, d)
		}
	}
}

func FuzzParseHierarchies(f *testing.F) {
	for _, in := range mountinfos {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, h := range parseHierarchies(in) {
			if h.mount == "" || h.unified == (h.controllers != nil) {
				t.Errorf("%+v", h)
			}
		}
	})
}

// Sources: Documentation/scheduler/sched-bwc.rst,
// Documentation/admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst.
func TestLimits(t *testing.T) {
	for _, test := range []struct {
		h    hierarchy
		task fargo.TaskCgroup
		want string
	}{
		{
			hierarchy{controllers: []string{"cpu"}},
			fargo.TaskCgroup{CPU: 256},
			"[{cpu.cfs_period_us 100000 false} {cpu.cfs_quota_us 25000 false} {cpu.shares 256 false}]",
		},
		{
			hierarchy{controllers: []string{"cpu"}},
			fargo.TaskCgroup{CPU: 1},
			"[{cpu.cfs_period_us 100000 false} {cpu.cfs_quota_us 1000 false} {cpu.shares 2 false}]",
		},
		{
			hierarchy{controllers: []string{"cpu"}},
			fargo.TaskCgroup{},
			"[{cpu.cfs_period_us 100000 false} {cpu.cfs_quota_us -1 false} {cpu.shares 1024 false}]",
		},
		{
			hierarchy{controllers: []string{"memory"}},
			fargo.TaskCgroup{Memory: 512},
			"[{memory.memsw.limit_in_bytes -1 true} {memory.limit_in_bytes 536870912 false} {memory.memsw.limit_in_bytes 536870912 true}]",
		},
		{
			hierarchy{unified: true, controllers: []string{"cpu", "memory"}},
			fargo.TaskCgroup{CPU: 4096, Memory: 1},
			"[{cpu.max 400000 100000 false} {cpu.weight 400 false} {memory.max 1048576 false} {memory.swap.max 0 true}]",
		},
		{
			hierarchy{unified: true, controllers: []string{"cpu", "memory"}},
			fargo.TaskCgroup{},
			"[{cpu.max max 100000 false} {cpu.weight 100 false} {memory.max max false} {memory.swap.max max true}]",
		},
		{hierarchy{controllers: []string{"freezer"}}, fargo.TaskCgroup{CPU: 256, Memory: 512}, "[]"},
	} {
		if got := fmt.Sprint(test.h.limits(test.task)); got != test.want {
			t.Errorf("%v of %v:\n got %s\nwant %s", test.task, test.h.controllers, got, test.want)
		}
	}
}
