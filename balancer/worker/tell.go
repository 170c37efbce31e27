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

// configure tells all members what they should do, but for those that are not
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
	err = f.tell(ctx, slices.Collect(f.current), func(ctx context.Context, m *member) error { return m.configure(ctx, b) })
	f.say(known)
	return err
}

// inform tells all members what is known of targets, and gives a channel that is
// closed when there is something newer.
func (f *Fleet) inform(ctx context.Context) (newer <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known, newer := f.checker.Health()
	b, err := json.Marshal(known)
	if err == nil {
		err = f.tell(ctx, slices.Collect(f.current), func(ctx context.Context, m *member) error { return m.inform(ctx, b) })
	}
	if err != nil {
		f.logger.Error("load balancers do not know their targets' health", "error", err)
	}
	f.say(known)
	return newer
}

// tell tells members something, all at the same time. A worker that does not
// take it in time is killed, and started again: it might send requests to who is
// long gone.
func (f *Fleet) tell(ctx context.Context, members []*member, tell func(context.Context, *member) error) error {
	telling, cancel := context.WithTimeout(ctx, f.patience)
	defer cancel()
	errs := make([]error, len(members))
	var all sync.WaitGroup
	for i, m := range members {
		all.Go(func() { errs[i] = tell(telling, m) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var refused []string
	for i, m := range members {
		var r *refusal
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
	slices.Sort(refused) // of what cannot be done, all say the same
	return errors.New(strings.Join(slices.Compact(refused), "\n"))
}

// say lets others know what all workers know.
func (f *Fleet) say(known []health.Status) {
	reports := make([]desired.TargetReport, len(known))
	for i := range known {
		reports[i] = known[i].TargetReport
	}
	f.said.Lock()
	defer f.said.Unlock()
	f.said.reports = reports
	close(f.said.newer)
	f.said.newer = make(chan struct{})
}

// Health gives what is known of targets, once all workers know it, and a channel
// that is closed when there is something newer. It does not block.
func (f *Fleet) Health() (reports []desired.TargetReport, newer <-chan struct{}) {
	f.said.Lock()
	defer f.said.Unlock()
	return f.said.reports, f.said.newer
}
