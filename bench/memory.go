package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// measureMemory measures all processes of an installation that has a load balancer,
// has started and is idle.
func measureMemory(ctx context.Context, f *fixture, r *report) error {
	balancer, targets, err := f.createBalancer(ctx)
	if err != nil {
		return err
	}
	processes, err := f.restartIdle(ctx)
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
	if err := f.deleteBalancer(ctx, balancer, targets); err != nil {
		return err
	}
	r.budget("memory (PSS) of all processes, idle, with a load balancer",
		fmt.Sprintf("%.0f MB (%s)", megabytes(sum), strings.Join(parts, ", ")), check{memorySize, megabytes(sum)})
	return nil
}

// restartIdle starts everything anew, and returns its processes when all of them
// are there and idle.
func (f *fixture) restartIdle(ctx context.Context) ([]process, error) {
	if _, _, err := f.restart(ctx); err != nil {
		return nil, err
	}
	if _, err := f.awaitNode(ctx); err != nil {
		return nil, err
	}
	err := poll(ctx, 10*time.Millisecond, func() (bool, error) {
		processes, err := f.in.processes()
		return slices.ContainsFunc(processes, func(p process) bool { return p.name == "fargo balancer" }), err
	})
	if err != nil {
		return nil, errors.Join(errors.New("no load balancer process"), err)
	}
	return f.in.awaitIdle(ctx)
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
