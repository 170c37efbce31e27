package containerd

import (
	"math"
	"sync"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// usualLimits are the resource limits of a process whose container asks for
// none, as far as this machine lets us: inside a container of someone else's we
// may not raise hard limits.
var usualLimits = sync.OnceValue(func() []specs.POSIXRlimit {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	err := unix.Capget(&header, &sets[0])
	if err == nil && sets[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0 {
		return fargateLimits
	}
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return fargateLimits
	}
	most := min(fargateFiles, files.Max)
	return []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: most, Hard: most}}
})

// fargateLimits are Fargate's of open files, and no limit of processes: Linux
// counts those of a user in all containers together, so that tasks would limit
// one another. The task's control group limits them instead.
var fargateLimits = []specs.POSIXRlimit{
	{Type: "RLIMIT_NOFILE", Soft: fargateFiles, Hard: fargateFiles},
	{Type: "RLIMIT_NPROC", Soft: math.MaxUint64, Hard: math.MaxUint64},
}
