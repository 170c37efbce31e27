package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A measurement is one thing to measure in an environment E. It writes to the
// report what it has found, and only when it is complete.
type measurement[E any] struct {
	name  string
	limit time.Duration // after which its context ends
	do    func(ctx context.Context, env E, r *report) error
}

// A suite is measurements that share an environment. The environment is opened
// before the first one, and made anew after one that failed, for that may have
// left things behind that disturb the next.
type suite[E any] struct {
	name         string
	open         func(ctx context.Context, r *report) (E, error) // leaves nothing when it fails
	close        func(ctx context.Context, env E) error
	openLimit    time.Duration
	closeLimit   time.Duration
	measurements []measurement[E]
}

// runnable is a suite, whatever its environment.
type runnable interface {
	// limit is the longest that run can take.
	limit() time.Duration
	// run takes the measurements and reports them. It goes on after one that
	// failed, which the report names. It returns the faults: of measurements
	// that failed for another reason than want of time, and of closing.
	run(ctx context.Context, r *report) error
}

// mostOpened is how often a suite opens an environment: when the last of them has
// failed a measurement too, what remains is not measured.
const mostOpened = 3

// limit implements [runnable]. Whatever fails, at most once in an environment, may
// take cleanupLimit longer to remove what it made.
func (s *suite[E]) limit() time.Duration {
	opened := min(mostOpened, len(s.measurements))
	sum := time.Duration(opened) * (s.openLimit + s.closeLimit + cleanupLimit)
	for _, m := range s.measurements {
		sum += m.limit
	}
	return sum
}

// run implements [runnable].
func (s *suite[E]) run(ctx context.Context, r *report) error {
	var faults []error
	left := s.measurements
	for opened := 0; len(left) > 0; opened++ {
		if reason := giveUp(ctx, opened); reason != nil {
			for _, m := range left {
				r.notMeasured(m.name, reason)
			}
			break
		}
		var err error
		left, err = s.runUntilFailure(ctx, left, r)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// giveUp says why no other environment is opened; nil when it is.
func giveUp(ctx context.Context, opened int) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if opened == mostOpened {
		return fmt.Errorf("%d measurements before it failed", opened)
	}
	return nil
}

// runUntilFailure opens an environment, takes measurements in it up to the first
// one that fails, and closes it. It returns what is left to measure.
func (s *suite[E]) runUntilFailure(ctx context.Context, measurements []measurement[E], r *report) (left []measurement[E], err error) {
	var env E
	timedOut, err := within(ctx, s.openLimit, func(ctx context.Context) (err error) {
		env, err = s.open(ctx, r)
		return err
	})
	if err != nil {
		// The next environment serves the measurement after this one.
		r.notMeasured(measurements[0].name, fmt.Errorf("preparing: %w", err))
		return measurements[1:], unless(timedOut, fmt.Errorf("%s: %w", s.name, err))
	}
	defer func() {
		_, closed := within(context.WithoutCancel(ctx), s.closeLimit, func(ctx context.Context) error { return s.close(ctx, env) })
		if closed != nil {
			err = errors.Join(err, fmt.Errorf("removing what %s needed: %w", s.name, closed))
		}
	}()
	for i, m := range measurements {
		progress("%s", m.name)
		timedOut, err := within(ctx, m.limit, func(ctx context.Context) error { return m.do(ctx, env, r) })
		if err != nil {
			r.notMeasured(m.name, err)
			return measurements[i+1:], unless(timedOut, fmt.Errorf("%s: %w", m.name, err))
		}
	}
	return nil, nil
}

// within calls do with a context that ends after the limit. The error of a do that
// failed when its time was over is that it was.
func within(ctx context.Context, limit time.Duration, do func(ctx context.Context) error) (timedOut bool, err error) {
	late := fmt.Errorf("not done within %s", limit)
	limited, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	err = do(limited)
	if err == nil || limited.Err() == nil {
		return false, err
	}
	cause := context.Cause(limited)
	if !errors.Is(err, cause) {
		progress("%v: %v", cause, err)
	}
	return errors.Is(cause, late), cause
}

// unless is err, or nil when the condition holds.
func unless(condition bool, err error) error {
	if condition {
		return nil
	}
	return err
}
