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

// fakeNode is a node that runs nothing: it reports that its tasks have started and
// stopped, within seconds. It calls the control plane directly, without a
// connection in between.
type fakeNode struct {
	mu      sync.Mutex
	reports []desired.TaskReport // to be sent
	ready   chan struct{}        // has room for one; full when there are reports
}

// runFakeNode runs a fake node until ctx ends.
func runFakeNode(ctx context.Context, all *sync.WaitGroup, p *control.Plane, name string) {
	m := &fakeNode{ready: make(chan struct{}, 1)}
	all.Go(func() {
		if p.Hello(ctx, desired.Hello{ID: name, Network: "sim"}) == nil && p.ReportEmpty(ctx, name) == nil {
			_ = p.Follow(ctx, name, m.take) // ends with ctx
		}
	})
	all.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-m.ready:
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

// take starts and stops tasks, each after a random time.
func (m *fakeNode) take(d desired.Delta) error {
	for _, a := range d.Tasks.Put {
		soon := time.Duration(rand.Int64N(int64(time.Second)))
		if a.DesiredStatus == fargo.TaskStopped {
			time.AfterFunc(soon, func() { m.report(&a, fargo.TaskStopped) })
			continue
		}
		time.AfterFunc(soon, func() { m.report(&a, fargo.TaskActivating) })
		time.AfterFunc(2*soon+time.Second, func() { m.report(&a, fargo.TaskRunning) })
	}
	return nil
}

func (m *fakeNode) report(a *desired.Assignment, s fargo.TaskStatus) {
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
	case m.ready <- struct{}{}:
	default:
	}
}
