package containerd

import (
	"sync"

	"golang.org/x/sys/unix"
)

// usualFiles is Fargate's limit of open files, or what this machine lets us
// give: inside a container of someone else's we may not raise hard limits.
var usualFiles = sync.OnceValue(func() uint64 {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err == nil && sets[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0 {
		return fargateFiles
	}
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return fargateFiles
	}
	return min(fargateFiles, files.Max)
})
