package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// simulationSuite measures the control plane in a simulated cluster; binary is
// package sim's test.
func simulationSuite(binary, only string) *suite[string] {
	return &suite[string]{
		name:      "simulation",
		open:      func(context.Context, *report) (string, error) { return binary, nil },
		close:     func(context.Context, string) error { return nil },
		openLimit: 0, closeLimit: 0,
		measurements: matching(only, []measurement[string]{{"a simulated cluster", 2 * time.Minute, measureSimulation}}),
	}
}

// measureSimulation has package sim's benchmark, built as binary, bring up 1,000
// services of 10 tasks on 100 simulated nodes, leave them alone, and start another
// control plane on them.
func measureSimulation(ctx context.Context, binary string, r *report) error {
	out, err := command(ctx, binary, "-test.run", "^$", "-test.bench", "^BenchmarkReconcile$/^1000x10$", "-test.benchtime", "1x")
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	m, err := parseBenchmark(out, "BenchmarkReconcile")
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	spent, rise, idle := m["cpu-s/op"], m["rise-cpu-s/op"], m["idle-%"]
	if spent == 0 || rise == 0 {
		return fmt.Errorf("%s prints no processor time: %s", binary, out)
	}
	r.budget("1,000 services × 10 tasks on 100 simulated nodes, read and reconciled by a control plane that starts, processor time",
		fmt.Sprintf("%.1f s (to bring them up, calls and reports included: %.1f s)", spent, rise), check{reconcileTime, spent})
	r.budget("the same cluster, idle for an hour", fmt.Sprintf("%.4f %%", idle), check{idleShare, idle})
	return nil
}

// parseBenchmark reads what one benchmark measured, by unit, from the output of go
// test: name, runs, and then pairs of value and unit.
func parseBenchmark(out, name string) (map[string]float64, error) {
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(line, name) || len(fields) < 4 {
			continue
		}
		metrics := map[string]float64{}
		for i := 2; i+1 < len(fields); i += 2 {
			v, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", line, err)
			}
			metrics[fields[i+1]] = v
		}
		return metrics, nil
	}
	return nil, errors.New("no line of " + name)
}
