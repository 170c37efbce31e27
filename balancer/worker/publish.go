package worker

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"fargo/balancer/health"
	"fargo/desired"
)

// change makes the next generation of the configuration. The caller holds mu, as for
// all below.
func (f *Fleet) change(set func(*config)) {
	next := *f.mu.config
	next.generation++
	set(&next)
	f.mu.config = &next
}

// configure tells all members what has changed since what each has acknowledged, what
// is known of targets included; newer is closed when more is. With retry they do again
// what they could not do. Those that are not current are told nothing: nobody knows
// what they understand.
func (f *Fleet) configure(ctx context.Context, retry bool) (newer <-chan struct{}, err error) {
	known, newer := f.checker.Health()
	f.change(func(c *config) { c.health = splitHealth(known) })
	err = f.tell(ctx, retry)
	f.publish(known)
	return newer, err
}

// publishHealth tells all members what is known of targets, and returns a channel that
// is closed when there is something newer.
func (f *Fleet) publishHealth(ctx context.Context) (newer <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	newer, err := f.configure(ctx, false)
	if err != nil {
		f.logger.Error("load balancers do not know their targets' health", "error", err)
	}
	return newer
}

// tell brings all current members to the configuration.
func (f *Fleet) tell(ctx context.Context, retry bool) error {
	members := slices.Collect(f.current)
	updates := map[*config]*encoded{} // by what members have, which is mostly the same
	for _, m := range members {
		if updates[m.acknowledged] != nil {
			continue
		}
		e, err := encode(m.acknowledged, f.mu.config, retry)
		if err != nil {
			return err
		}
		updates[m.acknowledged] = e
	}
	return f.callAll(ctx, members, func(ctx context.Context, m *member) error {
		return m.bring(ctx, updates[m.acknowledged])
	})
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
