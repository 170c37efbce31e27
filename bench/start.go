package main

import (
	"context"
	"time"
)

// How often Fargo is started: as wanted, or at least so often on a busy machine.
const (
	startsWanted = 5
	startsLeast  = 3
)

// measureColdStarts starts Fargo on a data directory that has been used, when
// nothing of it runs.
func measureColdStarts(ctx context.Context, f *fixture, r *report) error {
	ready := series{name: "process start → ready line, nothing running before"}
	connected := series{name: "process start → node connected"}
	first := series{name: "process start → first task RUNNING (RunTask at the ready line)"}
	err := repeat(ctx, startsLeast, startsWanted, func(int) error {
		begun, took, err := f.restart(ctx)
		if err != nil {
			return err
		}
		arns, err := f.runTasks(ctx, plainTask, 1)
		if err != nil {
			return err
		}
		tasks, err := f.await(ctx, pollInterval, arns, "RUNNING")
		if err != nil {
			return err
		}
		running := time.Since(begun)
		at, err := f.awaitNode(ctx)
		if err != nil {
			return err
		}
		ready.add(took)
		connected.add(at.Sub(begun))
		first.add(running)
		if err := f.awaitListening(ctx, tasks); err != nil {
			return err
		}
		return f.stop(ctx, arns)
	})
	if err != nil {
		return err
	}
	r.latencies = append(r.latencies, ready, connected, first)
	r.budget("process start → ready line, p50", millis(ready.percentile(50)), check{readyTime, inMillis(ready.percentile(50))})
	r.budget("process start → first task RUNNING, p50", millis(first.percentile(50)), check{firstTaskTime, inMillis(first.percentile(50))})
	return nil
}

// measureWarmStarts starts the control plane anew, while node and containerd run on.
func measureWarmStarts(ctx context.Context, f *fixture, r *report) error {
	ready := series{name: "process start → ready line, node and containerd running"}
	err := repeat(ctx, startsLeast, startsWanted, func(int) error {
		if err := f.in.stopControlPlane(ctx); err != nil {
			return err
		}
		took, err := f.in.up(ctx)
		if err != nil {
			return err
		}
		ready.add(took)
		return nil
	})
	if err != nil {
		return err
	}
	r.latencies = append(r.latencies, ready)
	return nil
}

// restart ends everything, keeps the data, and starts it again. It returns when
// that start began, and how long it took.
func (f *fixture) restart(ctx context.Context) (begun time.Time, ready time.Duration, err error) {
	if err := f.in.down(ctx); err != nil {
		return time.Time{}, 0, err
	}
	begun = time.Now()
	ready, err = f.in.up(ctx)
	return begun, ready, err
}

// awaitNode waits until the node has connected, and returns when it has.
func (f *fixture) awaitNode(ctx context.Context) (at time.Time, err error) {
	err = poll(ctx, 5*pollInterval, func() (bool, error) {
		at, err = f.in.nodeConnected()
		return !at.IsZero(), err
	})
	return at, err
}
