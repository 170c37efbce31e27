package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	warmups    = 3  // pull the image and unpack it, and fill caches
	singleRuns = 30 // of each contender
	bursts     = 3
	burstCalls = 5 // RunTask calls made at once, and
	burstCount = 10
)

// measureSingle starts one task, sees it run, and stops it, again and again; a
// peer's container in between, so that both meet the same machine.
func measureSingle(ctx context.Context, s *stage, peers []peer, r *report) error {
	call, running := series{name: "RunTask answered"}, series{name: "RunTask → RUNNING, as the client sees it"}
	listening := series{name: "RunTask → the task's service accepts a connection on its interface"}
	inside, stopped := series{name: "createdAt → startedAt, as the task says"}, series{name: "StopTask → STOPPED"}
	beside := make([]series, len(peers))
	for i, p := range peers {
		beside[i].name = p.name() + ", container started"
	}
	for run := range warmups + singleRuns {
		begun := time.Now()
		arns, err := s.runTasks(ctx, 1)
		if err != nil {
			return err
		}
		answered := time.Since(begun)
		tasks, err := s.await(ctx, look, arns, "RUNNING")
		if err != nil {
			return err
		}
		seen := time.Since(begun)
		if err := s.answers(ctx, tasks); err != nil {
			return err
		}
		answering := time.Since(begun)
		begun = time.Now()
		if err := s.stop(ctx, arns); err != nil {
			return err
		}
		if run >= warmups {
			call.add(answered)
			running.add(seen)
			listening.add(answering)
			inside.add(seconds(tasks[0].StartedAt - tasks[0].CreatedAt))
			stopped.add(time.Since(begun))
		}
		for i, p := range peers {
			took, err := timePeer(ctx, p)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
			if run >= warmups {
				beside[i].add(took)
			}
		}
	}
	r.latencies = append(r.latencies, call, running, listening, inside, stopped)
	r.budget("RunTask → RUNNING, p50", "≤ 100 ms, then 60 ms", millis(running.percentile(50)), running.percentile(50) <= 100*time.Millisecond)
	for _, b := range beside {
		r.latencies = append(r.latencies, b)
		r.ratio("RunTask → RUNNING, p50", running.percentile(50), b.name, b.percentile(50))
	}
	return nil
}

// timePeer is how long a peer takes to start a container; it is removed again.
func timePeer(ctx context.Context, p peer) (time.Duration, error) {
	begun := time.Now()
	remove, err := p.start(ctx)
	took := time.Since(begun)
	if err != nil {
		return 0, err
	}
	return took, remove(context.WithoutCancel(ctx))
}

// measureBurst starts many tasks at once and waits until the last one runs.
func measureBurst(ctx context.Context, s *stage, peers []peer, r *report) error {
	const count = burstCalls * burstCount
	all := series{name: fmt.Sprintf("%d × RunTask count=%d at once → all RUNNING", burstCalls, burstCount)}
	each := series{name: "the same, each task's createdAt → startedAt"}
	beside := make([]series, len(peers))
	for i, p := range peers {
		beside[i].name = fmt.Sprintf("%s, %d containers at once", p.name(), count)
	}
	for range bursts {
		begun := time.Now()
		arns, err := s.runMany(ctx)
		if err != nil {
			return err
		}
		tasks, err := s.await(ctx, 5*look, arns, "RUNNING")
		if err != nil {
			return err
		}
		all.add(time.Since(begun))
		for _, t := range tasks {
			each.add(seconds(t.StartedAt - t.CreatedAt))
		}
		if err := s.answers(ctx, tasks); err != nil {
			return err
		}
		if err := s.stop(ctx, arns); err != nil {
			return err
		}
		for i, p := range peers {
			took, err := timePeers(ctx, p, count)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name(), err)
			}
			beside[i].add(took)
		}
	}
	r.latencies = append(r.latencies, all, each)
	rate := count / all.percentile(50).Seconds()
	r.budget(fmt.Sprintf("%d tasks at once", count), "≥ 20 tasks/s", fmt.Sprintf("%.1f tasks/s", rate), rate >= 20)
	for _, b := range beside {
		r.latencies = append(r.latencies, b)
		r.ratio(all.name, all.percentile(50), b.name, b.percentile(50))
	}
	return nil
}

// runMany makes the calls of a burst.
func (s *stage) runMany(ctx context.Context) ([]string, error) {
	started := make([][]string, burstCalls)
	g, ctx := errgroup.WithContext(ctx)
	for i := range started {
		g.Go(func() (err error) {
			started[i], err = s.runTasks(ctx, burstCount)
			return err
		})
	}
	err := g.Wait()
	return slices.Concat(started...), err
}

// timePeers is how long a peer takes to start count containers at once; they
// are removed again.
func timePeers(ctx context.Context, p peer, count int) (took time.Duration, err error) {
	removes := make([]func(context.Context) error, count)
	begun := time.Now()
	var starting errgroup.Group
	for i := range removes {
		starting.Go(func() (err error) {
			removes[i], err = p.start(ctx)
			return err
		})
	}
	err = starting.Wait()
	took = time.Since(begun)
	var removing errgroup.Group
	for _, remove := range removes {
		if remove != nil {
			removing.Go(func() error { return remove(context.WithoutCancel(ctx)) })
		}
	}
	if removed := removing.Wait(); err == nil {
		err = removed
	}
	return took, err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
