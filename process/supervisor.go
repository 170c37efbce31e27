package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"time"
)

// A Supervisor keeps one process running. The process outlives it, and the next
// supervisor with the same lock finds it again.
type Supervisor struct {
	// Name is what the process is called in logs and errors.
	Name string
	// Lock is the path of the lock that the process holds while it runs.
	Lock string
	// Log is the path of the file that it writes to.
	Log string
	// Args are the arguments of this program that make it that process.
	Args []string
	// Build is what the process must have passed to [Acquire]. A process of another
	// build is replaced.
	Build string
	// Grace is how long the process may take to end after SIGTERM before it is
	// killed.
	Grace  time.Duration
	Logger *slog.Logger
}

// Run adopts the process that runs already, or starts one, and starts it again
// whenever it ends, until the context is done. It leaves the process running.
func (s *Supervisor) Run(ctx context.Context) error {
	var restarts backoff
	for {
		begun := time.Now()
		p, err := s.ensure(ctx)
		if err == nil {
			err = p.Wait(ctx)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s process: %w", s.Name, err)
		}
		s.Logger.Warn("the "+s.Name+" process ended and is started again", "pid", p.PID(), "state", p.reap(), "log", s.Log)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restarts.next(time.Since(begun))):
		}
	}
}

// ensure returns the process that is to run, which it starts when there is none.
func (s *Supervisor) ensure(ctx context.Context) (*Process, error) {
	found, err := Find(s.Lock)
	if err != nil {
		return nil, err
	}
	switch decide(found, s.Build) {
	case adoptFound:
		s.Logger.Info("found the "+s.Name+" process", "pid", found.PID())
		return found, nil
	case replaceFound:
		s.Logger.Info("replacing the "+s.Name+" process of another build", "pid", found.PID())
		if err := found.Stop(ctx, syscall.SIGTERM, s.Grace); err != nil {
			return nil, err
		}
	}
	started, err := start(s.Args, s.Log)
	if err == nil {
		s.Logger.Info("started the "+s.Name+" process", "pid", started.PID())
	}
	return started, err
}

// Stop ends the process, if there is one, with SIGTERM.
func (s *Supervisor) Stop(ctx context.Context) error {
	p, err := Find(s.Lock)
	if err != nil || p == nil {
		return err
	}
	if err := p.Stop(ctx, syscall.SIGTERM, s.Grace); err != nil {
		return fmt.Errorf("%s process: %w", s.Name, err)
	}
	return nil
}

// Replace ends the process and takes its lock in its place, under the name of a
// build, so that one that is about to start ends at once.
func (s *Supervisor) Replace(ctx context.Context, build string) (*Lock, error) {
	for {
		if err := s.Stop(ctx); err != nil {
			return nil, err
		}
		lock, err := Acquire(s.Lock, build)
		if !errors.As(err, new(HeldError)) {
			return lock, err
		}
	}
}
