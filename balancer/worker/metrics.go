package worker

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"sync"
	"time"

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

// countLeaving waits for what members that are to leave have counted until now, of whatever
// build they are, and then, by itself, for what they will have counted when they have ended.
func (f *Fleet) countLeaving(members []*member) {
	var asked sync.WaitGroup
	for _, m := range members {
		f.mu.leaving = append(f.mu.leaving, m)
		asked.Add(1)
		f.tasks.Go(func() { f.countUntilEnd(m, sync.OnceFunc(asked.Done)) })
	}
	asked.Wait()
}

// countUntilEnd follows what a member that is to leave counts, until it has ended. answered
// is called when it has told what it has counted, which is set while the caller of
// countLeaving holds mu, or does not.
func (f *Fleet) countUntilEnd(m *member, answered func()) {
	ctx, cancel := context.WithCancel(f.ctx)
	defer cancel()
	late := time.AfterFunc(f.timeout, cancel)
	err := m.lastMetrics(ctx, func(now counts) {
		late.Stop()
		m.counted = now.past()
		answered()
	}, func(last counts) { f.left(m, last.past()) })
	answered()
	if err != nil {
		f.left(m, counts{})
	}
}

// left says of a member that leaves that it has ended, with what it had counted then; empty
// when that is not known.
func (f *Fleet) left(m *member, last counts) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.leaving = slices.DeleteFunc(f.mu.leaving, func(l *member) bool { return l == m })
	if last.Worker != "" {
		m.counted = last
	}
	f.settle(m)
}

// past is what was counted by a worker that is not told anything any more.
func (c counts) past() counts {
	for i := range c.Counted {
		c.Counted[i].State = nil
	}
	return c
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
	if counted := f.mu.packets.counted(f.mu.config.balancers); counted != nil {
		snapshot[interfaces] = counted
	}
	if earlier == nil {
		earlier = f.snapshot(func(m *member) bool { return m.adopted })
		earlier[interfaces] = snapshot[interfaces]
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
	for _, m := range slices.Concat(f.mu.members, f.mu.leaving) {
		if m.counted.Worker != "" && some(m) {
			s[m.counted.Worker] = m.counted.Counted
		}
	}
	return s
}
