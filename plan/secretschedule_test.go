package plan

import (
	"strings"
	"testing"
	"time"

	"fargo/aws/secretsmanager"
	"fargo/record"
)

func rotationRules(days int64, expression, duration string) secretsmanager.RotationRulesType {
	r := secretsmanager.RotationRulesType{}
	if days > 0 {
		r.AutomaticallyAfterDays = &days
	}
	if expression != "" {
		r.ScheduleExpression = &expression
	}
	if duration != "" {
		r.Duration = &duration
	}
	return r
}

// secretBegan is a Sunday, at noon.
func TestNextRotation(t *testing.T) {
	for _, c := range []struct {
		days                 int64
		expression, duration string
		begin, end           string // "-" for none
	}{
		{days: 1, begin: "2026-03-02 00:00:00", end: "2026-03-02 23:59:59"},
		{days: 30, begin: "2026-03-31 00:00:00", end: "2026-03-31 23:59:59"},
		{days: 30, duration: "3h", begin: "2026-03-31 00:00:00", end: "2026-03-31 02:59:59"},
		{expression: "rate(10 days)", begin: "2026-03-11 00:00:00", end: "2026-03-11 23:59:59"},
		{expression: "rate(4 hours)", begin: "2026-03-01 16:00:00", end: "2026-03-01 16:59:59"},
		{expression: "rate(10 hours)", duration: "2h", begin: "2026-03-01 20:00:00", end: "2026-03-01 21:59:59"},
		{expression: "cron(0 8 * * ? *)", begin: "2026-03-02 08:00:00", end: "2026-03-02 23:59:59"},
		{expression: "cron(0 8/8 * * ? *)", begin: "2026-03-01 16:00:00", end: "2026-03-01 16:59:59"},
		{expression: "cron(0 1 ? * SUN#1 *)", duration: "5h", begin: "2026-04-05 01:00:00", end: "2026-04-05 05:59:59"},
		{begin: "-", end: "-"},
		{expression: "cron(0 1 1 1 ? 2020)", begin: "-", end: "-"},
	} {
		r := &record.SecretRotation{Enabled: true, Rules: rotationRules(c.days, c.expression, c.duration)}
		if err := CheckRotationRules(r.Rules, secretBegan); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		show := func(at time.Time) string {
			if at.IsZero() {
				return "-"
			}
			return at.Format(time.DateTime)
		}
		if begin, end := NextRotation(r, secretBegan); show(begin) != c.begin || show(end) != c.end {
			t.Errorf("%+v: from %s until %s", c, show(begin), show(end))
		}
		r.Enabled = false
		if begin, _ := NextRotation(r, secretBegan); !begin.IsZero() {
			t.Errorf("%+v: is due while it is turned off", c)
		}
	}
}

func TestRotationRules(t *testing.T) {
	for _, c := range []struct {
		days                 int64
		expression, duration string
		want                 string
	}{
		{1, "rate(1 day)", "", "both AutomaticallyAfterDays and ScheduleExpression"},
		{0, "rate(1 week)", "", "is not rate()"},
		{0, "at(2027-01-01T00:00:00)", "", "is not rate()"},
		{0, "rate(90 minutes)", "", "is not rate()"},
		{0, "rate(3 hours)", "", "more often than every four hours"},
		{0, "cron(0 */3 * * ? *)", "", "more often than every four hours"},
		{0, "cron(30 8 * * ? *)", "", "not due at the beginning of an hour"},
		{0, "cron(0 20 * * ? *)", "5h", "The Duration 5h is too long"},
		{0, "rate(4 hours)", "5h", "The Duration 5h is too long"},
		{1, "", "25h", "The Duration 25h is too long"},
	} {
		if err := CheckRotationRules(rotationRules(c.days, c.expression, c.duration), secretBegan); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// A value that is given by hand puts off the rotation by days, and no other.
func TestChangedSecret(t *testing.T) {
	later := secretBegan.AddDate(0, 0, 5)
	for expression, moves := range map[string]bool{"": true, "rate(10 days)": false} {
		r := &record.SecretRotation{Enabled: true, Rules: rotationRules(0, expression, "")}
		if expression == "" {
			r.Rules = rotationRules(10, "", "")
		}
		r.DueAt, r.NextAt = NextRotation(r, secretBegan)
		if after := ChangedSecret(r, later); after.DueAt.Equal(r.DueAt.AddDate(0, 0, 5)) != moves {
			t.Errorf("%q: due %s, before %s", expression, after.DueAt, r.DueAt)
		}
	}
	if ChangedSecret(nil, later) != nil {
		t.Error("a secret that is not rotated is")
	}
}
