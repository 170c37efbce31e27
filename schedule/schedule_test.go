package schedule

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestParse has what is an expression and what is not. Those marked recorded are what
// EventBridge and Scheduler took and refused.
func TestParse(t *testing.T) {
	valid := []string{
		"rate(1 minute)", "rate(5 minutes)", "rate(1 hours)", "rate(7 days)", "at(2026-02-28T23:59:59)",
		// recorded:
		"cron(* * ? * SAT#3 *)", "cron(0 2 ? * SAT#3 *)", "cron(0 8 1 * ? *)", "cron(0/10 * ? * MON-FRI *)", "cron(0/15 * * * ? *)",
		"cron(0/30 0-2 ? * MON-FRI *)", "cron(0/5 8-17 ? * MON-FRI *)", "cron(15 10 ? * 6L 2002-2005)", "cron(15 12 * * ? *)",
		"cron(*/15 * * * ? *)", "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)", "cron(0-59/10 0-23/2 ? * * *)",
		// documented:
		"cron(0 9 L * ? *)", "cron(0 9 3W * ? *)", "cron(0 9 ? JAN,FEB L 2026/2)",
	}
	invalid := []string{
		"", "rate()", "rate(0 minutes)", "rate(-1 minutes)", "rate(1.5 hours)", "rate(1 Minute)", "rate(01 minutes)", "Rate(1 minute)",
		"rate(1 second)", "rate(999999999999 days)", "at(2026-02-29T00:00:00)", "at(2026-02-28T00:00:00Z)", "at(2026-02-28)", "at(2026-2-28T0:00:00)",
		"cron(0 0 31 2)", "cron(0 0 ? * ? *)", "cron(60 * * * ? *)", "cron(* 24 * * ? *)", "cron(* * 0 * ? *)", "cron(* * * 13 ? *)", "cron(* * ? * 8 *)",
		"cron(* * ? * 0 *)", "cron(* * * * ? 1969)", "cron(* * * * ? 2005-2002)", "cron(*/0 * * * ? *)", "cron(* * ? * MON#6 *)", "cron(* * ? * 3#1,6#3 *)",
		"cron(* ? * * ? *)", "cron(* * L,W * ? *)", "cron(* * W * ? *)", "cron(1- * * * ? *)", "cron(1,,2 * * * ? *)", "cron(* * * * ? *) ", "cron(*  * * * ? *)",
		// recorded:
		"cron(0 dummy ? * MON-FRI *)", "cron(7 20 * * NOT *)", "cron(71 8 1 * ? *)", "cron(INVALID)", "cron(0 1 * * * *)", "rate( 10 minutes )", "rate(10 years)", "rate(foo minutes)",
	}
	for _, text := range valid {
		if _, err := Parse(text); err != nil {
			t.Errorf("%s is not taken: %v", text, err)
		}
	}
	for _, text := range invalid {
		if _, err := Parse(text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q is taken: %v", text, err)
		}
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ expression, after, zone, want string }{
		{"at(2026-03-29T02:30:00)", "2026-01-01T00:00:00Z", "Europe/Berlin", "never"}, // skipped
		{"at(2026-10-25T02:30:00)", "2026-01-01T00:00:00Z", "Europe/Berlin", "2026-10-25T00:30:00Z"},
		{"at(2026-10-25T02:30:00)", "2026-10-25T00:30:00Z", "Europe/Berlin", "never"},
		{"cron(30 2 * * ? *)", "2026-03-28T12:00:00Z", "Europe/Berlin", "2026-03-30T00:30:00Z"},
		{"cron(30 2 * * ? *)", "2026-10-24T12:00:00Z", "Europe/Berlin", "2026-10-25T00:30:00Z"},
		{"cron(30 2 * * ? *)", "2026-10-25T00:30:00Z", "Europe/Berlin", "2026-10-26T01:30:00Z"},
		{"cron(0 9 L * ? *)", "2026-02-01T00:00:00Z", "UTC", "2026-02-28T09:00:00Z"},
		{"cron(0 9 LW * ? *)", "2026-02-01T00:00:00Z", "UTC", "2026-02-27T09:00:00Z"}, // the 28th is a Saturday
		{"cron(0 9 1W * ? *)", "2026-08-01T00:00:00Z", "UTC", "2026-08-03T09:00:00Z"}, // the 1st is a Saturday
		{"cron(0 9 15W * ? *)", "2026-11-01T00:00:00Z", "UTC", "2026-11-16T09:00:00Z"},
		{"cron(0 9 31W * ? *)", "2026-02-01T00:00:00Z", "UTC", "2026-03-31T09:00:00Z"},
		{"cron(0 9 ? * 6L *)", "2026-11-01T00:00:00Z", "UTC", "2026-11-27T09:00:00Z"},
		{"cron(0 9 ? * L *)", "2026-11-29T00:00:00Z", "UTC", "2026-12-05T09:00:00Z"},
		{"cron(0 9 ? * MON#5 *)", "2026-10-01T00:00:00Z", "UTC", "2026-11-30T09:00:00Z"},
		{"cron(0 0 ? * FRI-SUN *)", "2026-11-30T00:00:00Z", "UTC", "2026-12-04T00:00:00Z"},
		{"cron(0 22-1/3 * * ? *)", "2026-11-30T22:00:00Z", "UTC", "2026-12-01T01:00:00Z"},
		{"cron(0 0 29 2 ? *)", "2026-01-01T00:00:00Z", "UTC", "2028-02-29T00:00:00Z"},
		{"cron(0 0 30 2 ? *)", "2026-01-01T00:00:00Z", "UTC", "never"},
		{"cron(0 0 1 1 ? 2020)", "2026-01-01T00:00:00Z", "UTC", "never"},
		{"rate(5 minutes)", "2026-01-01T00:00:00Z", "UTC", "2026-01-01T00:05:00Z"},
		{"rate(5 minutes)", "2026-01-01T00:06:00Z", "UTC", "2026-01-01T00:10:00Z"},
		{"rate(1 day)", "2025-12-31T00:00:00Z", "UTC", "2026-01-01T00:00:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		x, err := Parse(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		got := "never"
		if due, ok := x.Next(at(t, c.after), at(t, "2026-01-01T00:00:00Z"), zone); ok {
			got = due.Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%s after %s in %s: %s, want %s", c.expression, c.after, c.zone, got, c.want)
		}
	}
}

func at(t *testing.T, text string) time.Time {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestNextWalks compares with a walk over every minute, around days when clocks are put
// forward, put back, or a day is left out.
func TestNextWalks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		place := rapid.SampledFrom([]struct{ zone, near string }{
			{"UTC", "2026-02-27T00:00:00Z"},
			{"Europe/Berlin", "2026-03-28T12:00:00Z"},
			{"America/New_York", "2026-11-01T00:00:00Z"},
			{"Australia/Lord_Howe", "2026-04-04T00:00:00Z"},
			{"Pacific/Apia", "2011-12-29T12:00:00Z"},
			{"Asia/Kathmandu", "2026-12-31T00:00:00Z"},
		}).Draw(t, "place")
		zone, err := time.LoadLocation(place.zone)
		if err != nil {
			t.Fatal(err)
		}
		near, err := time.Parse(time.RFC3339, place.near)
		if err != nil {
			t.Fatal(err)
		}
		minute := rapid.SampledFrom([]string{"*", "0", "30", "*/20", "15-45/10", "50-10"}).Draw(t, "minute")
		hour := rapid.SampledFrom([]string{"*", "0", "2", "1,3", "*/5", "22-2"}).Draw(t, "hour")
		days := rapid.SampledFrom([]string{"* * ?", "? * *", "L * ?", "? * 1", "28-31 * ?", "1W * ?", "? * SAT#1", "? 2,11,12 *", "? * 7L"}).Draw(t, "days")
		x, err := Parse(fmt.Sprintf("cron(%s %s %s *)", minute, hour, days))
		if err != nil {
			t.Fatal(err)
		}
		after := near.Add(time.Duration(rapid.IntRange(0, 3*24*3600).Draw(t, "seconds")) * time.Second)
		want, found := time.Time{}, false
		walk := after.Truncate(time.Minute).Add(time.Minute)
		for range 5 * 24 * 60 {
			if x.cron.shows(walk.In(zone)) && !shownBefore(walk, zone) {
				want, found = walk, true
				break
			}
			walk = walk.Add(time.Minute)
		}
		got, ok := x.Next(after, time.Time{}, zone)
		if found && (!ok || !got.Equal(want)) || !found && ok && got.Before(walk) {
			t.Fatalf("after %s: %s, want %s", after, got, want)
		}
	})
}

