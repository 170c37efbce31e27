package measurement

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/desired"
	"fargo/host"
)

// Containers counts what containers use. The error is fs.ErrNotExist for one that has no
// control group.
type Containers interface {
	Statistics(taskID, containerID string) (host.Statistics, error)
}

// Network counts what goes through a task's interface.
type Network interface {
	InterfaceStatistics(interfaceID string) (host.InterfaceStatistics, error)
}

// Storage says how many bytes of a task's storage or of a volume are in use, and how many
// there are. The error is fs.ErrNotExist for a task that has none of its own.
type Storage interface {
	Usage(id string) (used, size int64, err error)
}

// Config is the configuration of a meter.
type Config struct {
	// Tasks are those on the machine, in any order.
	Tasks      func() []*host.Task
	Containers Containers
	Network    Network
	Storage    Storage
	Kept       Storage // of the volumes that are kept when their tasks end
	// Balancers gives what load balancers have done since counts that it gave before, nil
	// for none, and the counts now. Only it knows what those are.
	Balancers func(ctx context.Context, before json.RawMessage) (done []desired.BalancerMeasurement, now json.RawMessage, err error)
	// Send sends measurements. It returns when the control plane has them, and waits for it
	// for as long as ctx lasts.
	Send func(ctx context.Context, m desired.Measurements) error
	// Dir is the meter's own.
	Dir string
	// Pace divides the periods.
	Pace   fargo.Pace
	Logger *slog.Logger
}

// Meter measures. Its methods are Run's.
type Meter struct {
	cfg    Config
	folder folder

	wakeUp chan struct{} // there is something to send

	mu   sync.Mutex // guards what follows
	last kept       // the last measurement
	// unsent are the numbers of those that the control plane may not have, in order.
	unsent []uint64
}

// New makes a meter. It does nothing before Run.
func New(cfg Config) *Meter {
	return &Meter{cfg: cfg, folder: folder{cfg.Dir}, wakeUp: make(chan struct{}, 1)}
}

// most is how many measurements are kept for a control plane that is away: those of a day.
// Then the oldest are dropped.
const most = 24 * 60

// Run measures and sends until ctx ends.
func (m *Meter) Run(ctx context.Context) error {
	if err := m.recover(); err != nil {
		return err
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() { m.send(ctx) })
	fine, whole := m.cfg.Pace.WholeSeconds(finePeriod), m.cfg.Pace.WholeSeconds(period)
	for {
		now := time.Now()
		next := now.Truncate(fine).Add(fine)
		if end := now.Truncate(whole).Add(whole); end.Before(next) {
			next = end
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(next.Sub(now)):
		}
		if err := m.measure(ctx, next.UTC(), next.Equal(next.Truncate(whole))); err != nil && ctx.Err() == nil {
			m.cfg.Logger.Error("a measurement is missing; the next one has what it would have had", "err", err)
		}
	}
}

// The periods of measurements, at AWS's pace. Source: ECS API, MetricConfiguration,
// resolutionSeconds.
const (
	period     = time.Minute
	finePeriod = desired.FineResolution * time.Second
)

// shortest is how long a task has to run to be measured, at AWS's pace: what its programs
// do as they start would count for more than it is. The next measurement has it.
const shortest = 10 * time.Second

// recover takes up what the process before has left.
func (m *Meter) recover() error {
	if err := os.MkdirAll(m.cfg.Dir, 0o700); err != nil {
		return fmt.Errorf("the folder of measurements: %w", err)
	}
	numbers, err := m.folder.numbers()
	if err != nil {
		return fmt.Errorf("measurements of before: %w", err)
	}
	for _, n := range numbers {
		k, err := m.folder.load(n)
		if errors.Is(err, errDamaged) {
			m.cfg.Logger.Error("a measurement is lost", "err", err)
			if err := m.folder.remove(n); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("a measurement of before: %w", err)
		}
		m.last = *k
		m.unsent = append(m.unsent, n)
	}
	return nil
}

