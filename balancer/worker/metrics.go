package worker

import (
	"context"
	"slices"

	"fargo/balancer/metrics"
)

// count asks all members what they have counted. The caller holds mu. It is
// asked often: what a worker that dies has counted since then is lost, and one
// that does not answer is found out.
func (f *Fleet) count(ctx context.Context) {
	err := f.callAll(ctx, slices.Collect(f.current), func(ctx context.Context, m *member) error {
		counted, err := m.metrics(ctx)
		if err == nil {
			m.counted = counted
		}
		return err
	})
	if err != nil {
		f.logger.Warn("load balancers do not say what they count", "error", err)
	}
}

// Metrics gives all counters of all workers, those that are gone included.
func (f *Fleet) Metrics(ctx context.Context) metrics.Metrics {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count(ctx)
	sum := f.mu.past
	for _, m := range f.mu.members {
		sum = sum.Plus(m.counted)
	}
	return sum
}
