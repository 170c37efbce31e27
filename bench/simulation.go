package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// What a simulated cluster may cost.
const (
	reconcileLimit = 2.0 // seconds of processor time
	idleLimit      = 1.0 // percent of a core
)

// measureSimulation has package sim's benchmark, built as binary, bring up 1,000
// services of 10 tasks on 100 simulated nodes, leave them alone, and start another
// control plane on them.
func measureSimulation(ctx context.Context, binary string, r *report) error {
	out, err := exec.CommandContext(ctx, binary, "-test.run", "^$", "-test.bench", "^BenchmarkReconcile$/^1000x10$", "-test.benchtime", "1x").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", binary, err, out)
	}
	metrics := map[string]float64{}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); strings.HasPrefix(line, "BenchmarkReconcile") {
			for i := 2; i+1 < len(fields); i += 2 { // name, runs, then pairs of value and unit
				if metrics[fields[i+1]], err = strconv.ParseFloat(fields[i], 64); err != nil {
					return fmt.Errorf("%s prints %q: %w", binary, line, err)
				}
			}
		}
	}
	spent, ok := metrics["cpu-s/op"]
	rise := metrics["rise-cpu-s/op"]
	if !ok || rise == 0 {
		return fmt.Errorf("%s prints no measurement: %s", binary, out)
	}
	idle := metrics["idle-%"]
	r.budget("1,000 services × 10 tasks on 100 simulated nodes, read and reconciled by a control plane that starts, processor time", "< 2 s",
		fmt.Sprintf("%.1f s (to bring them up, calls and reports included: %.1f s)", spent, rise), spent < reconcileLimit)
	r.budget("the same cluster, idle for an hour", "< 1 % of a core", fmt.Sprintf("%.4f %%", idle), idle < idleLimit)
	return nil
}
