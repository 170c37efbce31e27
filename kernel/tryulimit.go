package kernel

import (
	"fmt"
	"math"

	"golang.org/x/sys/unix"
)

// resources are the limits of setrlimit(2) by the names that ECS has for them.
var resources = map[string]int{
	"core": unix.RLIMIT_CORE, "cpu": unix.RLIMIT_CPU, "data": unix.RLIMIT_DATA, "fsize": unix.RLIMIT_FSIZE,
	"locks": unix.RLIMIT_LOCKS, "memlock": unix.RLIMIT_MEMLOCK, "msgqueue": unix.RLIMIT_MSGQUEUE, "nice": unix.RLIMIT_NICE,
	"nofile": unix.RLIMIT_NOFILE, "nproc": unix.RLIMIT_NPROC, "rss": unix.RLIMIT_RSS, "rtprio": unix.RLIMIT_RTPRIO,
	"rttime": unix.RLIMIT_RTTIME, "sigpending": unix.RLIMIT_SIGPENDING, "stack": unix.RLIMIT_STACK,
}

// TryUlimit says whether this process, and so what it starts, may give another a
// hard limit by its ECS name ("nofile"); -1 means none. Nothing changes.
func TryUlimit(name string, hard int64) error {
	resource, known := resources[name]
	if !known {
		return fmt.Errorf("there is no limit %q", name)
	}
	var own unix.Rlimit
	if err := unix.Getrlimit(resource, &own); err != nil {
		return err
	}
	most, err := maxUlimit(resource, own.Max)
	if err != nil {
		return err
	}
	wanted := uint64(math.MaxUint64)
	if hard >= 0 {
		wanted = uint64(hard)
	}
	if wanted > most {
		return fmt.Errorf("this machine gives at most %d", most)
	}
	return nil
}

// maxUlimit is the highest that a hard limit can be set to. Source: setrlimit(2),
// CAP_SYS_RESOURCE; Documentation/admin-guide/sysctl/fs.rst, nr_open.
func maxUlimit(resource int, own uint64) (uint64, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	if err := unix.Capget(&header, &sets[0]); err != nil {
		return 0, err
	}
	if sets[0].Effective&(1<<unix.CAP_SYS_RESOURCE) == 0 {
		return own, nil
	}
	if resource != unix.RLIMIT_NOFILE {
		return math.MaxUint64, nil
	}
	files, err := readSysctl("fs.nr_open")
	return uint64(files), err
}
