//go:build e2e

package dns

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// In a container the hosts file is a mount of its own, which nothing can be
// renamed over.
func TestHostsOnMount(t *testing.T) {
	const before = "127.0.0.1 localhost\n10.1.1.1 nas"
	h := hostsFile(t, before)
	if err := unix.Mount(h.Path, h.Path, "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(h.Path, 0); err != nil {
			t.Error(err)
		}
	})
	h.mustSet(t, names("a.example", "172.31.0.5 172.31.16.5"))
	h.check(t, "127.0.0.1 localhost\n172.31.0.5\ta.example\t# fargo 1a2b\n172.31.16.5\ta.example\t# fargo 1a2b\n10.1.1.1 nas")
	h.mustSet(t, names("a.example", "172.31.0.6"))
	h.check(t, "127.0.0.1 localhost\n172.31.0.6\ta.example\t# fargo 1a2b\n10.1.1.1 nas")
	if err := h.Remove(); err != nil {
		t.Fatal(err)
	}
	h.check(t, before)
	if _, err := os.Stat(tempPath(h.Path)); !os.IsNotExist(err) {
		t.Error("left behind", err)
	}
}
