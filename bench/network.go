package main

import (
	"context"
	"fmt"
	"time"
)

// networkSuite measures what packets meet on their way; binary is package kernel's
// test, which makes namespaces of its own.
func networkSuite(binary, only string) *suite[string] {
	return &suite[string]{
		name:      "network",
		open:      func(context.Context, *report) (string, error) { return binary, nil },
		close:     func(context.Context, string) error { return nil },
		openLimit: 0, closeLimit: 0,
		measurements: matching(only, []measurement[string]{{"one flow through a NAT gateway", 2 * time.Minute, measureNAT}}),
	}
}

// measureNAT has package kernel's benchmark, built as binary, send a quarter of a gigabyte
// a hundred times over one connection through a NAT gateway, and as often, in turns,
// through the same links with one rule of nft(8).
func measureNAT(ctx context.Context, binary string, r *report) error {
	out, err := command(ctx, binary, "-test.run", "^$", "-test.bench", "^BenchmarkNATFlow$", "-test.benchtime", "101x")
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	m, err := parseBenchmark(out, "BenchmarkNATFlow")
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	ratio := m["ratio"]
	if ratio == 0 {
		return fmt.Errorf("%s prints no ratio: %s", binary, out)
	}
	r.budget("one TCP flow through a NAT gateway to beyond the machine",
		fmt.Sprintf("%.2f × nft (%.2f GB/s, %.2f GB/s)", ratio, m["GB/s-gateway"], m["GB/s-plain"]), check{natRate, ratio})
	return nil
}
