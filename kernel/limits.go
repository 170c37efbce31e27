package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"fargo/host"
)

// A setting is a value for a file of a control group.
type setting struct {
	file, value string
	// optional: the kernel may have been built, or booted, without.
	optional bool
}

func (s setting) write(dir string) error {
	err := writeFile(dir, s.file, s.value)
	if s.optional && errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

const period = 100_000 // microseconds, the kernel's default

// limiting are the controllers that limit a task. The others (cpuset, devices, rdma,
// misc, dmem) limit what containers cannot use, for they have no device nodes, or
// what all tasks share, as processors.
var limiting = []string{"cpu", "memory", "pids", "hugetlb", "io"}

// limits are the files to write, in order, for what this hierarchy limits.
//
// A weight in proportion to the CPU ceiling divides a machine that is overcommitted,
// and its disks too where the I/O scheduler supports that. A task has no swap, as on
// Fargate. It has no huge pages either: the administrator has reserved them for
// something else.
func (h hierarchy) limits(t host.TaskCgroup) []setting {
	var out []setting
	for _, of := range []struct {
		controller string
		v1, v2     func() []setting
	}{
		{"cpu", func() []setting { return cpu(t.CPU) }, func() []setting { return unifiedCPU(t.CPU) }},
		{"memory", func() []setting { return memory(t.Memory) }, func() []setting { return unifiedMemory(t.Memory) }},
		{"pids", func() []setting { return pids(t.PIDs) }, func() []setting { return pids(t.PIDs) }},
		{"hugetlb", func() []setting { return h.noHugePages("limit_in_bytes") }, func() []setting { return h.noHugePages("max") }},
		{"blkio", func() []setting { return blkio(t.CPU) }, nil},
		{"io", nil, func() []setting { return unifiedIO(t.CPU) }},
	} {
		settings := of.v1
		if h.unified {
			settings = of.v2
		}
		if settings != nil && h.has(of.controller) {
			out = append(out, settings()...)
		}
	}
	return out
}

// quota is the microseconds per period that ECS units come to. The kernel takes
// no less than a millisecond.
func quota(units int64) int64 { return max(units*period/1024, 1000) }

func cpu(units int64) []setting {
	ceiling, shares := int64(-1), int64(1024)
	if units > 0 {
		ceiling, shares = quota(units), max(units, 2)
	}
	return []setting{
		{file: "cpu.cfs_period_us", value: strconv.Itoa(period)},
		{file: "cpu.cfs_quota_us", value: strconv.FormatInt(ceiling, 10)},
		{file: "cpu.shares", value: strconv.FormatInt(shares, 10)},
	}
}

// weightOf is the weight of ECS units where 100 is the default: as 1024 are the
// default of shares, 1024 units have the weight 100.
func weightOf(units int64) int64 { return min(max(units*100/1024, 1), 10_000) }

func unifiedCPU(units int64) []setting {
	ceiling, weight := "max", int64(100)
	if units > 0 {
		ceiling = strconv.FormatInt(quota(units), 10)
		weight = weightOf(units)
	}
	return []setting{
		{file: "cpu.max", value: fmt.Sprintf("%s %d", ceiling, period)},
		{file: "cpu.weight", value: strconv.FormatInt(weight, 10)},
	}
}

// memory sets limits in an order that can raise and lower them: that of memory and
// swap together may never be below that of memory alone, so it is removed before
// that is set, and set again afterwards.
func memory(mib int64) []setting {
	limit := "-1"
	if mib > 0 {
		limit = strconv.FormatInt(mib<<20, 10)
	}
	return []setting{
		{file: "memory.memsw.limit_in_bytes", value: "-1", optional: true},
		{file: "memory.limit_in_bytes", value: limit},
		{file: "memory.memsw.limit_in_bytes", value: limit, optional: true},
		// Buffers of TCP, which version 1 counts apart.
		{file: "memory.kmem.tcp.limit_in_bytes", value: limit, optional: true},
	}
}

func unifiedMemory(mib int64) []setting {
	limit, swap := "max", "max"
	if mib > 0 {
		limit, swap = strconv.FormatInt(mib<<20, 10), "0"
	}
	return []setting{
		{file: "memory.max", value: limit},
		{file: "memory.swap.max", value: swap, optional: true},
	}
}

func pids(n int64) []setting {
	limit := "max"
	if n > 0 {
		limit = strconv.FormatInt(n, 10)
	}
	return []setting{{file: "pids.max", value: limit}}
}

// noHugePages forbids them, and to reserve them. Source:
// Documentation/admin-guide/cgroup-v1/hugetlb.rst and cgroup-v2.rst, "HugeTLB".
func (h hierarchy) noHugePages(file string) []setting {
	var out []setting
	for _, size := range h.pages {
		out = append(out,
			setting{file: "hugetlb." + size + "." + file, value: "0", optional: true},
			setting{file: "hugetlb." + size + ".rsvd." + file, value: "0", optional: true},
		)
	}
	return out
}

// blkio is the weight of disk requests, where the scheduler is BFQ. Source:
// Documentation/block/bfq-iosched.rst.
func blkio(units int64) []setting {
	return []setting{{file: "blkio.bfq.weight", value: diskWeight(units, 1000), optional: true}}
}

// unifiedIO is for BFQ, and for the kernel's own cost model, which works with
// every scheduler. Source: Documentation/admin-guide/cgroup-v2.rst, "IO".
func unifiedIO(units int64) []setting {
	return []setting{
		{file: "io.weight", value: diskWeight(units, 10_000), optional: true},
		{file: "io.bfq.weight", value: diskWeight(units, 1000), optional: true},
	}
}

func diskWeight(units, most int64) string {
	if units == 0 {
		return "100"
	}
	return strconv.FormatInt(min(weightOf(units), most), 10)
}
