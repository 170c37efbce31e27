package kernel

import (
	"testing"

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

// Source: Documentation/admin-guide/cgroup-v1/hugetlb.rst.
func TestSizesOfHugePages(t *testing.T) {
	for kb, want := range map[int]string{64: "64KB", 2048: "2MB", 1048576: "1GB", 16777216: "16GB"} {
		if got := pageSize(kb); got != want {
			t.Errorf("%d kB: %s, want %s", kb, got, want)
		}
	}
}
