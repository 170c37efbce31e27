package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// fakeEnvironment counts how often it has been opened and closed.
type fakeEnvironment struct{ opened, closed int }

func fakeSuite(env *fakeEnvironment, measurements ...measurement[int]) *suite[int] {
	return &suite[int]{
		name: "fake",
		open: func(context.Context, *report) (int, error) {
			env.opened++
			return env.opened, nil
		},
		close: func(context.Context, int) error {
			env.closed++
			return nil
		},
		openLimit: time.Second, closeLimit: time.Second,
		measurements: measurements,
	}
}

// measure notes in which environment it ran.
func measure(name string) measurement[int] {
	return measurement[int]{name, time.Second, func(_ context.Context, env int, r *report) error {
		r.budget(name, fmt.Sprint("environment ", env))
		return nil
	}}
}

// hang never ends by itself.
func hang(name string) measurement[int] {
	return measurement[int]{name, time.Second, func(ctx context.Context, _ int, _ *report) error {
		<-ctx.Done()
		return errors.New("signal: killed") // what a command says that was
	}}
}

// fail fails for another reason than time.
func fail(name string) measurement[int] {
	return measurement[int]{name, time.Second, func(context.Context, int, *report) error { return errors.New("broken") }}
}

// summary is what a report has, one line each.
func summary(r *report) string {
	var lines []string
	for _, b := range r.Budgets {
		lines = append(lines, b.What+": "+b.Measured)
	}
	for _, f := range r.Failed {
		lines = append(lines, f.Name+": "+f.Reason)
	}
	return strings.Join(lines, "\n")
}

func TestSuite(t *testing.T) {
	for _, c := range []struct {
		name         string
		measurements []measurement[int]
		report       string
		err          string
		opened       int
	}{
		{
			"all is well",
			[]measurement[int]{measure("a"), measure("b")},
			"a: environment 1\nb: environment 1", "<nil>", 1,
		},
		{
			"nothing to measure", nil,
			"", "<nil>", 0,
		},
		{
			"one does not end in time",
			[]measurement[int]{measure("a"), hang("b"), measure("c")},
			"a: environment 1\nc: environment 2\nb: not done within 1s", "<nil>", 2,
		},
		{
			"one is broken",
			[]measurement[int]{fail("a"), measure("b")},
			"b: environment 2\na: broken", "a: broken", 2,
		},
		{
			"the last is broken",
			[]measurement[int]{measure("a"), fail("b")},
			"a: environment 1\nb: broken", "b: broken", 1,
		},
		{
			"too many fail",
			[]measurement[int]{hang("a"), fail("b"), hang("c"), measure("d"), measure("e")},
			"a: not done within 1s\nb: broken\nc: not done within 1s\nd: 3 measurements before it failed\ne: 3 measurements before it failed",
			"b: broken", 3,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var env fakeEnvironment
				r := new(report)
				err := fakeSuite(&env, c.measurements...).run(t.Context(), r)
				if got := fmt.Sprint(err); got != c.err {
					t.Errorf("error %q, want %q", got, c.err)
				}
				if got := summary(r); got != c.report {
					t.Errorf("the report has\n%s\nwant\n%s", got, c.report)
				}
				if env.opened != c.opened || env.closed != c.opened {
					t.Errorf("opened %d times and closed %d times, want %d", env.opened, env.closed, c.opened)
				}
			})
		})
	}
}

// TestSuiteWithoutEnvironment names each measurement that had none.
func TestSuiteWithoutEnvironment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := fakeSuite(new(fakeEnvironment), measure("a"), measure("b"))
		s.open = func(ctx context.Context, _ *report) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		r := new(report)
		err := s.run(t.Context(), r)
		want := "a: preparing: not done within 1s\nb: preparing: not done within 1s"
		if got := summary(r); err != nil || got != want {
			t.Errorf("the report has\n%s\nand %v, want\n%s", got, err, want)
		}
	})
}

// TestSuiteInterrupted closes what it opened, and names what it did not measure.
func TestSuiteInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, interrupt := context.WithCancel(t.Context())
		var env fakeEnvironment
		r := new(report)
		s := fakeSuite(&env, measure("a"), measurement[int]{"b", time.Hour, func(ctx context.Context, _ int, _ *report) error {
			interrupt()
			<-ctx.Done()
			return ctx.Err()
		}}, measure("c"))
		err := s.run(ctx, r)
		if !errors.Is(err, context.Canceled) || env.opened != 1 || env.closed != 1 {
			t.Errorf("%v, %+v", err, env)
		}
		if got, want := summary(r), "a: environment 1\nb: context canceled\nc: interrupted"; got != want {
			t.Errorf("the report has\n%s\nwant\n%s", got, want)
		}
	})
}

// TestSuiteEndsWithinItsLimit runs suites of measurements that take any time, as
// does the environment, and looks whether the whole kept to its limit and each
// measurement stands in the report, once.
func TestSuiteEndsWithinItsLimit(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		duration := rapid.Map(rapid.IntRange(0, 20), func(n int) time.Duration { return time.Duration(n) * time.Second })
		takes := func(name string) func(context.Context) error {
			d, broken := duration.Draw(rt, name), rapid.IntRange(0, 5).Draw(rt, name+" breaks") == 0
			return func(ctx context.Context) error {
				if err := pause(ctx, d); err != nil || !broken {
					return err
				}
				return errors.New("broken")
			}
		}
		s := &suite[int]{name: "fake", openLimit: duration.Draw(rt, "open limit"), closeLimit: duration.Draw(rt, "close limit")}
		open, closing := takes("open"), takes("close")
		s.open = func(ctx context.Context, _ *report) (int, error) { return 0, open(ctx) }
		s.close = func(ctx context.Context, _ int) error { return closing(ctx) }
		var names []string
		for i := range rapid.IntRange(0, 6).Draw(rt, "measurements") {
			name := fmt.Sprint("m", i)
			do := takes(name)
			names = append(names, name)
			s.measurements = append(s.measurements, measurement[int]{name, duration.Draw(rt, name+" limit"), func(ctx context.Context, _ int, r *report) error {
				err := do(ctx)
				if err == nil {
					r.budget(name, "")
				}
				return err
			}})
		}
		synctest.Test(t, func(t *testing.T) {
			r := new(report)
			begun := time.Now()
			_ = s.run(t.Context(), r) // which errors there are is TestSuite's to say
			if took := time.Since(begun); took > s.limit() {
				t.Errorf("took %s, more than %s", took, s.limit())
			}
			var reported []string
			for _, b := range r.Budgets {
				reported = append(reported, b.What)
			}
			for _, f := range r.Failed {
				reported = append(reported, f.Name)
			}
			slices.Sort(reported)
			if !slices.Equal(reported, names) {
				t.Errorf("the report has %v, not %v", reported, names)
			}
		})
	})
}
