package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"
)

// nodeProcess keeps one `fargo node` running for an instance. The node is no
// child in spirit: it has its own session and log file and outlives us, so that
// tasks, interfaces and answers go on when the control plane is gone.
type nodeProcess struct {
	inst  *instance
	args  []string // of `fargo`, from "node" on
	build string   // what the node must say it is; another one is replaced
	log   *slog.Logger
}

// A node that ends is started again at once, and later each time if it does not
// stay alive.
const (
	firstRestartDelay = 50 * time.Millisecond
	lastRestartDelay  = 5 * time.Second
	steadyAfter       = 10 * time.Second // a node that lived this long is at its first end again
)

// Run adopts the node that runs already, or starts one, and starts it again
// whenever it ends, until the context is done. It leaves the node running.
func (n *nodeProcess) Run(ctx context.Context) error {
	var delay time.Duration
	for {
		started := time.Now()
		p, err := n.adopt(ctx)
		if err == nil && p == nil {
			p, err = n.start()
		}
		if err == nil {
			err = waitFor(ctx, p)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("node process: %w", err)
		}
		// Ours by birth or by adoption: only of a child is there a status.
		state, _ := p.Wait()
		n.log.Warn("the node process ended and is started again", "pid", p.Pid, "state", state.String(), "log", n.inst.NodeLog())
		if time.Since(started) > steadyAfter {
			delay = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(delay):
		}
		delay = min(max(2*delay, firstRestartDelay), lastRestartDelay)
	}
}

// adopt gives the node that is running; nil when there is none. One of another
// build is asked to go first; its tasks stay.
func (n *nodeProcess) adopt(ctx context.Context) (*os.Process, error) {
	p, h, err := findHolder(n.inst.NodeLock())
	if err != nil || p == nil {
		return nil, err
	}
	if h.Build == n.build {
		n.log.Info("found the node process", "pid", p.Pid)
		return p, nil
	}
	n.log.Info("replacing the node process of another build", "pid", p.Pid)
	if err := signalProcess(p, syscall.SIGTERM); err != nil {
		return nil, err
	}
	return nil, waitFor(ctx, p)
}

func (n *nodeProcess) start() (*os.Process, error) {
	p, err := startProcess(n.args, n.inst.NodeLog())
	if err == nil {
		n.log.Info("started the node process", "pid", p.Pid)
	}
	return p, err
}

// nodeEnd is how long a node may take to end: what it is at work on is given up or
// ends by its own deadlines, the longest of which is for a process that was killed.
const nodeEnd = 30 * time.Second

// stop ends the node, if there is one, and leaves its tasks running.
func (n *nodeProcess) stop(ctx context.Context) error {
	p, _, err := findHolder(n.inst.NodeLock())
	if err != nil || p == nil {
		return err
	}
	if err := endProcess(ctx, p, syscall.SIGTERM, nodeEnd); err != nil {
		return fmt.Errorf("node process %d: %w", p.Pid, err)
	}
	return nil
}
