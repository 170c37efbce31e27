package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// A namespace is an open network namespace. While it is open it lives, bound to
// a path or not.
type namespace struct {
	file  *os.File
	links *netlink.Handle

	mu struct {
		sync.Mutex
		rules *nftables.Conn // opened when first asked for
	}
}

func openNamespace(path string) (*namespace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	links, err := netlink.NewHandleAt(netns.NsHandle(file.Fd()), unix.NETLINK_ROUTE)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("netlink in %s: %w", path, err)
	}
	return &namespace{file: file, links: links}, nil
}

func (n *namespace) close() {
	n.links.Close()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mu.rules != nil {
		_ = n.mu.rules.CloseLasting()
	}
	n.file.Close()
}

func (n *namespace) nft() (*nftables.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.mu.rules == nil {
		conn, err := openNFT(int(n.file.Fd()))
		if err != nil {
			return nil, err
		}
		n.mu.rules = conn
	}
	return n.mu.rules, nil
}

// inside runs f on a thread that is in the namespace. Sockets that f opens stay in
// the namespace; goroutines that f starts do not run in it.
func (n *namespace) inside(f func() error) error { return inside(n.file, f) }

// inside runs f on a thread that is in the namespace of an open file.
func inside(ns *os.File, f func() error) error {
	runtime.LockOSThread()
	if onMainThread() {
		defer runtime.UnlockOSThread()
		return onNewThread(func() error { return inside(ns, f) })
	}
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer own.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("enter network namespace: %w", err)
	}
	err = f()
	if back := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); back != nil {
		// The thread stays locked and ends with its goroutine, so that no other
		// goroutine runs in the namespace.
		return errors.Join(err, fmt.Errorf("leave network namespace: %w", back))
	}
	runtime.UnlockOSThread()
	return err
}

// onNewThread runs f on a thread that ends with it, so f may change the thread in
// ways that cannot be undone. It is never the main thread: that would not end, and
// /proc/self and /proc/net show what the main thread has.
func onNewThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // unlocked only if it was the main thread
		if onMainThread() {
			done <- onNewThread(f) // on another, as this one is taken
			runtime.UnlockOSThread()
			return
		}
		done <- f()
	}()
	return <-done
}

func onMainThread() bool { return unix.Gettid() == unix.Getpid() }

// namespaceDefaults is set in each new namespace. Devices yet to come have no IPv6; ::1
// stays, as in a Fargate task. Connections that wait at a listener go to another
// at the same port when it closes.
// Source: Documentation/networking/ip-sysctl.rst, tcp_migrate_req.
var namespaceDefaults = []sysctl{
	{"net/ipv6/conf/default/disable_ipv6", "1"},
	{"net/ipv4/tcp_migrate_req", "1"},
}

// newNamespace makes a namespace that lives for as long as the file is open, or
// it is bound.
func newNamespace() (file *os.File, err error) {
	err = onNewThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("new network namespace: %w", err)
		}
		for _, s := range namespaceDefaults {
			if err := s.write(); err != nil {
				return fmt.Errorf("new network namespace: %w", err)
			}
		}
		file, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	return file, err
}

// bind gives a namespace a name in the file system.
func bind(namespace *os.File, path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o444)
	if err != nil {
		return err
	}
	file.Close()
	source := fmt.Sprintf("/proc/self/fd/%d", namespace.Fd())
	if err := unix.Mount(source, path, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind network namespace to %s: %w", path, err)
	}
	return nil
}

// isNamespace tells a bound namespace from the empty file that is left when one
// was being made or removed.
func isNamespace(path string) (bool, error) {
	var st unix.Statfs_t
	err := unix.Statfs(path, &st)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && st.Type == unix.NSFS_MAGIC, err
}

// unbind takes away all that is mounted on path, and path.
func unbind(path string) error {
	if err := unmount(path); err != nil {
		return err
	}
	return unless(os.Remove(path), fs.ErrNotExist)
}

func unmount(path string) error {
	for {
		switch err := unix.Unmount(path, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); {
		case errors.Is(err, unix.EINVAL), errors.Is(err, fs.ErrNotExist):
			return nil // nothing is mounted there (any more)
		case err != nil:
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
}

// makeNetNSDir makes dir and mounts it on itself, shared, so that a namespace
// unbound here is unbound in every mount namespace that was copied from ours;
// else a copy would keep it alive. ip-netns(8) does the same.
func makeNetNSDir(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	share := func() error { return unix.Mount("", dir, "", unix.MS_SHARED|unix.MS_REC, "") }
	err := share()
	if errors.Is(err, unix.EINVAL) { // not a mount point yet
		if err := unix.Mount(dir, dir, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mount %s on itself: %w", dir, err)
		}
		err = share()
	}
	if err != nil {
		return fmt.Errorf("share mounts in %s: %w", dir, err)
	}
	return nil
}

// removeNetNSDir undoes makeNetNSDir. Nothing may be bound in it any more.
func removeNetNSDir(dir string) error {
	if err := unbind(dir); err != nil {
		return err
	}
	err := os.Remove(filepath.Dir(dir))
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EBUSY) {
		return nil // somebody else's
	}
	return unless(err, fs.ErrNotExist)
}
