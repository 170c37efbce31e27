package plan

import (
	"regexp"
	"strconv"
	"strings"
)

// fargateMemory gives, for each CPU size in units, the memory sizes in MiB that
// go with it: least, most and step.
// Source: ECS developer guide, "Task CPU and memory" for Fargate.
var fargateMemory = map[int64][3]int64{
	512:   {1024, 4096, 1024},
	1024:  {2048, 8192, 1024},
	2048:  {4096, 16384, 1024},
	4096:  {8192, 30720, 1024},
	8192:  {16384, 61440, 4096},
	16384: {32768, 122880, 8192},
}

// FargateSize reports whether Fargate offers tasks of cpu units and memory MiB.
func FargateSize(cpu, memory int64) bool {
	if cpu == 256 {
		return memory == 512 || memory == 1024 || memory == 2048
	}
	m, ok := fargateMemory[cpu]
	return ok && memory >= m[0] && memory <= m[1] && (memory-m[0])%m[2] == 0
}

// pidsPerUnit is how many processes and threads a task may have for each CPU
// unit: 4096 for a vCPU, and 1024 for the smallest task, which is several times
// what a JVM with its thread pools takes. AWS publishes no number for Fargate,
// whose tasks have a kernel each; the ECS agent has none by default
// (ECS_TASK_PIDS_LIMIT).
const pidsPerUnit = 4

// PIDs is how many processes and threads a task of that many CPU units may have
// at once; a task without a limit of CPU has none of its own.
func PIDs(cpu int64) int64 { return cpu * pidsPerUnit }

var (
	cpuText    = regexp.MustCompile(`(?i)^\s*(\d*\.?\d+)\s*(vcpu)?\s*$`)
	memoryText = regexp.MustCompile(`(?i)^\s*(\d*\.?\d+)\s*(gb)?\s*$`)
)

// ParseCPU reads a task-level cpu ("512", ".5 vCPU") as CPU units.
func ParseCPU(s string) (units int64, ok bool) { return parseSize(cpuText, s) }

// ParseMemory reads a task-level memory ("2048", "2 GB") as MiB.
func ParseMemory(s string) (mib int64, ok bool) { return parseSize(memoryText, s) }

func parseSize(pattern *regexp.Regexp, s string) (int64, bool) {
	m := pattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	if m[2] == "" {
		n, err := strconv.ParseInt(strings.TrimSpace(m[1]), 10, 64)
		return n, err == nil && n > 0
	}
	f, err := strconv.ParseFloat(m[1], 64)
	return int64(f * 1024), err == nil && f > 0
}
