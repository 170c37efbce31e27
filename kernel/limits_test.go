package kernel

import (
	"strings"
	"testing"

	"fargo/host"
)

// Sources: Documentation/scheduler/sched-bwc.rst,
// Documentation/admin-guide/cgroup-v1/ (memory.rst, pids.rst, hugetlb.rst) and
// cgroup-v2.rst, Documentation/block/bfq-iosched.rst.
func TestLimits(t *testing.T) {
	pages := []string{"2MB"}
	for _, test := range []struct {
		of   string
		h    hierarchy
		task host.TaskCgroup
		want string
	}{
		{
			"version 1, cpu",
			hierarchy{controllers: []string{"cpu"}},
			host.TaskCgroup{CPU: 256, Memory: 512, PIDs: 1024},
			"cpu.cfs_period_us=100000 cpu.cfs_quota_us=25000 cpu.shares=256",
		},
		{
			"the least cpu",
			hierarchy{controllers: []string{"cpu"}},
			host.TaskCgroup{CPU: 1},
			"cpu.cfs_period_us=100000 cpu.cfs_quota_us=1000 cpu.shares=2",
		},
		{
			"no cpu limit",
			hierarchy{controllers: []string{"cpu"}},
			host.TaskCgroup{},
			"cpu.cfs_period_us=100000 cpu.cfs_quota_us=-1 cpu.shares=1024",
		},
		{
			"version 1, memory, swap and buffers of TCP",
			hierarchy{controllers: []string{"memory"}},
			host.TaskCgroup{Memory: 512},
			"memory.memsw.limit_in_bytes=-1? memory.limit_in_bytes=536870912 memory.memsw.limit_in_bytes=536870912? memory.kmem.tcp.limit_in_bytes=536870912?",
		},
		{
			"version 1, processes",
			hierarchy{controllers: []string{"pids"}},
			host.TaskCgroup{PIDs: 1024},
			"pids.max=1024",
		},
		{
			"no limit of processes",
			hierarchy{controllers: []string{"pids"}},
			host.TaskCgroup{CPU: 256},
			"pids.max=max",
		},
		{
			"version 1, huge pages",
			hierarchy{controllers: []string{"hugetlb"}, pages: pages},
			host.TaskCgroup{CPU: 256},
			"hugetlb.2MB.limit_in_bytes=0? hugetlb.2MB.rsvd.limit_in_bytes=0?",
		},
		{
			"version 1, disks",
			hierarchy{controllers: []string{"blkio"}},
			host.TaskCgroup{CPU: 256},
			"blkio.bfq.weight=25?",
		},
		{
			"version 2, everything",
			hierarchy{unified: true, controllers: []string{"cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"}, pages: pages},
			host.TaskCgroup{CPU: 16384, Memory: 1, PIDs: 65536},
			"cpu.max=1600000 100000 cpu.weight=1600 memory.max=1048576 memory.swap.max=0? pids.max=65536" +
				" hugetlb.2MB.max=0? hugetlb.2MB.rsvd.max=0? io.weight=1600? io.bfq.weight=1000?",
		},
		{
			"version 2, no limits",
			hierarchy{unified: true, controllers: []string{"cpu", "memory", "pids", "io"}},
			host.TaskCgroup{},
			"cpu.max=max 100000 cpu.weight=100 memory.max=max memory.swap.max=max? pids.max=max io.weight=100? io.bfq.weight=100?",
		},
		{
			"version 2 beside version 1, with what that does not have",
			hierarchy{unified: true, controllers: []string{"hugetlb"}, pages: pages},
			host.TaskCgroup{CPU: 256, Memory: 512, PIDs: 1024},
			"hugetlb.2MB.max=0? hugetlb.2MB.rsvd.max=0?",
		},
		{"nothing to limit", hierarchy{controllers: []string{"freezer"}}, host.TaskCgroup{CPU: 256, Memory: 512, PIDs: 1024}, ""},
	} {
		var got []string
		for _, s := range test.h.limits(test.task) {
			optional := ""
			if s.optional {
				optional = "?"
			}
			got = append(got, s.file+"="+s.value+optional)
		}
		if got := strings.Join(got, " "); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.of, got, test.want)
		}
	}
}

// Whatever the machine, tasks get some of it and not all.
func TestShareOfTasks(t *testing.T) {
	for _, test := range []struct {
		machine size
		want    host.TaskCgroup
	}{
		{size{memory: 500, pids: 4000}, host.TaskCgroup{Memory: 250, PIDs: 3000}},
		{size{memory: 1000, pids: 7000}, host.TaskCgroup{Memory: 500, PIDs: 5250}},
		{size{memory: 2048, pids: 15000}, host.TaskCgroup{Memory: 1536, PIDs: 11250}},
		{size{memory: 16384, pids: 32768}, host.TaskCgroup{Memory: 14336, PIDs: 24576}},
		{size{memory: 1 << 20, pids: 4194304}, host.TaskCgroup{Memory: 1<<20 - 4096, PIDs: 3145728}},
	} {
		if got := tasksShare(test.machine); got != test.want {
			t.Errorf("%+v: tasks get %+v, want %+v", test.machine, got, test.want)
		}
	}
}
