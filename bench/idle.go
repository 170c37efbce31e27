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
	// A whole minute is measured, in two parts: tasks are measured in the second.
	idleBegin  = 28 * time.Second // of a minute
	idleUntil  = 28 * time.Second // nothing is measured
	idleAndEnd = 32 * time.Second
)

// measureIdle measures the processor time of Fargo while no client calls it and the
// tasks of its services have nothing to do, but are measured for all metrics.
func measureIdle(ctx context.Context, f *fixture, r *report) error {
	if err := f.insights(ctx, "enhanced"); err != nil {
		return err
	}
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
	if err := f.measureMinute(ctx, r); err != nil {
		return err
	}
	if err := f.insights(ctx, "disabled"); err != nil {
		return err
	}
	return f.deleteServices(ctx, names)
}

// insights sets a cluster's Container Insights.
func (f *fixture) insights(ctx context.Context, value string) error {
	return f.ecs(ctx, "UpdateClusterSettings", map[string]any{
		"cluster": cluster, "settings": []map[string]any{{"name": "containerInsights", "value": value}},
	}, nil)
}

// measureMinute measures a whole minute, and what of it the measuring at its end costs:
// the part of the minute with it costs more than the part without.
func (f *fixture) measureMinute(ctx context.Context, r *report) error {
	now := time.Now()
	begin := now.Truncate(time.Minute).Add(idleBegin)
	if !begin.After(now) {
		begin = begin.Add(time.Minute)
	}
	looks := [3]map[string]time.Duration{}
	at := begin
	for i, later := range []time.Duration{0, idleUntil, idleAndEnd} {
		at = at.Add(later)
		if err := pause(ctx, time.Until(at)); err != nil {
			return err
		}
		var err error
		if looks[i], err = f.in.cpuTimeByName(); err != nil {
			return err
		}
	}
	const took = idleUntil + idleAndEnd
	share, parts := shares(looks[0], looks[2], took)
	r.budget(fmt.Sprintf("processor time, idle with %d services × %d tasks and Container Insights", idleServices, idleTasks),
		fmt.Sprintf("%.2f %% (%s)", share, parts), check{idleShare, share})
	for _, look := range looks { // shims collect garbage when they like, and measure nothing
		maps.DeleteFunc(look, func(name string, _ time.Duration) bool { return !strings.HasPrefix(name, "fargo ") })
	}
	quiet, _ := shares(looks[0], looks[1], idleUntil)
	busy, _ := shares(looks[1], looks[2], idleAndEnd)
	measuring := (busy - quiet) * idleAndEnd.Seconds() / took.Seconds()
	r.budget(fmt.Sprintf("measuring %d tasks, all metrics", idleServices*idleTasks), fmt.Sprintf("%.2f %%", measuring), check{measuringShare, measuring})
	return nil
}

// shares are the processor time between two looks in percent of a core: of all processes, and
// in words of each.
func shares(before, after map[string]time.Duration, took time.Duration) (sum float64, parts string) {
	var of []string
	for _, name := range slices.Sorted(maps.Keys(after)) {
		share := 100 * (after[name] - before[name]).Seconds() / took.Seconds()
		sum += share
		of = append(of, fmt.Sprintf("%s %.2f", name, share))
	}
	return sum, strings.Join(of, ", ")
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
