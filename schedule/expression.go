package schedule

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrInvalid says that a text is no schedule expression.
var ErrInvalid = errors.New("not a schedule expression")

// An Expression says when something is due. It is read only. Which kinds of expressions a
// service takes, the service checks.
type Expression struct {
	// Period is that of rate(…); a day has 24 hours. 0 for the others.
	Period time.Duration
	// Plural is set when the unit of rate(…) is in the plural.
	Plural bool
	// At is the local time of at(…), as if it were UTC; zero for the others.
	At   time.Time
	cron *cron
}

// IsRate reports whether the expression is rate(…).
func (x *Expression) IsRate() bool { return x.Period > 0 }

// IsCron reports whether the expression is cron(…).
func (x *Expression) IsCron() bool { return x.cron != nil }

// IsAt reports whether the expression is at(…): it is due once.
func (x *Expression) IsAt() bool { return !x.At.IsZero() }

var (
	ratePattern = regexp.MustCompile(`^rate\(([1-9][0-9]{0,8}) (minute|hour|day)(s?)\)$`)
	units       = map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
)

// Parse reads an expression, which is in lower case but for the names of months and days,
// and without blanks that are not needed. The error is [ErrInvalid].
func Parse(text string) (*Expression, error) {
	if m := ratePattern.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		unit := units[m[2]]
		if err != nil || int64(n) > int64(1<<63-1)/int64(unit) {
			return nil, ErrInvalid
		}
		return &Expression{Period: time.Duration(n) * unit, Plural: m[3] != ""}, nil
	}
	if inner, ok := within(text, "at("); ok {
		at, err := time.Parse("2006-01-02T15:04:05", inner)
		if err != nil || at.IsZero() || len(inner) != len("2006-01-02T15:04:05") {
			return nil, ErrInvalid
		}
		return &Expression{At: at}, nil
	}
	if inner, ok := within(text, "cron("); ok {
		c, err := parseCron(inner)
		if err != nil {
			return nil, err
		}
		return &Expression{cron: c}, nil
	}
	return nil, ErrInvalid
}

// within is what is in the parentheses of a text that begins with open.
func within(text, open string) (string, bool) {
	inner, ok := strings.CutPrefix(text, open)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(inner, ")")
}

// Next is the first time after a time at which the expression is due, in UTC; false when
// there is none. Rates are counted from start, which is itself due; the others do not
// look at it. Clock times are those of the zone: one that daylight saving skips is not
// due, and of one that comes twice the first is.
// Source: EventBridge Scheduler user guide, "Schedule types".
func (x *Expression) Next(after, start time.Time, zone *time.Location) (time.Time, bool) {
	switch {
	case x.IsRate():
		if after.Before(start) {
			return start.UTC(), true
		}
		return start.Add((after.Sub(start)/x.Period + 1) * x.Period).UTC(), true
	case x.IsAt():
		due, ok := instant(x.At, zone)
		return due, ok && due.After(after)
	}
	return x.cron.next(after, zone)
}

// instant is the first time when clocks in a zone show what wall does, which is written
// as if it were UTC; false when they never do.
func instant(wall time.Time, zone *time.Location) (time.Time, bool) {
	shows := func(t time.Time) bool {
		_, offset := t.In(zone).Zone()
		return t.Add(time.Duration(offset) * time.Second).Equal(wall)
	}
	// The clocks of a zone are at most a day apart in the days around, so that one of
	// these two offsets is that of every time which shows wall.
	for _, near := range []time.Time{wall.Add(-24 * time.Hour), wall.Add(24 * time.Hour)} {
		_, offset := near.In(zone).Zone()
		if t := wall.Add(-time.Duration(offset) * time.Second); shows(t) {
			return t, true
		}
	}
	return time.Time{}, false
}
