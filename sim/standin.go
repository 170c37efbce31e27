package sim

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"fargo"
	"fargo/control"
	"fargo/desired"
)

// mime is a machine that says what a node would say and does nothing: its tasks
// start and stop within seconds. It speaks to the control plane without a
// messenger in between.
type mime struct {
	mu      sync.Mutex
	reports []desired.TaskReport // to be sent
	some    chan struct{}        // has room for one; full when there are reports
}

// standIn runs a mime until ctx ends.
func standIn(ctx context.Context, all *sync.WaitGroup, p *control.Plane, name string) {
	m := &mime{some: make(chan struct{}, 1)}
	all.Go(func() {
		if p.Hello(ctx, name) == nil {
			_ = p.Follow(ctx, name, m.take) // ends with ctx
		}
	})
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-m.some:
			}
			m.mu.Lock()
			reports := m.reports
			m.reports = nil
			m.mu.Unlock()
			if p.Report(ctx, name, reports) != nil {
				return // ended with ctx
			}
		}
	})
}

// take begins and ends tasks, each at a time of its own.
func (m *mime) take(d desired.Delta) error {
	for _, a := range d.Tasks.Put {
		soon := time.Duration(rand.Int64N(int64(time.Second)))
		if a.DesiredStatus == fargo.TaskStopped {
			time.AfterFunc(soon, func() { m.say(&a, fargo.TaskStopped) })
			continue
		}
		time.AfterFunc(soon, func() { m.say(&a, fargo.TaskActivating) })
		time.AfterFunc(2*soon+time.Second, func() { m.say(&a, fargo.TaskRunning) })
	}
	return nil
}

func (m *mime) say(a *desired.Assignment, s fargo.TaskStatus) {
	r := desired.TaskReport{TaskARN: a.TaskARN, Status: s}
	for _, c := range a.Containers {
		report := desired.ContainerReport{Name: c.Name, RuntimeID: c.RuntimeID, ImageDigest: "sha256:" + c.Image, Health: desired.HealthUnknown}
		switch now := time.Now(); s {
		case fargo.TaskActivating:
			report.Status, r.PullStartedAt, r.PullStoppedAt = fargo.ContainerPending, now, now
		case fargo.TaskRunning:
			report.Status, r.StartedAt = fargo.ContainerRunning, now
		default:
			report.Status, r.StoppedAt = fargo.ContainerStopped, now
		}
		r.Containers = append(r.Containers, report)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reports = append(m.reports, r)
	select {
	case m.some <- struct{}{}:
	default:
	}
}
