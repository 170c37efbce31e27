package worker

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"fargo/balancer/health"
	"fargo/desired"
	"fargo/secret"
)

// configure gives all members their configuration, but for those that are not
// current: nobody knows what they understand.
func (f *Fleet) configure(ctx context.Context) error {
	known, _ := f.checker.Health()
	keys := make(map[desired.SecretID]secret.Exposed, len(f.mu.keys))
	for id, key := range f.mu.keys {
		keys[id] = secret.Exposed{Text: key}
	}
	b, err := json.Marshal(Config{Balancers: f.mu.balancers, Groups: f.mu.groups, Keys: keys, Tickets: f.mu.tickets, Health: known})
	if err != nil {
		return err
	}
	err = f.callAll(ctx, slices.Collect(f.current), func(ctx context.Context, m *member) error { return m.configure(ctx, b) })
	f.publish(known)
	return err
}

// publishHealth tells all members what is known of targets, and returns a channel that
// is closed when there is something newer.
func (f *Fleet) publishHealth(ctx context.Context) (newer <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, newer := f.checker.Health()
	b, err := json.Marshal(known)
	if err == nil {
		err = f.callAll(ctx, slices.Collect(f.current), func(ctx context.Context, m *member) error { return m.setHealth(ctx, b) })
	}
	if err != nil {
		f.logger.Error("load balancers do not know their targets' health", "error", err)
	}
	f.publish(known)
	return newer
}

// callAll makes a call to each of the members, all at the same time. A worker that
// does not answer in time is killed, and started again: it might send requests to
// targets that are long gone.
func (f *Fleet) callAll(ctx context.Context, members []*member, call func(context.Context, *member) error) error {
	calling, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	errs := make([]error, len(members))
	var all sync.WaitGroup
	for i, m := range members {
		all.Go(func() { errs[i] = call(calling, m) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var refused []string
	for i, m := range members {
		var r *rejection
		switch {
		case errs[i] == nil:
		case errors.As(errs[i], &r):
			refused = append(refused, r.text)
		default:
			f.logger.Warn("a load balancer process does not answer and is killed", "pid", m.process.PID(), "error", errs[i])
			if err := m.process.Kill(); err != nil {
				refused = append(refused, err.Error())
			}
		}
	}
	if len(refused) == 0 {
		return nil
	}
	slices.Sort(refused) // all workers refuse the same
	return errors.New(strings.Join(slices.Compact(refused), "\n"))
}

// publish makes what all workers know what Health returns.
func (f *Fleet) publish(known []health.Status) {
	reports := make([]desired.TargetReport, len(known))
	for i := range known {
		reports[i] = known[i].TargetReport
	}
	f.published.Lock()
	defer f.published.Unlock()
	f.published.reports = reports
	close(f.published.newer)
	f.published.newer = make(chan struct{})
}

// Health returns what is known of targets, once all workers know it, and a channel
// that is closed when there is something newer. It does not block.
func (f *Fleet) Health() (reports []desired.TargetReport, newer <-chan struct{}) {
	f.published.Lock()
	defer f.published.Unlock()
	return f.published.reports, f.published.newer
}
