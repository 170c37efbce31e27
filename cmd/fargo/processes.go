package main

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"fargo/balancer/worker"
	"fargo/instance"
	"fargo/process"
)

// buildOf identifies what a process does: by its program and its arguments.
func buildOf(args []string) (string, error) {
	id, err := buildID()
	return id + " " + strings.Join(args, " "), err
}

const (
	// nodeGrace is how long a node may take to end: its work is cancelled or ends by
	// its own deadlines, the longest of which is for a process that was killed.
	nodeGrace = 30 * time.Second
	// balancerGrace is how long a load balancer process may take to end that is not
	// to finish its requests.
	balancerGrace = 5 * time.Second
)

// nodeSupervisor keeps an instance's node running.
func nodeSupervisor(inst *instance.Instance, flags machineFlags, log *slog.Logger) (*process.Supervisor, error) {
	args := nodeArgs(inst, flags)
	build, err := buildOf(args)
	if err != nil {
		return nil, err
	}
	return &process.Supervisor{
		Name: "node", Lock: inst.NodeLock(), Log: inst.NodeLog(),
		Args: args, Build: build, Grace: nodeGrace, Logger: log,
	}, nil
}

// balancerPool is an instance's load balancer processes.
func balancerPool(inst *instance.Instance, flags machineFlags, log *slog.Logger) (*process.Pool, error) {
	args := balancerArgs(inst, flags)
	build, err := buildOf(args)
	if err != nil {
		return nil, err
	}
	return &process.Pool{
		Name: "load balancer", Dir: inst.BalancerDir(), Log: inst.BalancerLog(),
		Args: args, Build: build, Listen: worker.Listen, Grace: balancerGrace, Logger: log,
	}, nil
}

// workerProcesses are the load balancer processes as the node's fleet of workers
// uses them. It implements [worker.Processes].
type workerProcesses struct{ pool *process.Pool }

func (w workerProcesses) Find(ctx context.Context) ([]worker.Process, error) {
	members, err := w.pool.Find(ctx)
	found := make([]worker.Process, len(members))
	for i, m := range members {
		found[i] = m
	}
	return found, err
}

func (w workerProcesses) Start() (worker.Process, error) {
	m, err := w.pool.Start()
	if err != nil {
		return nil, err // not a Process that holds a nil Member
	}
	return m, nil
}
