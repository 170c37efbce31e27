package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestRepeatOnABusyMachine calls less often when the time does not suffice, and
// not less than it has to.
func TestRepeatOnABusyMachine(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit time.Duration // 0 for none
		each  time.Duration
		want  int
	}{
		{"no limit", 0, time.Hour, 30},
		{"time enough", time.Minute, time.Second, 30},
		{"half of them", 17 * time.Second, time.Second, 16},
		{"no time", 3 * time.Second, time.Second, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if c.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.limit)
					defer cancel()
				}
				calls := 0
				err := repeat(ctx, 10, 30, func(run int) error {
					if run != calls {
						t.Errorf("call %d is told that it is %d", calls, run)
					}
					calls++
					time.Sleep(c.each)
					return nil
				})
				if err != nil || calls != c.want {
					t.Errorf("%d calls, %v; want %d", calls, err, c.want)
				}
			})
		})
	}
}

func TestRepeatStopsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	calls := 0
	err := repeat(t.Context(), 2, 5, func(int) error { calls++; return broken })
	if !errors.Is(err, broken) || calls != 1 {
		t.Errorf("%d calls, %v", calls, err)
	}
}

func TestPollEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		late := errors.New("late")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, late)
		defer cancel()
		calls := 0
		err := poll(ctx, 3*time.Second, func() (bool, error) { calls++; return false, nil })
		if !errors.Is(err, late) || calls != 4 {
			t.Errorf("%d calls, %v", calls, err)
		}
	})
}
