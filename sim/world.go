package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
)

// World is a control plane and its machines, with a user who asks things of them
// and faults that are injected, all of it decided by a seed. It runs in a bubble
// of [testing/synctest].
type World struct {
	ctx        context.Context //nolint:containedctx // ends with the world
	end        context.CancelFunc
	rand       *rand.Rand
	trace      *trace
	invariants *invariants
	log        *slog.Logger

	storage   storage // what outlives the control plane
	link      *link
	logs      *logStore
	events    *eventTarget
	machines  []*machine
	plane     *plane    // nil while it is dead
	follower  *follower // of the plane's journal
	user      *user
	scheduled []event // what ends a fault, in order of time
	failed    chan error
}

// event is something that happens at a time.
type event struct {
	at time.Time
	do func() error
}

// NewWorld makes a world of machines whose files are in dir.
func NewWorld(ctx context.Context, seed uint64, machines int, dir string) (*World, error) {
	w := &World{
		rand: rand.New(rand.NewPCG(seed, 0)), trace: newTrace(), logs: newLogStore(), events: newEventTarget(), failed: make(chan error, 16),
	}
	w.ctx, w.end = context.WithCancel(ctx)
	w.log = slog.New(w.trace.handler(slog.LevelWarn))
	w.invariants = newInvariants(w.trace, w.containersOf, w.events)
	w.storage = newStorage(seed, dir, w.log)
	w.link = newLink()
	w.link.setDelay(usualDelay)
	if err := w.startPlane(); err != nil {
		return nil, err
	}
	if err := w.events.rule(w.ctx, w.plane.db); err != nil {
		return nil, err
	}
	for i := range machines {
		m := newMachine(machineConfig{
			name: fmt.Sprintf("m%d", i+1), dir: dir, link: w.link, answer: w.answer, seed: seed + uint64(i), log: w.log, failed: w.failed,
		})
		w.machines = append(w.machines, m)
		if err := m.start(w.ctx); err != nil {
			return nil, err
		}
	}
	var err error
	w.user, err = newUser(w.ctx, w.plane)
	return w, err
}

func (w *World) startPlane() error {
	p, err := startPlane(w.ctx, planeConfig{storage: w.storage, link: w.link, logs: w.logs, events: w.events, log: w.log, pace: 1})
	if err != nil {
		return fmt.Errorf("start the control plane: %w", err)
	}
	w.plane = p
	w.trace.note("control plane starts")
	if w.follower, err = follow(p.ctx, p.journal); err != nil {
		return err
	}
	watch := p.db.Watch()
	w.invariants.restart(watch.View())
	p.all.Go(func() {
		defer watch.Close()
		for {
			changes, err := watch.Next(p.ctx)
			if err != nil {
				return
			}
			w.invariants.observe(watch.View(), changes, time.Now())
		}
	})
	if w.user == nil {
		return nil
	}
	return w.user.verify(p.db.View(), w.invariants.isExpired)
}

func (w *World) killPlane() error {
	w.trace.note("control plane killed")
	p := w.plane
	w.plane = nil
	return p.kill(w.link)
}

// replaceDeposed has a new control plane take the place of one that does not lead
// any more: a process ends then, and is started anew.
func (w *World) replaceDeposed() error {
	if w.plane == nil || !w.plane.deposed() {
		return nil
	}
	w.trace.note("control plane is deposed")
	if err := w.killPlane(); err != nil {
		return err
	}
	return w.startPlane()
}

// answer gives the status with which an address of a VPC answers a health check,
// whatever machine it is on; 0 when nothing listens there.
func (w *World) answer(a netip.Addr) (status int) {
	for _, m := range w.machines {
		status = max(status, m.serve(a))
	}
	return status
}

// Run takes n steps, ends all faults, and checks that the state then converges to
// what the user wants, and that nothing is left when the user wants nothing any
// more.
func (w *World) Run(n int) error {
	err := w.play(n)
	if err == nil {
		err = w.converge()
	}
	if err == nil {
		err = w.tearDown()
	}
	for _, m := range w.machines {
		if m.cancel != nil { // its node's process lives
			m.kill()
		}
	}
	if w.plane != nil {
		err = errors.Join(err, w.killPlane())
	}
	w.end()
	return err
}

// Trace is what happened, in order.
func (w *World) Trace() string { return w.trace.String() }

// play takes n steps, at random times.
func (w *World) play(n int) error {
	for range n {
		if err := w.advance(w.upTo(20 * time.Second)); err != nil {
			return err
		}
		if err := w.step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) upTo(d time.Duration) time.Duration { return time.Duration(w.rand.Int64N(int64(d))) }

// advance lets time go by, and does what is due meanwhile.
func (w *World) advance(d time.Duration) error {
	for end := time.Now().Add(d); ; {
		next := end
		if len(w.scheduled) > 0 && w.scheduled[0].at.Before(end) {
			next = w.scheduled[0].at
		}
		time.Sleep(time.Until(next))
		if err := errors.Join(w.failure(), w.replaceDeposed()); err != nil {
			return err
		}
		if len(w.scheduled) == 0 || w.scheduled[0].at.After(next) {
			if !next.Before(end) {
				return nil
			}
			continue
		}
		do := w.scheduled[0].do
		w.scheduled = w.scheduled[1:]
		if err := do(); err != nil {
			return err
		}
	}
}

// after schedules something for when d has passed.
func (w *World) after(d time.Duration, do func() error) {
	w.scheduled = append(w.scheduled, event{time.Now().Add(d), do})
	slices.SortStableFunc(w.scheduled, func(a, b event) int { return a.at.Compare(b.at) })
}

// failure is what should not have happened so far.
func (w *World) failure() error {
	var errs []error
	if w.plane != nil {
		select {
		case err := <-w.plane.fail:
			errs = append(errs, err)
		default:
		}
	}
	select {
	case err := <-w.failed:
		errs = append(errs, err)
	default:
	}
	w.logs.mu.Lock()
	defer w.logs.mu.Unlock()
	for _, text := range w.logs.mu.gaps {
		errs = append(errs, errors.New(text))
	}
	return errors.Join(append(errs, w.invariants.violations())...)
}
