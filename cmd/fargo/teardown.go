package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"fargo/containerd"
)

// tearDown removes everything of the instance from the machine but its data
// directory: the node and load balancer processes, containers, containerd, networks, names, control
// groups, mounts and sockets. None of it need run or be
// undamaged. It is idempotent. The error names what could not be removed; the rest is.
// The control plane must not run.
func (m *machine) tearDown(ctx context.Context) error {
	node, err := nodeSupervisor(m.inst, m.flags, m.log)
	if err != nil {
		return err
	}
	held, err := node.Replace(ctx, "down") // none that is about to start begins to work
	if err != nil {
		return err
	}
	defer held.Close()
	balancers, err := balancerPool(m.inst, m.flags, m.log)
	if err != nil {
		return err
	}
	if err := balancers.Stop(ctx); err != nil {
		return err
	}
	err = m.removeContainers(ctx)
	if m.daemon != nil {
		if err != nil {
			m.log.Warn("containerd did not remove all containers, which are ended without it", "err", err)
		}
		err = m.daemon.Stop(ctx)
	}
	err = errors.Join(err, hosts(m.inst).Remove(), m.network.Purge(ctx), m.cgroups.Purge(ctx))
	err = errors.Join(err, containerd.UnmountBelow(m.inst.Dir, m.inst.RuntimeDir()))
	if err != nil {
		return err
	}
	return os.RemoveAll(m.inst.RuntimeDir())
}

const (
	// containerdTimeout is how long a teardown waits for a containerd that does not
	// answer: one that has just been started, or the user's.
	containerdTimeout = 15 * time.Second
	// removalTimeout is how long it waits for containers to be removed.
	removalTimeout = 2 * time.Minute
)

// removeContainers removes all containers by containerd. One of our own that does not
// run is started, for it has the list of what is left.
func (m *machine) removeContainers(ctx context.Context) error {
	if m.daemon != nil {
		if _, err := os.Stat(m.daemon.StateDir); errors.Is(err, os.ErrNotExist) {
			return nil // it has not run since the machine started, or was taken down
		}
		if _, err := m.daemon.Ensure(ctx); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, removalTimeout)
	defer cancel()
	answer, cancel := context.WithTimeout(ctx, containerdTimeout)
	defer cancel()
	ids, err := m.runtime.Records(answer)
	if err != nil {
		return fmt.Errorf("ask containerd for what is left: %w", err)
	}
	var failed []error
	for _, id := range ids {
		failed = append(failed, m.runtime.Remove(ctx, id))
	}
	return errors.Join(failed...)
}
