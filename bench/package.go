package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// packageSuite has packages' own benchmarks measure what is best measured inside. Their test
// binaries are in a folder, each under its package's name.
func packageSuite(dir, only string) *suite[string] {
	return &suite[string]{
		name:      "packages",
		open:      func(context.Context, *report) (string, error) { return dir, nil },
		close:     func(context.Context, string) error { return nil },
		openLimit: 0, closeLimit: 0,
		measurements: matching(only, []measurement[string]{
			{"a simulated cluster", 2 * time.Minute, measureSimulation},
			{"one flow through a NAT gateway", 2 * time.Minute, measureNAT},
			{"a decision against 100 statements", time.Minute, measureDecision},
			{"a minute of 100,000 metrics", time.Minute, measureMetrics},
			{"a request that is counted", time.Minute, measureCounting},
		}),
	}
}

// benchmark runs a benchmark of a package, so many times ("5x") or for so long, and gives
// what it measured, by unit. All of the units that are asked for are there.
func benchmark(ctx context.Context, dir, pkg, name, times string, units ...string) (map[string]float64, error) {
	binary := filepath.Join(dir, pkg+".test")
	var pattern []string
	for part := range strings.SplitSeq(name, "/") {
		pattern = append(pattern, "^"+part+"$")
	}
	out, err := command(ctx, binary, "-test.run", "^$", "-test.bench", strings.Join(pattern, "/"), "-test.benchtime", times)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	m, err := parseBenchmark(out, name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", binary, err)
	}
	for _, unit := range units {
		if m[unit] == 0 {
			return nil, fmt.Errorf("%s prints no %s: %s", binary, unit, out)
		}
	}
	return m, nil
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

// measureSimulation brings up 1,000 services of 10 tasks on 100 simulated nodes, leaves
// them alone, and starts another control plane on them.
func measureSimulation(ctx context.Context, dir string, r *report) error {
	m, err := benchmark(ctx, dir, "sim", "BenchmarkReconcile/1000x10", "1x", "cpu-s/op", "rise-cpu-s/op")
	if err != nil {
		return err
	}
	spent, idle := m["cpu-s/op"], m["idle-%"]
	r.budget("1,000 services × 10 tasks on 100 simulated nodes, read and reconciled by a control plane that starts, processor time",
		fmt.Sprintf("%.1f s (to bring them up, calls and reports included: %.1f s)", spent, m["rise-cpu-s/op"]), check{reconcileTime, spent})
	r.budget("the same cluster, idle for an hour", fmt.Sprintf("%.4f %%", idle), check{idleShare, idle})
	return nil
}

// measureNAT sends a quarter of a gigabyte a hundred times over one connection through a NAT
// gateway, and as often, in turns, through the same links with one rule of nft(8).
func measureNAT(ctx context.Context, dir string, r *report) error {
	m, err := benchmark(ctx, dir, "kernel", "BenchmarkNATFlow", "101x", "ratio")
	if err != nil {
		return err
	}
	r.budget("one TCP flow through a NAT gateway to beyond the machine",
		fmt.Sprintf("%.2f × nft (%.2f GB/s, %.2f GB/s)", m["ratio"], m["GB/s-gateway"], m["GB/s-plain"]), check{natRate, m["ratio"]})
	return nil
}

// measureDecision decides by a hundred statements with a condition each, of which the last
// allows.
func measureDecision(ctx context.Context, dir string, r *report) error {
	m, err := benchmark(ctx, dir, "policy", "BenchmarkDecide/statements=100", "200000x", "cpu-ns/op")
	if err != nil {
		return err
	}
	micros := m["cpu-ns/op"] / 1000
	r.budget("a decision against 100 statements of IAM policies, processor time", fmt.Sprintf("%.1f µs", micros), check{decisionTime, micros})
	return nil
}

// measureMetrics adds a datum to each of 100,000 metrics, as each minute has one, with all
// that the store does meanwhile.
func measureMetrics(ctx context.Context, dir string, r *report) error {
	m, err := benchmark(ctx, dir, "metrics", "BenchmarkPut", "60x", "cpu-ns/op")
	if err != nil {
		return err
	}
	share := 100 * m["cpu-ns/op"] / float64(time.Minute)
	r.budget("100,000 metrics with a datum each minute, kept", fmt.Sprintf("%.2f %% of a core", share), check{metricsShare, share})
	return nil
}

// measureCounting counts a request for its load balancer and its target group. What that is
// of a request's whole cost is known when that was measured before.
func measureCounting(ctx context.Context, dir string, r *report) error {
	m, err := benchmark(ctx, dir, "balancermetrics", "BenchmarkCount", "5000000x", "ns/op")
	if err != nil {
		return err
	}
	const what = "a request counted by the load balancer"
	text := fmt.Sprintf("%.0f ns", m["ns/op"])
	if r.requestCost == 0 {
		r.budget(what, text)
		return nil
	}
	share := 100 * m["ns/op"] / float64(r.requestCost)
	r.budget(what, fmt.Sprintf("%s, %.1f %% of its %.1f µs", text, share, float64(r.requestCost)/float64(time.Microsecond)), check{countingShare, share})
	return nil
}