// shows reports whether a local time is one of the expression.
func (c *cron) shows(local time.Time) bool {
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	return c.years.has(local.Year()-firstYear) && c.months.has(int(local.Month())) && c.on(day) && c.hours.has(local.Hour()) && c.minutes.has(local.Minute())
}

// shownBefore reports whether clocks have shown the same in the hours before.
func shownBefore(t time.Time, zone *time.Location) bool {
	const clock = "2006-01-02 15:04"
	for back := time.Minute; back <= 3*time.Hour; back += time.Minute {
		if t.Add(-back).In(zone).Format(clock) == t.In(zone).Format(clock) {
			return true
		}
	}
	return false
}

// FuzzParse holds that whatever is taken is due after the time that was asked for.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"rate(5 minutes)", "cron(0/5 8-17 ? * MON-FRI *)", "cron(1 2 LW 3 ? 2030-2040/3)", "at(2026-01-01T00:00:00)", "cron(0 0 ? 1 3#2 *)"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		x, err := Parse(text)
		if err != nil {
			return
		}
		if !strings.HasSuffix(text, ")") {
			t.Errorf("%q is taken", text)
		}
		after := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		if due, ok := x.Next(after, after, time.UTC); ok && !due.After(after) {
			t.Errorf("%s is due at %s", text, due)
		}
	})
}

// BenchmarkNext finds the next time of an expression that is due rarely.
func BenchmarkNext(b *testing.B) {
	x, err := Parse("cron(0 0 29 2 ? *)")
	if err != nil {
		b.Fatal(err)
	}
	after := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for b.Loop() {
		x.Next(after, after, time.UTC)
	}
}
