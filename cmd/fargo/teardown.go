package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tearDown removes everything of the instance from the machine but its data
// directory: the node and load balancer processes, containers, containerd, networks, names, control
// groups, mounts and sockets. It needs none of it to be alive or whole, and may
// be repeated. The control plane must not run.
func (m *machine) tearDown(ctx context.Context) error {
	node := nodeProcess{inst: m.inst, log: m.log}
	if err := node.stop(ctx, syscall.SIGTERM); err != nil {
		return err
	}
	balancers := balancerProcesses{inst: m.inst, log: m.log}
	if err := balancers.stop(ctx); err != nil {
		return err
	}
	// A containerd that fails keeps its containers; the rest goes all the same.
	err := m.removeContainers(ctx)
	if m.daemon != nil && err == nil {
		err = m.daemon.Stop(ctx)
	}
	err = errors.Join(err, hosts(m.inst).Remove(), m.network.Purge(ctx), m.cgroups.Purge(ctx))
	if err != nil {
		return err
	}
	if err := unmountBelow(m.inst.Dir, m.inst.RuntimeDir()); err != nil {
		return err
	}
	return os.RemoveAll(m.inst.RuntimeDir())
}

// containerdTimeout is how long a teardown waits for a containerd that is away.
// One of our own has just been started; for another nobody knows.
const containerdTimeout = 15 * time.Second

// removeContainers removes all of them. A containerd of our own that does not
// run is started for it: it alone knows what is left of them.
func (m *machine) removeContainers(ctx context.Context) error {
	if m.daemon != nil {
		if _, err := os.Stat(m.daemon.StateDir); errors.Is(err, os.ErrNotExist) {
			return nil // it has not run since the machine started, or was taken down
		}
		if _, err := m.daemon.Ensure(ctx); err != nil {
			return err
		}
	}
	answer, cancel := context.WithTimeout(ctx, containerdTimeout)
	containers, err := m.runtime.List(answer)
	cancel()
	if err != nil {
		return fmt.Errorf("ask containerd for what is left: %w", err)
	}
	for _, c := range containers {
		if err := m.runtime.Remove(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// unmountBelow takes away every mount below the directories: what a process
// that was killed halfway left.
func unmountBelow(dirs ...string) error {
	info, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var points []string
	for line := range strings.Lines(string(info)) {
		point := unescapeMount(strings.Fields(line)[4])
		for _, dir := range dirs {
			if strings.HasPrefix(point, dir+"/") {
				points = append(points, point)
			}
		}
	}
	// Later mounts may be inside of or on top of earlier ones.
	for i := len(points) - 1; i >= 0; i-- {
		if err := unix.Unmount(points[i], unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("unmount %s: %w", points[i], err)
		}
	}
	return nil
}

// unescapeMount undoes how the kernel writes a path. Source: proc(5), mountinfo.
func unescapeMount(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}
