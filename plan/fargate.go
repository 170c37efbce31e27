package plan

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"fargo/aws"
	"fargo/aws/ecs"
)

// PlatformVersion is what LATEST means for Linux, and oldPlatform the one before it
// that still takes tasks.
// Source: ECS developer guide, "Fargate Linux platform versions".
const (
	PlatformVersion = "1.4.0"
	oldPlatform     = "1.3.0"
)

// ResolvePlatform gives the platform version that a user means ("LATEST", "1.4.0",
// "" for any); ok is false when there is none of the name.
func ResolvePlatform(given string) (version string, ok bool) {
	switch given {
	case "", "LATEST", PlatformVersion:
		return PlatformVersion, true
	case oldPlatform:
		return oldPlatform, true
	}
	return "", false
}

// OnPlatform reports whether a platform version has what a definition asks for.
// Source: ECS API, RegisterTaskDefinition (memory, pidMode, ephemeralStorage) and
// LinuxParameters (capabilities); ECS developer guide, "Fargate Linux platform
// versions" (EFS, environment files, ARM); "Use Amazon EBS volumes with Amazon ECS".
func OnPlatform(version string, d *ecs.TaskDefinition) bool {
	if version != oldPlatform {
		return true
	}
	if number(d.Cpu) > 4096 || d.PidMode != "" || d.EphemeralStorage != nil || architecture(d) != "x86_64" {
		return false
	}
	for _, v := range d.Volumes {
		if v.EfsVolumeConfiguration != nil || aws.Value(v.ConfiguredAtLaunch) {
			return false
		}
	}
	for _, c := range d.ContainerDefinitions {
		p := c.LinuxParameters
		if len(c.EnvironmentFiles) > 0 || p != nil && (len(p.Tmpfs) > 0 || p.Capabilities != nil && len(p.Capabilities.Add) > 0) {
			return false
		}
	}
	return true
}

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

// largestCPU is the largest CPU size, and largestMemory the memory sizes in MiB that
// go with it.
const largestCPU = 32 << 10

var largestMemory = []int64{60 << 10, 120 << 10, 244 << 10}

// FargateSize reports whether Fargate offers tasks of cpu units and memory MiB.
func FargateSize(cpu, memory int64) bool {
	if cpu == 256 {
		return memory == 512 || memory == 1024 || memory == 2048
	}
	if cpu == largestCPU {
		return slices.Contains(largestMemory, memory)
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
