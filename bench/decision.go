package main

import (
	"context"
	"fmt"
	"time"
)

// decisionSuite measures what IAM's policies cost; binary is package policy's test.
func decisionSuite(binary, only string) *suite[string] {
	return &suite[string]{
		name:      "decision",
		open:      func(context.Context, *report) (string, error) { return binary, nil },
		close:     func(context.Context, string) error { return nil },
		openLimit: 0, closeLimit: 0,
		measurements: matching(only, []measurement[string]{{"a decision against 100 statements", time.Minute, measureDecision}}),
	}
}

// measureDecision has package policy's benchmark, built as binary, decide by a hundred
// statements with a condition each, of which the last allows.
func measureDecision(ctx context.Context, binary string, r *report) error {
	out, err := command(ctx, binary, "-test.run", "^$", "-test.bench", "^BenchmarkDecide$/^statements=100$", "-test.benchtime", "200000x", "-test.cpu", "1")
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	m, err := parseBenchmark(out, "BenchmarkDecide/statements=100")
	if err != nil {
		return fmt.Errorf("%s: %w", binary, err)
	}
	micros := m["cpu-ns/op"] / 1000
	if micros == 0 {
		return fmt.Errorf("%s prints no processor time: %s", binary, out)
	}
	r.budget("a decision against 100 statements of IAM policies, processor time", fmt.Sprintf("%.1f µs", micros), check{decisionTime, micros})
	return nil
}
