package worker

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"fargo"
	"fargo/balancer"
)

// FleetConfig is what a fleet is made of.
type FleetConfig struct {
	Checker   *balancer.Checker
	Processes Processes
	// Workers is how many there are while there are load balancers.
	Workers int
	Logger  *slog.Logger
	// Patience is how long a worker may take for what it is told, before it is
	// killed; 0 means ten seconds.
	Patience time.Duration
}

// Fleet is the workers of a node. They outlive it.
type Fleet struct {
	checker   *balancer.Checker
	processes Processes
	workers   int
	logger    *slog.Logger
	patience  time.Duration

	ctx    context.Context // ends what waits for workers
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	ended  chan *member

	mu struct {
		sync.Mutex
		found     bool // those that ran before us
		members   []*member
		balancers []fargo.Balancer
		groups    []fargo.BalancerGroup
		tickets   [][]byte // of TLS sessions: secrets that all workers share
		// lost is what was counted by members that are gone.
		lost balancer.Metrics
	}
	said struct { // may be asked for while somebody is told
		sync.Mutex
		reports []fargo.TargetReport
		newer   chan struct{}
	}
}

// member is a worker that is told what to do.
type member struct {
	process Process
	*client
	since   time.Time
	counted balancer.Metrics // when asked last
}

// Times of a fleet's own housekeeping.
const (
	patience    = 10 * time.Second
	countEvery  = 5 * time.Second
	firstDelay  = 50 * time.Millisecond // before a worker is started that did not live long
	lastDelay   = 5 * time.Second
	steadyAfter = 10 * time.Second // a worker that lived this long did
	renewEvery  = 8 * time.Hour    // the secret for TLS sessions
	ticketsKept = 3
)

// NewFleet makes a fleet of those workers that run. None is told anything yet.
func NewFleet(c FleetConfig) *Fleet {
	f := &Fleet{checker: c.Checker, processes: c.Processes, workers: c.Workers, logger: c.Logger, patience: cmp.Or(c.Patience, patience), ended: make(chan *member)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.said.newer = make(chan struct{})
	f.renewTickets()
	return f
}

// Set makes the load balancers and target groups given the only ones, in every
// worker: when it returns no worker does anything for others. What a worker
// cannot do of it is told in the error. There are workers for as long as there
// are load balancers.
func (f *Fleet) Set(ctx context.Context, balancers []fargo.Balancer, groups []fargo.BalancerGroup) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.find(ctx); err != nil {
		return fmt.Errorf("load balancers' workers: %w", err)
	}
	wrong := f.checker.Set(balancers, groups)
	f.mu.balancers, f.mu.groups = balancers, groups
	f.mu.lost = f.mu.lost.Of(balancers, groups)
	if err := f.start(); err != nil {
		return errors.Join(wrong, err, f.configure(ctx))
	}
	wrong = errors.Join(wrong, f.configure(ctx))
	f.dismiss()
	return wrong
}

// find takes over the workers that run already, once, and what was known of
// targets. The caller holds mu, as for all below.
func (f *Fleet) find(ctx context.Context) error {
	if f.mu.found {
		return nil
	}
	running, err := f.processes.Find(ctx)
	if err != nil {
		return err
	}
	f.mu.found = true
	for _, p := range running {
		m := f.join(p)
		if known, err := m.health(ctx); err != nil {
			f.logger.Warn("a load balancer process does not say what it knows", "pid", p.PID(), "error", err)
		} else {
			f.checker.Remember(known)
		}
	}
	return nil
}

// start starts the workers that are missing.
func (f *Fleet) start() error {
	missing := f.wanted() - len(slices.Collect(f.current))
	for range missing {
		p, err := f.processes.Start()
		if err != nil {
			return fmt.Errorf("start a load balancer process: %w", err)
		}
		f.logger.Info("started a load balancer process", "pid", p.PID())
		f.join(p)
	}
	return nil
}

// wanted is how many workers there should be.
func (f *Fleet) wanted() int {
	if len(f.mu.balancers) == 0 {
		return 0
	}
	return f.workers
}

// current are the members that may stay.
func (f *Fleet) current(yield func(*member) bool) {
	for _, m := range f.mu.members {
		if m.process.Current() && !yield(m) {
			return
		}
	}
}

// join makes a process a member, until it has ended.
func (f *Fleet) join(p Process) *member {
	m := &member{process: p, client: dial(p.Socket()), since: time.Now()}
	f.mu.members = append(f.mu.members, m)
	f.tasks.Go(func() {
		if p.Wait(f.ctx) != nil {
			return
		}
		select {
		case f.ended <- m:
		case <-f.ctx.Done():
		}
	})
	return m
}

