package kernel

import (
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The machine is checked for a thousand of the smallest tasks, each of which may have
// 1024 processes, in addition to a quarter that is reserved for the machine.
const (
	manyTasks = 1000
	// maxPIDs is the kernel's own limit (PID_MAX_LIMIT).
	maxPIDs = 4 << 20
)

// A sharedLimit is a limit of the kernel for the whole machine, or for all processes
// of a user: one task can use it up for all others.
type sharedLimit struct {
	key   string // of sysctl(8)
	what  string // is limited, and what uses it
	least int64  // that a thousand tasks need
	set   int64  // the value to suggest
}

// sharedLimits are those that tasks, or what Fargo makes for tasks, use. Control
// groups cannot divide them.
// Sources: Documentation/admin-guide/sysctl/ (kernel.rst, fs.rst, vm.rst),
// Documentation/networking/ip-sysctl.rst and nf_conntrack-sysctl.rst;
// inotify(7), io_setup(2), pty(7), epoll(7).
var sharedLimits = []sharedLimit{
	{"kernel.pid_max", "process ids: tasks may have three quarters of them together", manyTasks * 1024 * 4 / 3, maxPIDs},
	{"kernel.threads-max", "threads: a task's shim has about ten in addition to the task's own", 64 * manyTasks, 256 * manyTasks},
	{"fs.file-max", "open files of all processes together", 1 << 20, 1 << 23},
	{"fs.nr_open", "open files of one process: Fargate lets a task ask for 1048576", 1 << 20, 1 << 20},
	{"fs.inotify.max_user_instances", "inotify instances: root's in all tasks and the machine's count together", 8 * manyTasks, 8 * manyTasks},
	{"fs.inotify.max_user_watches", "inotify watches: root's in all tasks and the machine's count together", 256 * manyTasks, 1024 * manyTasks},
	{"fs.epoll.max_user_watches", "epoll watches: root's in all tasks and the machine's count together", 256 * manyTasks, 1024 * manyTasks},
	{"fs.aio-max-nr", "asynchronous I/O requests: databases in tasks set them aside", 1 << 18, 1 << 20},
	{"kernel.pty.max", "terminals, of which tasks with pseudoTerminal have one each", manyTasks + 1024, 4096},
	{"kernel.keys.root_maxkeys", "keyrings, of which each container has one", 4 * manyTasks, 1000 * manyTasks},
	{"user.max_net_namespaces", "network namespaces, of which each task has one", 2 * manyTasks, 64 * manyTasks},
	{"fs.mount-max", "mounts in one namespace, of which each task adds two", 8 * manyTasks, 100 * manyTasks},
	{"vm.max_map_count", "memory mappings of one process: search engines and databases want 262144", 1 << 18, 1 << 20},
	{"net.ipv4.neigh.default.gc_thresh3", "entries of the neighbour table: each task has two, and there is one table for all namespaces", 4 * manyTasks, 16 * manyTasks},
	{"net.ipv4.neigh.default.gc_thresh2", "entries of the neighbour table: above this the kernel removes unused ones", 2 * manyTasks, 8 * manyTasks},
	{"net.netfilter.nf_conntrack_max", "tracked connections, by the machine and by each VPC", 1 << 17, 1 << 20},
}

// CheckSharedLimits finds the limits of this machine that are too low for a thousand
// tasks. Fargo works all the same.
func CheckSharedLimits() []Problem {
	problems := lowLimits(readSysctl)
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err == nil && files.Max < minFiles {
		problems = append(problems, Problem{
			What: "open files: each connection through a load balancer takes two",
			Why:  fmt.Sprintf("the hard limit (ulimit -Hn) is %d", files.Max),
			Fix:  fmt.Sprintf("ulimit -Hn %[1]d before fargo up, or LimitNOFILE=%[1]d in its systemd unit", maxFiles),
		})
	}
	return problems
}

// minFiles is for ten thousand connections in each of a few load balancer
// processes. maxFiles is the kernel's default of fs.nr_open.
const (
	minFiles = 1 << 16
	maxFiles = 1 << 20
)

// lowLimits are the shared limits that are too low. read returns the value of one;
// one that it cannot read does not count.
func lowLimits(read func(key string) (int64, error)) []Problem {
	var problems []Problem
	for _, b := range sharedLimits {
		is, err := read(b.key)
		if err != nil || is >= b.least {
			continue
		}
		problems = append(problems, Problem{
			What: b.what,
			Why:  fmt.Sprintf("%s is %d", b.key, is),
			Fix:  fmt.Sprintf("sysctl -w %s=%d, and the same in /etc/sysctl.d to keep it", b.key, b.set),
		})
	}
	return problems
}

func readSysctl(key string) (int64, error) {
	b, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(key, ".", "/"))
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
	if errors.Is(err, strconv.ErrRange) { // fs.file-max may be more than an int64
		return math.MaxInt64, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", key, err)
	}
	return n, nil
}
