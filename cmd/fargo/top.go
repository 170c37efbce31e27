package main

import (
	"context"
	"errors"
	"os/signal"
	"syscall"
	"time"

	"fargo"
	"fargo/instance"
)

// topCommand draws what services and tasks use, as a table.
type topCommand struct {
	dataDir
	Region   string        `default:"${region}" help:"The services' region (${default})."`
	Cluster  string        `help:"Only those of this cluster."`
	Tasks    bool          `help:"Each task below its service."`
	Interval time.Duration `default:"1s" help:"How often to look (${default})."`
	Once     bool          `help:"Print one table and end, as is done when the output is no terminal."`
}

// Validate is kong's hook.
func (c *topCommand) Validate() error {
	if c.Interval <= 0 {
		return errors.New("--interval must be more than 0")
	}
	return nil
}

// Run draws in place until it is interrupted. What is used is the difference between two
// looks, so that the first table comes after one interval.
func (c *topCommand) Run(ctx context.Context, std *stdio) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	api, err := newClient(c.DataDir, c.Region)
	if err != nil {
		return err
	}
	inst, err := instance.Find(c.DataDir)
	if err != nil {
		return err
	}
	l := topLooker{api: api, inst: inst, cluster: c.Cluster}
	defer l.close()
	err = c.draw(ctx, &l, newScreen(std.out))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (c *topCommand) draw(ctx context.Context, l *topLooker, s *screen) error {
	before, err := l.look(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(c.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := l.look(ctx)
		if err != nil {
			return err
		}
		if err := s.show(now.table(before, c.Tasks)); err != nil || c.Once || !s.terminal {
			return err
		}
		before = now
	}
}

// topLooker looks at services and tasks by the APIs, and at what tasks use by the counters
// of this machine's kernel.
type topLooker struct {
	api     *client
	inst    *instance.Instance
	cluster string // "" for all

	counters *topCounters // nil before the first look
	metrics  topMetrics
	asked    time.Time // when metrics were
}

func (l *topLooker) close() {
	if l.counters != nil {
		l.counters.close()
	}
}

func (l *topLooker) look(ctx context.Context) (*topLook, error) {
	clusters, err := l.api.clusters(ctx, l.cluster)
	if err != nil {
		return nil, err
	}
	var look topLook
	for _, cluster := range clusters {
		services, err := l.api.services(ctx, cluster)
		if err != nil {
			return nil, err
		}
		tasks, err := l.api.tasksToBe(ctx, cluster, "", fargo.TaskRunning)
		if err != nil {
			return nil, err
		}
		look.Services = append(look.Services, services...)
		look.Tasks = append(look.Tasks, tasks...)
	}
	if now := time.Now(); now.Sub(l.asked) >= topMetricsInterval {
		if l.metrics, err = l.api.topMetrics(ctx, now); err != nil {
			return nil, err
		}
		l.asked = now
	}
	look.Metrics = l.metrics
	if l.counters == nil { // not before the APIs have answered: the instance is up
		l.counters = openTopCounters(l.inst)
	}
	look.At = time.Now()
	look.Counts, look.Unread = l.counters.read(look.Tasks)
	return &look, nil
}