// measure takes a measurement that ends at a time: of all, or of those tasks that are to be
// measured more often.
func (m *Meter) measure(ctx context.Context, end time.Time, all bool) error {
	m.mu.Lock()
	before := m.last
	m.mu.Unlock()
	l := newLook(&before.Counts, end)
	for _, t := range m.cfg.Tasks() {
		if all || t.Assignment.Resolution == desired.FineResolution {
			m.task(l, t)
		} else {
			l.keep(t)
		}
	}
	if all {
		if err := m.balancers(ctx, l); err != nil {
			return err
		}
	}
	if len(l.tasks)+len(l.done) == 0 {
		return nil
	}
	next := kept{Counts: l.now, Measurements: desired.Measurements{
		Sequence: cmp.Or(before.Measurements.Sequence, uuid.NewString()), Number: before.Measurements.Number + 1,
		End: end, Tasks: l.tasks, Balancers: l.done,
	}}
	if err := m.folder.save(&next); err != nil {
		return err
	}
	return m.add(next)
}

// add makes a measurement the last, and has it sent.
func (m *Meter) add(k kept) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.last.Measurements.Number
	m.last = k
	m.unsent = append(m.unsent, k.Measurements.Number)
	select {
	case m.wakeUp <- struct{}{}:
	default:
	}
	if before != 0 && !slices.Contains(m.unsent, before) { // it was kept for its counts alone
		if err := m.folder.remove(before); err != nil {
			return err
		}
	}
	return m.drop()
}

// drop removes the oldest measurements when there are too many.
func (m *Meter) drop() error {
	for len(m.unsent) > most {
		m.cfg.Logger.Warn("a measurement is dropped: the control plane has been away for too long", "number", m.unsent[0])
		if err := m.folder.remove(m.unsent[0]); err != nil {
			return err
		}
		m.unsent = m.unsent[1:]
	}
	return nil
}

func (m *Meter) balancers(ctx context.Context, l *look) (err error) {
	l.done, l.now.Balancers, err = m.cfg.Balancers(ctx, l.before.Balancers)
	if err != nil {
		return fmt.Errorf("what load balancers count: %w", err)
	}
	return nil
}

// task measures a running task.
func (m *Meter) task(l *look, t *host.Task) {
	a := t.Assignment
	measured := desired.TaskMeasurement{TaskARN: a.TaskARN, Start: l.startOf(t)}
	if t.Report.Status != fargo.TaskRunning || l.now.At.Sub(measured.Start) < m.cfg.Pace.Of(shortest) {
		return
	}
	for i := range a.Containers {
		u, ok := l.container(t, i, m.statistics(a.ID, a.Containers[i].RuntimeID))
		if !ok {
			continue
		}
		measured.Containers = append(measured.Containers, u)
		measured.CPU += u.CPU
		measured.Memory += u.Memory
		measured.Read += u.Read
		measured.Written += u.Written
	}
	if len(measured.Containers) == 0 {
		return
	}
	if a.Interface != nil {
		if s, err := m.cfg.Network.InterfaceStatistics(a.Interface.ID); err == nil {
			measured.Network = l.network(a.Interface.ID, &s)
		} else {
			m.cfg.Logger.Warn("an interface is not measured", "interface", a.Interface.ID, "err", err)
		}
	}
	m.storage(a, &measured)
	l.tasks = append(l.tasks, measured)
	l.now.Tasks[a.ID] = l.now.At
}

// storage measures the file systems that a task has for itself.
func (m *Meter) storage(a *desired.Assignment, measured *desired.TaskMeasurement) {
	if used, _, err := m.cfg.Storage.Usage(a.ID); err == nil {
		measured.StorageUsed, measured.Storage = used, a.Storage
	} else if !errors.Is(err, fs.ErrNotExist) {
		m.cfg.Logger.Warn("storage is not measured", "task", a.ID, "err", err)
	}
	for i := range a.BlockVolumes {
		v, of := &a.BlockVolumes[i], m.cfg.Storage
		if v.Keep {
			of = m.cfg.Kept
		}
		used, size, err := of.Usage(v.ID)
		if err != nil {
			m.cfg.Logger.Warn("a volume is not measured", "volume", v.ID, "err", err)
			continue
		}
		measured.Volumes = append(measured.Volumes, desired.VolumeMeasurement{Volume: v.Volume, ID: v.ID, Used: used, Size: size})
	}
}

// statistics are a container's, or nil.
func (m *Meter) statistics(taskID, containerID string) *host.Statistics {
	s, err := m.cfg.Containers.Statistics(taskID, containerID)
	if err == nil {
		return &s
	}
	if !errors.Is(err, fs.ErrNotExist) {
		m.cfg.Logger.Warn("a container is not measured", "container", containerID, "err", err)
	}
	return nil
}
