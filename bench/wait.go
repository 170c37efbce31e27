package main

import (
	"context"
	"time"
)

// poll calls done, with the interval given between two calls, until it reports
// true or fails, or the context ends.
func poll(ctx context.Context, interval time.Duration, done func() (bool, error)) error {
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if err := pause(ctx, interval); err != nil {
			return err
		}
	}
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// repeat calls once as often as wanted; fewer times, but at least least times,
// when the context's deadline would not leave time for another call that takes
// twice the longest so far.
func repeat(ctx context.Context, least, wanted int, once func(run int) error) error {
	deadline, limited := ctx.Deadline()
	var longest time.Duration
	for run := range wanted {
		if run >= least && limited && time.Until(deadline) < 2*longest {
			return nil
		}
		begun := time.Now()
		if err := once(run); err != nil {
			return err
		}
		longest = max(longest, time.Since(begun))
	}
	return nil
}
