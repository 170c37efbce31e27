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
	idleRest     = 2 * time.Second
	idleFor      = 32 * time.Second // above what anything here does by the clock
)

// measureIdle counts what Fargo computes while nobody asks it anything and the
// tasks of its services wait for work.
func measureIdle(ctx context.Context, s *stage, r *report) error {
	var names []string
	for i := range idleServices {
		names = append(names, fmt.Sprintf("idle-%d", i))
		if err := s.createService(ctx, names[i], idleTasks, nil); err != nil {
			return err
		}
	}
	// Their deployments are COMPLETED 40 seconds after the last task has started.
	if err := s.awaitServices(ctx, names, (*service).steady); err != nil {
		return err
	}
	if err := rest(ctx, idleRest); err != nil {
		return err
	}
	before, err := s.in.byName()
	if err != nil {
		return err
	}
	begun := time.Now()
	if err := rest(ctx, idleFor); err != nil {
		return err
	}
	after, err := s.in.byName()
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
	r.budget(fmt.Sprintf("processor time, idle with %d services × %d tasks", idleServices, idleTasks), "< 1 % of a core",
		fmt.Sprintf("%.2f %% (%s)", sum, strings.Join(parts, ", ")), sum < 1)
	return s.deleteServices(ctx, names)
}

// byName is what the installation's processes have computed so far, those of one
// program together.
func (in *installation) byName() (map[string]time.Duration, error) {
	processes, err := in.processes()
	sum := map[string]time.Duration{}
	for _, p := range processes {
		sum[p.name] += processorTime(p.pid)
	}
	return sum, err
}
