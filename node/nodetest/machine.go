package nodetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"fargo/desired"
	"fargo/host"
	"fargo/node"
)

// Network is a [node.Network] that remembers. It fails a second Set at once.
type Network struct {
	Delay time.Duration

	mu struct {
		sync.Mutex
		busy bool
		now  host.Network
		sets int
	}
}

var _ node.Network = (*Network)(nil)

// Now is what the network was last set to, and how often it was set.
func (n *Network) Now() (now host.Network, sets int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.now, n.mu.sets
}

// Set remembers want, but for interfaces in no VPC, which fail.
func (n *Network) Set(ctx context.Context, want host.Network) error {
	n.mu.Lock()
	if n.mu.busy {
		n.mu.Unlock()
		panic("nodetest: two Sets of the network at once")
	}
	n.mu.busy = true
	n.mu.Unlock()
	err := pass(ctx, n.Delay)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.busy = false
	if err != nil {
		return err
	}
	failed := host.Failures{}
	want.Interfaces = slices.DeleteFunc(slices.Clone(want.Interfaces), func(i desired.Interface) bool {
		astray := !slices.ContainsFunc(want.VPCs, func(v desired.VPC) bool { return v.ID == i.VPC })
		if astray {
			failed[i.ID] = errors.New("is in no VPC")
		}
		return astray
	})
	n.mu.now = want
	n.mu.sets++
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// NetNS is a path where nothing is.
func (n *Network) NetNS(interfaceID string) string { return "/netns/" + interfaceID }

// Cgroups is a [node.Cgroups] that remembers.
type Cgroups struct {
	Delay time.Duration

	mu struct {
		sync.Mutex
		now  []host.TaskCgroup
		busy map[string]bool
	}
}

var _ node.Cgroups = (*Cgroups)(nil)

// Hold says that a task's group cannot be taken away, and Let that it can.
func (c *Cgroups) Hold(taskID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.busy == nil {
		c.mu.busy = map[string]bool{}
	}
	c.mu.busy[taskID] = true
}

// Let undoes Hold.
func (c *Cgroups) Let(taskID string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.mu.busy, taskID)
}

// Now is what the control groups were last set to.
func (c *Cgroups) Now() []host.TaskCgroup {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.now
}

// Set remembers want, and that what is held goes on.
func (c *Cgroups) Set(ctx context.Context, want []host.TaskCgroup) error {
	if err := pass(ctx, c.Delay); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	next, failed := slices.Clone(want), host.Failures{}
	for _, old := range c.mu.now {
		wanted := slices.ContainsFunc(want, func(g host.TaskCgroup) bool { return g.TaskID == old.TaskID })
		if !wanted && c.mu.busy[old.TaskID] {
			next, failed[old.TaskID] = append(next, old), errors.New("is busy")
		}
	}
	c.mu.now = next
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// Path is a path where nothing is.
func (c *Cgroups) Path(taskID, containerID string) string { return "/" + taskID + "/" + containerID }

func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return ctx.Err()
	}
}
