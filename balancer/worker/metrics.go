package worker

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"

	"fargo/balancer/metrics"
	"fargo/desired"
)

// counts is what a worker has counted.
type counts struct {
	// Worker tells it apart from all others, also from later ones of the same pid.
	Worker  string            `json:"worker"`
	Counted []metrics.Counted `json:"counted"`
}

// count asks all members what they have counted. The caller holds mu. It is asked often:
// what a worker that dies has counted since then is lost, and one that does not answer is
// found out.
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

// lastCount asks a member that is to leave what it has counted, of whatever build it is.
func (f *Fleet) lastCount(ctx context.Context, m *member) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	if counted, err := m.metrics(ctx); err == nil && counted.Worker != "" {
		m.counted = counted
	}
}

// keep keeps what a member that is gone has counted, until a measurement has it.
func (f *Fleet) keep(c counts) {
	if c.Worker == "" {
		return // it has never said
	}
	for i := range c.Counted {
		c.Counted[i].State = nil
	}
	f.mu.gone[c.Worker] = c.Counted
}

// Measure gives what all workers have counted since counts that it gave before, and the
// counts now. It need not be the same fleet that gave them: they are by worker. Without
// counts, what workers that ran already have counted is taken for measured. What Measure is
// given must have been kept, with what was measured then: of workers that are gone it is
// not told again. Before Set was called nothing is known, and the counts stay as they are.
func (f *Fleet) Measure(ctx context.Context, before json.RawMessage) (done []desired.BalancerMeasurement, now json.RawMessage, err error) {
	var earlier metrics.Snapshot
	if before != nil {
		if err := json.Unmarshal(before, &earlier); err != nil {
			f.logger.Warn("what load balancers had counted cannot be read", "error", err)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.mu.found {
		return nil, before, nil
	}
	f.count(ctx)
	f.forget(earlier)
	snapshot := f.snapshot(func(*member) bool { return true })
	if earlier == nil {
		earlier = f.snapshot(func(m *member) bool { return m.adopted })
	}
	if now, err = json.Marshal(snapshot); err != nil {
		return nil, nil, err
	}
	return snapshot.Since(earlier), now, nil
}

// forget forgets those that are gone of whom all is known already.
func (f *Fleet) forget(known metrics.Snapshot) {
	for worker, counted := range f.mu.gone {
		if reflect.DeepEqual(known[worker], counted) {
			delete(f.mu.gone, worker)
		}
	}
}

// snapshot is what some of the members have counted, and all that are gone.
func (f *Fleet) snapshot(some func(*member) bool) metrics.Snapshot {
	s := metrics.Snapshot{}
	for worker, counted := range f.mu.gone {
		s[worker] = counted
	}
	for _, m := range f.mu.members {
		if m.counted.Worker != "" && some(m) {
			s[m.counted.Worker] = m.counted.Counted
		}
	}
	return s
}
