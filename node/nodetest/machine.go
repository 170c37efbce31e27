package nodetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"fargo"
	"fargo/node"
)

// Network is a [node.Network] that remembers. It fails a second Set at once.
type Network struct {
	Delay time.Duration

	mu struct {
		sync.Mutex
		busy bool
		now  fargo.NodeNetwork
		sets int
	}
}

var _ node.Network = (*Network)(nil)

// Now is what the network was last set to, and how often it was set.
func (n *Network) Now() (now fargo.NodeNetwork, sets int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.now, n.mu.sets
}

// Set remembers want, which must not contradict itself.
func (n *Network) Set(ctx context.Context, want fargo.NodeNetwork) error {
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
	for _, i := range want.Interfaces {
		if !slices.ContainsFunc(want.VPCs, func(v fargo.VPC) bool { return v.ID == i.VPC }) {
			return errors.New("interface " + i.ID + " is in no VPC")
		}
	}
	n.mu.now = want
	n.mu.sets++
	return nil
}

// NetNS is a path where nothing is.
func (n *Network) NetNS(interfaceID string) string { return "/netns/" + interfaceID }

// Cgroups is a [node.Cgroups] that remembers.
type Cgroups struct {
	Delay time.Duration

	mu struct {
		sync.Mutex
		now []fargo.TaskCgroup
	}
}

var _ node.Cgroups = (*Cgroups)(nil)

// Now is what the control groups were last set to.
func (c *Cgroups) Now() []fargo.TaskCgroup {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.now
}

// Set remembers want.
func (c *Cgroups) Set(ctx context.Context, want []fargo.TaskCgroup) error {
	if err := pass(ctx, c.Delay); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.now = want
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
