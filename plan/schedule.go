package plan

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"fargo/aws"
	"fargo/aws/scheduler"
	"fargo/record"
	"fargo/schedule"
)

// ScheduleStep is what is to be done about a schedule.
type ScheduleStep struct {
	// Due is when the schedule was due, if it is to fire now; zero otherwise.
	Due time.Time
	// Next is when to look again; zero when the schedule is never due again.
	Next time.Time
}

// StepRuleSchedule decides about the schedule of a rule: it is first due a period after it
// began to count. Of times that have passed meanwhile it fires for the last one only.
func StepRuleSchedule(r *record.EventRule, run *record.ScheduleRun, now time.Time) ScheduleStep {
	if !r.Enabled() || aws.Value(r.Rule.ScheduleExpression) == "" {
		return ScheduleStep{}
	}
	x, err := schedule.Parse(*r.Rule.ScheduleExpression)
	if err != nil {
		return ScheduleStep{} // PutRule has refused it
	}
	return stepSchedule(x, r.Since, lastRun(run, r.Since, r.Since), time.UTC, now)
}

// lastRun is when a schedule that counts since a time has run last, and otherwise if it has
// not.
func lastRun(run *record.ScheduleRun, since, otherwise time.Time) time.Time {
	if run != nil && run.Since.Equal(since) {
		return run.Due
	}
	return otherwise
}

// stepSchedule decides about an expression that was due last at a time.
func stepSchedule(x *schedule.Expression, start, last time.Time, zone *time.Location, now time.Time) ScheduleStep {
	next, ok := x.Next(last, start, zone)
	if !ok {
		return ScheduleStep{}
	}
	if next.After(now) {
		return ScheduleStep{Next: next}
	}
	// What is due every day or more often was so in the last 25 hours; of the rest there
	// is little to go through.
	if recent, ok := x.Next(now.Add(-25*time.Hour), start, zone); ok && recent.After(next) && !recent.After(now) {
		next = recent
	}
	step := ScheduleStep{}
	for ok && !next.After(now) {
		step.Due = next
		next, ok = x.Next(next, start, zone)
	}
	if ok {
		step.Next = next
	}
	return step
}

// StepSchedule decides about a schedule of EventBridge Scheduler. done says that it will
// not be due again after what the step says.
func StepSchedule(s *record.Schedule, run *record.ScheduleRun, now time.Time) (step ScheduleStep, done bool) {
	d := &s.Schedule
	if d.State == scheduler.ScheduleStateDisabled {
		return ScheduleStep{}, false
	}
	x, err := schedule.Parse(*d.ScheduleExpression)
	if err != nil {
		return ScheduleStep{}, false // CreateSchedule has refused it
	}
	zone, err := time.LoadLocation(aws.Value(d.ScheduleExpressionTimezone))
	if err != nil {
		return ScheduleStep{}, false
	}
	start := s.Since
	if d.StartDate != nil && !x.IsAt() && d.StartDate.After(start) {
		start = *d.StartDate
	}
	first := start.Add(-1) // the first time may be due itself
	until := now.Add(-flexibleDelay(s))
	step = stepSchedule(x, start, lastRun(run, s.Since, first), zone, until)
	if d.EndDate != nil && !x.IsAt() {
		step = step.before(*d.EndDate)
	}
	if !step.Next.IsZero() {
		step.Next = step.Next.Add(flexibleDelay(s))
	}
	return step, step.Next.IsZero()
}

// before is a step without what is after an end.
func (step ScheduleStep) before(end time.Time) ScheduleStep {
	if step.Due.After(end) {
		step.Due = time.Time{}
	}
	if step.Next.After(end) {
		step.Next = time.Time{}
	}
	return step
}

// flexibleDelay is how long after it was due a schedule with a flexible window fires: a
// time within the window, the same for every run of one schedule.
func flexibleDelay(s *record.Schedule) time.Duration {
	w := s.Schedule.FlexibleTimeWindow
	if w == nil || w.Mode != scheduler.FlexibleTimeWindowModeFlexible || w.MaximumWindowInMinutes == nil {
		return 0
	}
	window := time.Duration(*w.MaximumWindowInMinutes) * time.Minute
	sum := sha256.Sum256([]byte(*s.Schedule.Arn))
	return time.Duration(binary.BigEndian.Uint64(sum[:]) % uint64(window))
}

// ScheduledID is the id of what a schedule has for a target at a time: the same whenever it
// is asked for.
func ScheduledID(arn, target string, due time.Time) string {
	sum := sha256.Sum256([]byte(arn + "\n" + target + "\n" + due.UTC().Format(time.RFC3339Nano)))
	return hex.EncodeToString(sum[:16])
}
