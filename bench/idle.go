package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	idleServices = 20
	idleTasks    = 5 // of each
	idlePause    = 2 * time.Second
	idleFor      = 32 * time.Second // longer than the period of anything here that is periodic
)

// measureIdle measures the processor time of Fargo while no client calls it and the
// tasks of its services have nothing to do.
func measureIdle(ctx context.Context, f *fixture, r *report) error {
	var names []string
	for i := range idleServices {
		names = append(names, fmt.Sprintf("idle-%d", i))
		if err := f.createService(ctx, names[i], idleTasks, nil); err != nil {
			return err
		}
	}
	// Their deployments are COMPLETED 40 seconds after the last task has started.
	if err := f.awaitServices(ctx, names, (*service).steady); err != nil {
		return err
	}
	if err := pause(ctx, idlePause); err != nil {
		return err
	}
	before, err := f.in.cpuTimeByName()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := pause(ctx, idleFor); err != nil {
		return err
	}
	after, err := f.in.cpuTimeByName()
	if err != nil {
		return err
	}
	took := time.Since(begun)
	var sum float64
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		share := 100 * (after[name] - before[name]).Seconds() / took.Seconds()
		sum += share
		parts = append(parts, fmt.Sprintf("%s %.2f", name, share))
	}
	r.budget(fmt.Sprintf("processor time, idle with %d services × %d tasks", idleServices, idleTasks),
		fmt.Sprintf("%.2f %% (%s)", sum, strings.Join(parts, ", ")), check{idleShare, sum})
	return f.deleteServices(ctx, names)
}

// cpuTimeByName is the processor time of the installation's processes so far, of those
// with one name together.
func (in *installation) cpuTimeByName() (map[string]time.Duration, error) {
	processes, err := in.processes()
	sum := map[string]time.Duration{}
	for _, p := range processes {
		sum[p.name] += cpuTime(p.pid)
	}
	return sum, err
}
