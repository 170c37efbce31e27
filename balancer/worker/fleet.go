package worker

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"fargo/balancer/health"
	"fargo/balancer/metrics"
	"fargo/desired"
	"fargo/secret"
)

// FleetConfig is what a fleet is made of.
type FleetConfig struct {
	Checker   *health.Checker
	Processes Processes
	// Workers is how many there are while there are load balancers.
	Workers int
	Logger  *slog.Logger
	// Packets says how many packets have come to an interface; it may be nil.
	Packets func(interfaceID string) (received uint64, err error)
	// Timeout is how long a worker may take to answer a call before it is killed; 0
	// means ten seconds.
	Timeout time.Duration
}

// Fleet is the workers of a node. They outlive it.
type Fleet struct {
	checker   *health.Checker
	processes Processes
	workers   int
	logger    *slog.Logger
	timeout   time.Duration

	ctx    context.Context // ends what waits for workers
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	ended  chan *member

	mu struct {
		sync.Mutex
		found   bool // those that ran before us
		members []*member
		packets packets
		leaving []*member // which are told nothing any more, and have not ended
		config  *config   // the newest
		// gone is what was counted by members that are gone.
		gone metrics.Snapshot
	}
	published struct { // may be read while workers are called
		sync.Mutex
		reports []desired.TargetReport
		newer   chan struct{}
	}
}

// answerTimeout is how long a worker may take, unless configured otherwise.
const answerTimeout = 10 * time.Second

// NewFleet makes a fleet of the workers that run. None is called yet.
func NewFleet(c FleetConfig) *Fleet {
	f := &Fleet{checker: c.Checker, processes: c.Processes, workers: c.Workers, logger: c.Logger, timeout: cmp.Or(c.Timeout, answerTimeout), ended: make(chan *member)}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	f.published.newer = make(chan struct{})
	f.mu.config = &config{generation: firstGeneration()}
	f.mu.gone = metrics.Snapshot{}
	f.mu.packets.received = c.Packets
	f.renewTickets()
	return f
}

// firstGeneration is random, so that workers do not take an update of another fleet, one
// before this whose call was still under way, for one of this.
func firstGeneration() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:])                       // never fails: see crypto/rand
	return binary.NativeEndian.Uint64(b[:]) >> 1 // with room to grow
}

// Set makes the load balancers and target groups given the only ones, with the
// private keys of their certificates, in every worker: when it returns no worker does
// anything for others. What a worker cannot do of it is told in the error. There are
// workers for as long as there are load balancers.
func (f *Fleet) Set(ctx context.Context, balancers []desired.Balancer, groups []desired.BalancerGroup, keys map[desired.SecretID]secret.Text) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.adopt(ctx); err != nil {
		return fmt.Errorf("load balancers' workers: %w", err)
	}
	wrong := f.checker.Set(balancers, groups)
	f.change(func(c *config) {
		c.balancers, c.certificates = splitCertificates(balancers, keys)
		c.groups = groups
	})
	missing := f.start()
	_, refused := f.configure(ctx, true)
	if missing == nil {
		f.retire()
	}
	return errors.Join(wrong, missing, refused)
}

// adopt takes over the workers that run already, once, and what was known of
// targets. The caller holds mu, as for all below.
func (f *Fleet) adopt(ctx context.Context) error {
	if f.mu.found {
		return nil
	}
	running, err := f.processes.Find(ctx)
	if err != nil {
		return err
	}
	f.mu.found = true
	for _, p := range running {
		m := f.add(p)
		m.adopted = true
		if known, err := f.knownTo(ctx, m); err != nil {
			f.logger.Warn("a load balancer process does not say what it knows", "pid", p.PID(), "error", err)
		} else {
			f.checker.Remember(known)
		}
	}
	return nil
}

func (f *Fleet) knownTo(ctx context.Context, m *member) ([]health.Status, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	return m.health(ctx)
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
		f.add(p)
	}
	return nil
}

// wanted is how many workers there should be.
func (f *Fleet) wanted() int {
	if len(f.mu.config.balancers) == 0 {
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

// add makes a process a member, until it has ended.
func (f *Fleet) add(p Process) *member {
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

// retire asks those members to end that are too many or not current.
func (f *Fleet) retire() {
	stay := slices.Collect(f.current)
	stay = stay[:min(len(stay), f.wanted())]
	leave := slices.DeleteFunc(slices.Clone(f.mu.members), func(m *member) bool { return slices.Contains(stay, m) })
	f.countLeaving(leave)
	for _, m := range leave {
		f.logger.Info("a load balancer process may go", "pid", m.process.PID())
		if err := m.process.Leave(); err != nil {
			f.logger.Warn("a load balancer process cannot be told to go", "pid", m.process.PID(), "error", err)
		}
	}
	f.mu.members = stay
}

// settle closes the way to a member that is gone, and keeps what it had counted until a
// measurement has it.
func (f *Fleet) settle(m *member) {
	m.close()
	if m.counted.Worker != "" { // or it has never said
		f.mu.gone[m.counted.Worker] = m.counted.past().Counted
	}
}
