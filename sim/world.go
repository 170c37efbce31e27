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

	"fargo/store"
)

// World is a control plane and its machines, with a user who wants things of
// them and faults that befall them, all of it decided by a seed. It is for a
// bubble of [testing/synctest].
type World struct {
	ctx   context.Context //nolint:containedctx // the world's own end
	end   context.CancelFunc
	rand  *rand.Rand
	trace *trace
	law   *law
	log   *slog.Logger

	memory   *store.Memory // what outlives the control plane
	road     *road
	logs     *logbook
	machines []*machine
	plane    *plane // nil while it is dead
	user     *user
	later    []event // what ends a fault, in order of time
	failed   chan error
}

// event is something that happens at a time.
type event struct {
	at time.Time
	do func() error
}

// NewWorld makes a world of machines whose files are in dir.
func NewWorld(ctx context.Context, seed uint64, machines int, dir string) (*World, error) {
	w := &World{
		rand: rand.New(rand.NewPCG(seed, 0)), trace: newTrace(), memory: store.NewMemory(), logs: newLogbook(), failed: make(chan error, 16),
	}
	w.ctx, w.end = context.WithCancel(ctx)
	w.log = slog.New(w.trace.handler(slog.LevelWarn))
	w.law = newLaw(w.trace)
	w.road = newRoad()
	w.road.slow(time.Millisecond)
	w.road.answers = func(a netip.Addr) bool {
		return slices.ContainsFunc(w.machines, func(m *machine) bool { return m.answers(a) })
	}
	if err := w.startPlane(); err != nil {
		return nil, err
	}
	for i := range machines {
		m := newMachine(fmt.Sprintf("m%d", i+1), dir, w.road, seed+uint64(i), w.log, w.failed)
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
	p, err := startPlane(w.ctx, planeConfig{memory: w.memory, road: w.road, logs: w.logs, log: w.log, pace: 1})
	if err != nil {
		return fmt.Errorf("start the control plane: %w", err)
	}
	w.plane = p
	w.trace.note("control plane starts")
	watch := p.db.Watch()
	w.law.begin(watch.View())
	p.all.Go(func() {
		defer watch.Close()
		for {
			changes, err := watch.Next(p.ctx)
			if err != nil {
				return
			}
			w.law.look(watch.View(), changes, time.Now())
		}
	})
	if w.user == nil {
		return nil
	}
	return w.user.remembered(p.db.View(), w.law.over)
}

func (w *World) killPlane() {
	w.trace.note("control plane killed")
	w.plane.kill(w.road)
	w.plane = nil
}

// Run lets n things happen, ends all faults, and sees that everything comes to
// rest as the user wants it, and that nothing is left of it when the user wants
// nothing any more.
func (w *World) Run(n int) error {
	err := w.play(n)
	if err == nil {
		err = w.settle()
	}
	if err == nil {
		err = w.dismiss()
	}
	for _, m := range w.machines {
		m.kill()
	}
	if w.plane != nil {
		w.plane.kill(w.road)
	}
	w.end()
	return err
}

// Trace is what happened, in order.
func (w *World) Trace() string { return w.trace.String() }

// play lets n things happen.
func (w *World) play(n int) error {
	for range n {
		if err := w.pass(w.upTo(20 * time.Second)); err != nil {
			return err
		}
		if err := w.act(); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) upTo(d time.Duration) time.Duration { return time.Duration(w.rand.Int64N(int64(d))) }

// pass lets time go by, with what is due meanwhile.
func (w *World) pass(d time.Duration) error {
	for end := time.Now().Add(d); ; {
		next := end
		if len(w.later) > 0 && w.later[0].at.Before(end) {
			next = w.later[0].at
		}
		time.Sleep(time.Until(next))
		if err := w.wrong(); err != nil {
			return err
		}
		if len(w.later) == 0 || w.later[0].at.After(next) {
			if !next.Before(end) {
				return nil
			}
			continue
		}
		do := w.later[0].do
		w.later = w.later[1:]
		if err := do(); err != nil {
			return err
		}
	}
}

// after has something happen when d has passed.
func (w *World) after(d time.Duration, do func() error) {
	w.later = append(w.later, event{time.Now().Add(d), do})
	slices.SortStableFunc(w.later, func(a, b event) int { return a.at.Compare(b.at) })
}

// wrong is what should not have happened so far.
func (w *World) wrong() error {
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
	for _, text := range w.logs.mu.wrong {
		errs = append(errs, errors.New(text))
	}
	return errors.Join(append(errs, w.law.broken())...)
}
