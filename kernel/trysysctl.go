package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// namespaced are the settings that a network or an IPC namespace has of its own.
// Source: ipc_namespaces(7), network_namespaces(7).
var namespaced = regexp.MustCompile(`^(net|fs\.mqueue|kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced))(\.[a-zA-Z0-9_-]+)*$`)

// TrySysctl sets a setting of a network or an IPC namespace ("net.core.somaxconn")
// in namespaces made for it, with an eth0 as a task's have. The error says why the
// kernel refuses it. The machine's own settings do not change, and nothing is left
// behind.
func TrySysctl(name, value string) error {
	if !namespaced.MatchString(name) {
		return errors.New("it is the machine's, not a task's") // and is not tried
	}
	return onNewThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET | unix.CLONE_NEWIPC); err != nil {
			return fmt.Errorf("make namespaces to try it in: %w", err)
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name = "eth0"
		if err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "router"}); err != nil {
			return fmt.Errorf("make an interface to try it on: %w", err)
		}
		return sysctlError(setSysctl(name, value))
	})
}

// setSysctl writes as the container runtime does: at once, and with the dots as
// slashes.
func setSysctl(name, value string) error {
	f, err := os.OpenFile("/proc/sys/"+strings.ReplaceAll(name, ".", "/"), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(value)
	return err
}

// sysctlError says what the kernel's error means for whoever asked.
func sysctlError(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("a task has no such setting")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("a task may not change it")
	case errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ERANGE) || errors.Is(err, unix.EDOM):
		return errors.New("it is no value for that")
	}
	return err
}
