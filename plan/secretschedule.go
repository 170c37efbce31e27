package plan

import (
	"time"

	"fargo/aws"
	"fargo/aws/secretsmanager"
	"fargo/record"
	"fargo/schedule"
)

const (
	day = 24 * time.Hour
	// hourlyWindow is how long the window of a rotation by hours is; one by days ends
	// with its day.
	// Source: Secrets Manager API, RotationRulesType.
	hourlyWindow = time.Hour
	// closestRotations is how often a secret can be rotated.
	// Source: Secrets Manager API, RotationRulesType.
	closestRotations = 4 * time.Hour
)

// CheckRotationRules refuses rules that say no time, or one twice, and windows that do not
// end before the next or with their day.
func CheckRotationRules(r secretsmanager.RotationRulesType, now time.Time) error {
	invalid := secretsmanager.InvalidParameterException
	if r.AutomaticallyAfterDays != nil && r.ScheduleExpression != nil {
		return invalid("You can't specify both AutomaticallyAfterDays and ScheduleExpression.")
	}
	if r.ScheduleExpression != nil {
		x, err := schedule.Parse(*r.ScheduleExpression)
		switch {
		case err != nil || x.IsAt() || x.Period%time.Hour != 0:
			return invalid("The ScheduleExpression %s is not rate(), in hours or days, or cron().", *r.ScheduleExpression)
		case x.IsRate() && x.Period < closestRotations:
			return invalid("The ScheduleExpression %s rotates more often than every four hours.", *r.ScheduleExpression)
		}
	}
	begin, next := rotationBegins(r, now)
	switch length := rotationWindow(r, begin, next); {
	case begin.IsZero():
		return nil
	case begin.Truncate(time.Hour) != begin:
		return invalid("The ScheduleExpression %s is not due at the beginning of an hour.", *r.ScheduleExpression)
	case !next.IsZero() && next.Sub(begin) < closestRotations:
		return invalid("The ScheduleExpression %s rotates more often than every four hours.", *r.ScheduleExpression)
	case begin.Add(length).After(begin.Truncate(day).Add(day)) || !next.IsZero() && begin.Add(length).After(next):
		return invalid("The Duration %s is too long: the rotation window must not extend into the next UTC day or into the next rotation window.", *r.Duration)
	}
	return nil
}

// NextRotation is the window of the next rotation after one that was configured, or ended,
// now; zero when there is none by itself. Its end is a second before that of the time.
func NextRotation(r *record.SecretRotation, now time.Time) (begin, end time.Time) {
	if !r.Enabled {
		return time.Time{}, time.Time{}
	}
	begin, next := rotationBegins(r.Rules, now)
	if begin.IsZero() {
		return time.Time{}, time.Time{}
	}
	return begin, begin.Add(rotationWindow(r.Rules, begin, next) - time.Second)
}

// rotationBegins is when the next window of a rotation begins and the one after it, in
// UTC; zero where there is none. Rates are counted from midnight.
func rotationBegins(r secretsmanager.RotationRulesType, now time.Time) (begin, next time.Time) {
	midnight := now.UTC().Truncate(day)
	if days := aws.Value(r.AutomaticallyAfterDays); days > 0 {
		begin = midnight.AddDate(0, 0, int(days))
		return begin, begin.AddDate(0, 0, int(days))
	}
	x, err := schedule.Parse(aws.Value(r.ScheduleExpression))
	if err != nil {
		return time.Time{}, time.Time{}
	}
	begin, ok := x.Next(now, midnight, time.UTC)
	if !ok {
		return time.Time{}, time.Time{}
	}
	next, _ = x.Next(begin, midnight, time.UTC)
	return begin, next
}

// rotationWindow is how long a window is that begins then: as its Duration says, which is
// hours, as "3h"; or else an hour of a rotation by hours, and to the end of its day of one
// by days.
func rotationWindow(r secretsmanager.RotationRulesType, begin, next time.Time) time.Duration {
	if d, err := time.ParseDuration(aws.Value(r.Duration)); err == nil && d > 0 {
		return d
	}
	if !next.IsZero() && next.Sub(begin) < day {
		return hourlyWindow
	}
	return begin.Truncate(day).Add(day).Sub(begin)
}

// ChangedSecret is the rotation of a secret that was given another value: by days, that is
// a rotation as good as any.
// Source: Secrets Manager API, RotationRulesType.
func ChangedSecret(r *record.SecretRotation, now time.Time) *record.SecretRotation {
	if r == nil || !r.Enabled || r.Pending != nil || aws.Value(r.Rules.AutomaticallyAfterDays) == 0 {
		return r
	}
	later := *r
	later.DueAt, later.NextAt = NextRotation(r, now)
	return &later
}
