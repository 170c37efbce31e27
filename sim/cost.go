package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"fargo/store"
)

// Scale is how large a cluster is.
type Scale struct {
	Services, Tasks int // tasks of each service
	Nodes           int
}

// Cost is what a cluster costs this process, with its fake nodes.
type Cost struct {
	// Rise is processor time from the first CreateService until every service
	// says that it is steady.
	Rise time.Duration
	// Reconcile is processor time of a control plane that starts on what there
	// is then, until it has looked at all of it.
	Reconcile time.Duration
	// Idle is the share of a core used in the hour that follows.
	Idle float64
}

// longest is how long, by the simulated clock, a cluster may take to be steady.
const longest = time.Hour

// Measure builds a cluster from nothing. It is for a bubble of
// [testing/synctest]: by the clock it takes more than an hour.
func Measure(ctx context.Context, s Scale) (c Cost, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var machines sync.WaitGroup
	defer machines.Wait()
	defer cancel()
	link := newLink()
	quiet := slog.New(slog.DiscardHandler)
	config := planeConfig{storage: memoryStorage{store.NewMemory()}, link: link, log: quiet, pace: 1}
	p, err := startPlane(ctx, config)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, p.kill(link)) }()
	for i := range s.Nodes {
		runFakeNode(ctx, &machines, p.nodes, fmt.Sprintf("node-%04d", i))
	}
	time.Sleep(time.Second) // until all have connected
	u, err := newUser(ctx, p)
	if err != nil {
		return c, err
	}
	if err := u.createLargeSubnets(ctx, p); err != nil {
		return c, err
	}
	before := cpu()
	for i := range s.Services {
		if err := u.createPlain(ctx, p, fmt.Sprintf("service-%04d", i), s.Tasks); err != nil {
			return c, err
		}
	}
	if err := steady(p.db, s); err != nil {
		return c, err
	}
	c.Rise = cpu() - before
	before = cpu()
	time.Sleep(time.Hour)
	c.Idle = (cpu() - before).Seconds() / time.Hour.Seconds()

	if err := p.kill(link); err != nil {
		return c, err
	}
	before = cpu()
	if p, err = startPlane(ctx, config); err != nil {
		return c, err
	}
	time.Sleep(time.Second)
	c.Reconcile = cpu() - before
	return c, steady(p.db, s)
}

// steady waits until every service says that it is.
func steady(db *store.DB, s Scale) error {
	for end := time.Now().Add(longest); ; time.Sleep(time.Second) {
		n := 0
		for svc := range store.Services.All(db.View()) {
			if !svc.SteadyAt.IsZero() {
				n++
			}
		}
		if n == s.Services {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d of %d services are steady after %s", n, s.Services, longest)
		}
	}
}

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // of a pointer that is wrong; see getrusage(2)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
