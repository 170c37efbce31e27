package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// counts are how often tasks are started.
type counts struct {
	warmups int // they pull the image and unpack it, and fill caches
	single  int // of each contender, one after the other
	least   int // below which there is no result; a busy machine gets no further
	bursts  int
	calls   int // RunTask calls of a burst, made at once, and
	perCall int // tasks of each
}

// usual are the counts of docs/benchmarks.md.
var usual = counts{warmups: 3, single: 30, least: 10, bursts: 3, calls: 5, perCall: 10}

// measureSingle starts one task, sees it run, and stops it, again and again; a
// peer's container in between, so that both meet the same machine.
func measureSingle(ctx context.Context, f *fixture, r *report) error {
	answered, running := series{name: "RunTask answered"}, series{name: "RunTask → RUNNING, as the client sees it"}
	listening := series{name: "RunTask → the task's service accepts a connection on its interface"}
	reported, stopped := series{name: "createdAt → startedAt, as the task says"}, series{name: "StopTask → STOPPED"}
	peers := make([]series, len(f.peers))
	for i, p := range f.peers {
		peers[i].name = p.name() + ", container started"
	}
	err := repeat(ctx, f.counts.warmups+f.counts.least, f.counts.warmups+f.counts.single, func(run int) error {
		t, err := f.timeTask(ctx, plainTask)
		if err != nil {
			return err
		}
		warm := run >= f.counts.warmups
		if warm {
			answered.add(t.answered)
			running.add(t.running)
			listening.add(t.listening)
			reported.add(t.reported)
			stopped.add(t.stopped)
		}
		for i, p := range f.peers {
			took, err := timePeer(ctx, p, 1)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
			if warm {
				peers[i].add(took)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	p50 := running.percentile(50)
	r.latencies = append(r.latencies, answered, running, listening, reported, stopped)
	r.budget("RunTask → RUNNING, p50", millis(p50), check{singleLatency, inMillis(p50)})
	for _, p := range peers {
		r.latencies = append(r.latencies, p)
		r.ratio("RunTask → RUNNING, p50", p50, p.name, p.percentile(50))
	}
	return nil
}

// taskTimes are how long one task took, from RunTask and, for stopped, StopTask.
type taskTimes struct {
	answered, running, listening, stopped time.Duration
	reported                              time.Duration // from createdAt to startedAt
}

// timeTask starts a task of a definition and stops it.
func (f *fixture) timeTask(ctx context.Context, definition string) (t taskTimes, err error) {
	begun := time.Now()
	arns, err := f.runTasks(ctx, definition, 1)
	if err != nil {
		return t, err
	}
	t.answered = time.Since(begun)
	tasks, err := f.await(ctx, pollInterval, arns, "RUNNING")
	if err != nil {
		return t, err
	}
	t.running = time.Since(begun)
	if err := f.awaitListening(ctx, tasks); err != nil {
		return t, err
	}
	t.listening = time.Since(begun)
	t.reported = tasks[0].startTime()
	begun = time.Now()
	err = f.stop(ctx, arns)
	t.stopped = time.Since(begun)
	return t, err
}

// measureBurst starts many tasks at once and waits until the last one runs.
func measureBurst(ctx context.Context, f *fixture, r *report) error {
	count := f.counts.calls * f.counts.perCall
	all := series{name: fmt.Sprintf("%d × RunTask count=%d at once → all RUNNING", f.counts.calls, f.counts.perCall)}
	each := series{name: "the same, each task's createdAt → startedAt"}
	peers := make([]series, len(f.peers))
	for i, p := range f.peers {
		peers[i].name = fmt.Sprintf("%s, %d containers at once", p.name(), count)
	}
	err := repeat(ctx, 1, f.counts.bursts, func(int) error {
		took, tasks, err := f.timeBurst(ctx)
		if err != nil {
			return err
		}
		all.add(took)
		for _, t := range tasks {
			each.add(t.startTime())
		}
		for i, p := range f.peers {
			took, err := timePeer(ctx, p, count)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
			peers[i].add(took)
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.latencies = append(r.latencies, all, each)
	rate := float64(count) / all.percentile(50).Seconds()
	r.budget(fmt.Sprintf("%d tasks at once", count), fmt.Sprintf("%.1f tasks/s", rate), check{burstRate, rate})
	for _, p := range peers {
		r.latencies = append(r.latencies, p)
		r.ratio(all.name, all.percentile(50), p.name, p.percentile(50))
	}
	return nil
}

// timeBurst starts many tasks at once, and stops them. It returns how long it took
// until all of them ran.
func (f *fixture) timeBurst(ctx context.Context) (took time.Duration, tasks []task, err error) {
	begun := time.Now()
	arns, err := f.runBurst(ctx)
	if err != nil {
		return 0, nil, err
	}
	if tasks, err = f.await(ctx, 5*pollInterval, arns, "RUNNING"); err != nil {
		return 0, nil, err
	}
	took = time.Since(begun)
	if err := f.awaitListening(ctx, tasks); err != nil {
		return 0, nil, err
	}
	return took, tasks, f.stop(ctx, arns)
}

// runBurst makes the calls of a burst.
func (f *fixture) runBurst(ctx context.Context) ([]string, error) {
	started := make([][]string, f.counts.calls)
	g, ctx := errgroup.WithContext(ctx)
	for i := range started {
		g.Go(func() (err error) {
			started[i], err = f.runTasks(ctx, plainTask, f.counts.perCall)
			return err
		})
	}
	err := g.Wait()
	return slices.Concat(started...), err
}
