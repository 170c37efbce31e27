package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"

	"fargo/instance"
	"fargo/node"
	"fargo/process"
)

// downCommand removes what an instance has on this machine.
type downCommand struct {
	dataDir
	Purge bool `help:"Remove the data directory too."`
}

// Run stops what runs, by the control plane if that runs, and removes what is left.
func (c *downCommand) Run(ctx context.Context, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	inst, err := instance.Find(c.DataDir)
	if errors.Is(err, instance.ErrNotFound) && c.Purge {
		return nil // nothing there, nothing to remove
	}
	if err != nil {
		return err
	}
	if err := stopControlPlane(ctx, inst); err != nil {
		return err
	}
	held, err := process.Acquire(inst.UpLock(), "down")
	if err != nil {
		return fmt.Errorf("%s: %w", inst.Dir, err)
	}
	defer held.Close()
	var flags machineFlags
	if err := inst.MachineFlags(&flags); err != nil {
		return err
	}
	m, err := openMachine(inst, flags, log)
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.tearDown(ctx); err != nil {
		return err
	}
	if c.Purge {
		return node.RemoveAll(inst.Dir) // what tasks have left may be deep
	}
	return nil
}

// stopControlPlane sends SIGINT to a running fargo up, which ends its tasks and
// itself, and waits for its end.
func stopControlPlane(ctx context.Context, inst *instance.Instance) error {
	p, err := process.Find(inst.UpLock())
	if err != nil || p == nil {
		return err
	}
	if err := p.Signal(syscall.SIGINT); err != nil {
		return fmt.Errorf("fargo up: %w", err)
	}
	return p.Wait(ctx)
}
