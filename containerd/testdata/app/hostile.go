package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hostile tries what a container must not do, and prints how each of it ended. What has
// ended in success is not undone. args are paths and an abstract socket of the machine's.
func hostile(args []string) {
	report := func(what string, err error) {
		var number unix.Errno
		switch {
		case err == nil:
			fmt.Println(what + ": done")
		case errors.As(err, &number):
			fmt.Println(what + ": " + unix.ErrnoName(number))
		default:
			fmt.Println(what+":", err)
		}
	}
	for _, call := range []struct {
		name   string
		number uintptr
		args   [5]uintptr
	}{
		{"bpf", unix.SYS_BPF, [5]uintptr{}},
		{"clock_settime", unix.SYS_CLOCK_SETTIME, [5]uintptr{unix.CLOCK_REALTIME, pointer(&unix.Timespec{})}},
		{"delete_module", unix.SYS_DELETE_MODULE, [5]uintptr{}},
		{"finit_module", unix.SYS_FINIT_MODULE, [5]uintptr{}},
		{"io_uring_setup", unix.SYS_IO_URING_SETUP, [5]uintptr{1, 0}},
		{"kexec_load", unix.SYS_KEXEC_LOAD, [5]uintptr{}},
		{"keyctl", unix.SYS_KEYCTL, [5]uintptr{}},
		{"open_by_handle_at", unix.SYS_OPEN_BY_HANDLE_AT, [5]uintptr{}},
		{"perf_event_open", unix.SYS_PERF_EVENT_OPEN, [5]uintptr{}},
		{"pivot_root", unix.SYS_PIVOT_ROOT, [5]uintptr{}},
		{"reboot", unix.SYS_REBOOT, [5]uintptr{}},
		{"request_key", unix.SYS_REQUEST_KEY, [5]uintptr{}},
		{"setns", unix.SYS_SETNS, [5]uintptr{}},
		{"swapon", unix.SYS_SWAPON, [5]uintptr{}},
		{"syslog", unix.SYS_SYSLOG, [5]uintptr{3}},
		{"unshare of a network", unix.SYS_UNSHARE, [5]uintptr{unix.CLONE_NEWNET}},
		{"unshare of users", unix.SYS_UNSHARE, [5]uintptr{unix.CLONE_NEWUSER}},
		{"userfaultfd", unix.SYS_USERFAULTFD, [5]uintptr{}},
	} {
		a := call.args
		_, _, number := unix.Syscall6(call.number, a[0], a[1], a[2], a[3], a[4], 0)
		report(call.name, unlessZero(number))
	}
	report("mount", unix.Mount("tmpfs", "/mnt", "tmpfs", 0, ""))
	report("mount again", unix.Mount("", "/sys", "", unix.MS_REMOUNT|unix.MS_BIND, ""))
	report("umount", unix.Unmount("/proc/kcore", 0))
	report("disk", openDisk())
	for _, path := range []string{
		"/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger", "/proc/self/oom_score_adj",
		"/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs", "/sys/fs/cgroup/memory/cgroup.procs", "/dev/kmsg", "/dev/mem", "/dev/sda", "/dev/fuse",
	} {
		report("write to "+path, write(path))
	}
	report("make a control group", os.Mkdir("/sys/fs/cgroup/memory/x", 0o755))
	for _, path := range []string{"/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug"} {
		content, err := os.ReadFile(path)
		if err == nil && len(content) == 0 {
			err = errors.New("empty")
		}
		report("read "+path, err)
	}
	for _, name := range args {
		if strings.HasPrefix(name, "@") {
			c, err := net.Dial("unix", name)
			if err == nil {
				c.Close()
			}
			report("connect to an abstract socket", err)
			continue
		}
		_, err := os.Stat(name)
		report("see "+name, err)
	}
	processes, _ := os.ReadDir("/proc")
	for _, p := range processes {
		if p.IsDir() && p.Name()[0] >= '0' && p.Name()[0] <= '9' {
			fmt.Println("process", p.Name())
		}
	}
	fmt.Println("tried")
}

func unlessZero(n unix.Errno) error {
	if n == 0 {
		return nil
	}
	return n
}

func pointer(t *unix.Timespec) uintptr { return uintptr(unsafe.Pointer(t)) }

// write opens a file as who writes to it does. Nothing is written: some of them would be
// believed.
func write(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// openDisk makes a device of the machine's memory's kind, and opens it.
func openDisk() error {
	if err := unix.Mknod("/disk", unix.S_IFBLK|0o600, int(unix.Mkdev(7, 0))); err != nil { // loop0
		return err
	}
	return write("/disk")
}