// dismiss lets those members go who are too many or not current.
func (f *Fleet) dismiss() {
	stay := slices.Collect(f.current)
	stay = stay[:min(len(stay), f.wanted())]
	for _, m := range f.mu.members {
		if slices.Contains(stay, m) {
			continue
		}
		f.logger.Info("a load balancer process may go", "pid", m.process.PID())
		if err := m.process.Leave(); err != nil {
			f.logger.Warn("a load balancer process cannot be told to go", "pid", m.process.PID(), "error", err)
		}
		f.leave(m)
	}
	f.mu.members = stay
}

// leave settles what a member leaves behind.
func (f *Fleet) leave(m *member) {
	m.close()
	f.mu.lost = f.mu.lost.Plus(m.counted.Past())
}

// configure tells all members what they should do, but for those that are not
// current: nobody knows what they understand.
func (f *Fleet) configure(ctx context.Context) error {
	known, _ := f.checker.Health()
	b, err := json.Marshal(Config{Balancers: f.mu.balancers, Groups: f.mu.groups, Tickets: f.mu.tickets, Health: known})
	if err != nil {
		return err
	}
	err = f.tell(ctx, slices.Collect(f.current), func(ctx context.Context, m *member) error { return m.configure(ctx, b) })
	f.say(known)
	return err
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

// Run tells workers what is found of targets, and replaces those that end, until
// ctx ends. It leaves them running.
func (f *Fleet) Run(ctx context.Context) error {
	defer f.tasks.Wait()
	defer f.cancel()
	count := time.NewTicker(countEvery)
	defer count.Stop()
	renew := time.NewTicker(renewEvery)
	defer renew.Stop()
	_, newer := f.checker.Health()
	var missing <-chan time.Time // when to start those that are
	var delay time.Duration
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-newer:
			newer = f.inform(ctx)
		case <-count.C:
			f.mu.Lock()
			f.count(ctx)
			f.mu.Unlock()
		case <-renew.C:
			f.mu.Lock()
			f.renewTickets()
			f.mu.Unlock()
			f.replace(ctx)
		case m := <-f.ended:
			if !f.lose(m) {
				continue
			}
			if time.Since(m.since) > steadyAfter {
				delay = 0
			}
			missing = time.After(delay)
			delay = min(max(2*delay, firstDelay), lastDelay)
		case <-missing:
			missing = nil
			if !f.replace(ctx) {
				missing = time.After(lastDelay)
			}
		}
	}
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

// lose forgets a member that has ended, and reports whether it was one.
func (f *Fleet) lose(m *member) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.Index(f.mu.members, m)
	if i < 0 {
		return false // it was dismissed
	}
	f.logger.Warn("a load balancer process ended and is started again", "pid", m.process.PID())
	f.mu.members = slices.Delete(f.mu.members, i, i+1)
	f.leave(m)
	return true
}

// replace starts what is missing, and reports whether it could.
func (f *Fleet) replace(ctx context.Context) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.start()
	if err = errors.Join(err, f.configure(ctx)); err != nil {
		f.logger.Error("load balancer processes are missing", "error", err)
	}
	return err == nil
}

// count asks all members what they have counted.
func (f *Fleet) count(ctx context.Context) {
	err := f.tell(ctx, slices.Collect(f.current), func(ctx context.Context, m *member) error {
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
func (f *Fleet) Metrics(ctx context.Context) balancer.Metrics {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count(ctx)
	sum := f.mu.lost
	for _, m := range f.mu.members {
		sum = sum.Plus(m.counted)
	}
	return sum
}

// renewTickets has workers use another secret for the tickets of TLS sessions.
// Those before it are good for a while, so that clients may come back.
func (f *Fleet) renewTickets() {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails: see crypto/rand
	f.mu.tickets = slices.Insert(f.mu.tickets, 0, secret)
	f.mu.tickets = f.mu.tickets[:min(len(f.mu.tickets), ticketsKept)]
}

// say lets others know what all workers know.
func (f *Fleet) say(known []balancer.TargetHealth) {
	reports := make([]fargo.TargetReport, len(known))
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
func (f *Fleet) Health() (reports []fargo.TargetReport, newer <-chan struct{}) {
	f.said.Lock()
	defer f.said.Unlock()
	return f.said.reports, f.said.newer
}
