package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const starts = 5

// measureStarts starts Fargo on a data directory that has seen work: first when
// nothing of it runs, then when node and containerd do. In between, with nothing
// to do, it is weighed.
func measureStarts(ctx context.Context, s *stage, r *report) error {
	ready := series{name: "process start → ready line, nothing running before"}
	linked := series{name: "process start → node connected"}
	first := series{name: "process start → first task RUNNING (RunTask at the ready line)"}
	again := series{name: "process start → ready line, node and containerd running"}
	for range starts {
		begun, took, err := s.restart(ctx)
		if err != nil {
			return err
		}
		arns, err := s.runTasks(ctx, 1)
		if err != nil {
			return err
		}
		tasks, err := s.await(ctx, look, arns, "RUNNING")
		if err != nil {
			return err
		}
		first.add(time.Since(begun))
		ready.add(took)
		connected, err := s.connected(ctx)
		if err != nil {
			return err
		}
		linked.add(connected.Sub(begun))
		if err := s.answers(ctx, tasks); err != nil {
			return err
		}
		if err := s.stop(ctx, arns); err != nil {
			return err
		}
	}
	if err := measureMemory(ctx, s, r); err != nil {
		return err
	}
	for range starts {
		if err := s.in.leave(); err != nil {
			return err
		}
		took, err := s.in.up(ctx)
		if err != nil {
			return err
		}
		again.add(took)
	}
	r.latencies = append(r.latencies, ready, linked, first, again)
	r.budget("process start → ready line, p50", "≤ 150 ms", millis(ready.percentile(50)), ready.percentile(50) <= 150*time.Millisecond)
	r.budget("process start → first task RUNNING, p50", "≤ 1 s", millis(first.percentile(50)), first.percentile(50) <= time.Second)
	return nil
}

// restart takes everything down but the data, and up again.
func (s *stage) restart(ctx context.Context) (begun time.Time, ready time.Duration, err error) {
	if err := s.in.down(ctx); err != nil {
		return time.Time{}, 0, err
	}
	begun = time.Now()
	ready, err = s.in.up(ctx)
	return begun, ready, err
}

// connected waits until the node is there.
func (s *stage) connected(ctx context.Context) (at time.Time, err error) {
	err = poll(ctx, 5*look, func() (bool, error) {
		at, err = s.in.connected()
		return !at.IsZero(), err
	})
	return at, err
}

// measureMemory weighs all processes of an installation that has a load balancer,
// has started and has come to rest.
func measureMemory(ctx context.Context, s *stage, r *report) error {
	balancer, targets, err := s.makeBalancer(ctx)
	if err != nil {
		return err
	}
	if err := s.weigh(ctx, r); err != nil {
		return err
	}
	return s.dropBalancer(ctx, balancer, targets)
}

func (s *stage) weigh(ctx context.Context, r *report) error {
	if _, _, err := s.restart(ctx); err != nil {
		return err
	}
	if _, err := s.connected(ctx); err != nil {
		return err
	}
	err := poll(ctx, 10*time.Millisecond, func() (bool, error) {
		processes, err := s.in.processes()
		return slices.ContainsFunc(processes, func(p process) bool { return p.name == "fargo balancer" }), err
	})
	if err != nil {
		return err
	}
	processes, err := s.in.quiet(ctx)
	if err != nil {
		return err
	}
	var sum int64
	var parts []string
	for _, p := range processes {
		bytes, err := p.memory()
		if err != nil {
			return err
		}
		sum += bytes
		parts = append(parts, fmt.Sprintf("%s %.0f", p.name, megabytes(bytes)))
	}
	r.budget("memory (PSS) of all processes, idle, with a load balancer", "≤ 150 MB",
		fmt.Sprintf("%.0f MB (%s)", megabytes(sum), strings.Join(parts, ", ")), sum <= 150e6)
	return nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
