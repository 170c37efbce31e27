//go:build e2e

package containerd_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// privileged are the system calls that no container may make. Each would fail for want of
// arguments where it may be made, but with another error.
// Source: Docker's documentation, "Seccomp security profiles for Docker", "Significant
// syscalls blocked by the default profile", and moby's profiles/seccomp/default.json.
var privileged = []string{
	"bpf", "clock_settime", "delete_module", "finit_module", "io_uring_setup", "kexec_load", "keyctl", "open_by_handle_at",
	"perf_event_open", "pivot_root", "reboot", "request_key", "setns", "swapon", "syslog", "unshare of a network", "unshare of users",
	"userfaultfd", "mount", "mount again", "umount", "disk",
}

// A container whose program is hostile, and root, comes to nothing of the machine's, of
// Fargo's or of another container's.
func TestHostileContainer(t *testing.T) {
	machine, err := net.Listen("unix", "@fargo-test-"+strconv.Itoa(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	other := specOf(t, "hostile-other")
	start(t, other)
	ready(t, other, "ready")
	address := tests.config.Address
	s := spec(t, "hostile", machine.Addr().String(), address, filepath.Dir(filepath.Dir(address)), "/run/containerd", "/proc/1/root"+address)
	s.NetNS = emptyNetwork(t)
	start(t, s)
	said := ready(t, s, "tried")
	got := map[string]string{}
	var processes []string
	for line := range strings.Lines(said) {
		what, result, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if pid, is := strings.CutPrefix(what, "process "); is {
			processes = append(processes, pid)
		}
		got[what] = result
	}
	for _, what := range privileged {
		if got[what] != "EPERM" {
			t.Errorf("%s: %s", what, got[what])
		}
	}
	if strings.Join(processes, " ") != "1" {
		t.Errorf("it sees processes %v", processes)
	}
	if result := got["connect to an abstract socket"]; result != "ECONNREFUSED" {
		t.Errorf("the machine's abstract socket: %s", result)
	}
	for what, result := range got {
		kind, path, _ := strings.Cut(what, " ")
		switch kind {
		case "write":
			if path == "to /proc/self/oom_score_adj" {
				continue // its own, and it can only be raised
			}
			if result != "EROFS" && result != "ENOENT" && result != "EACCES" && result != "EPERM" {
				t.Errorf("%s: %s", what, result)
			}
		case "make":
			if result != "EROFS" && result != "ENOENT" {
				t.Errorf("%s: %s", what, result)
			}
		case "read":
			if result != "empty" && result != "ENOENT" {
				t.Errorf("%s: %s", what, result)
			}
		case "see":
			if result != "ENOENT" {
				t.Errorf("%s: %s", what, result)
			}
		}
	}
}

// emptyNetwork is a network namespace that ends with the test.
func emptyNetwork(t *testing.T) string {
	t.Helper()
	c := exec.Command("sleep", "infinity")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	return "/proc/" + strconv.Itoa(c.Process.Pid) + "/ns/net"
}
