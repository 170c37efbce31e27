package plan

import (
	"testing"
	"time"

	"fargo/aws/events"
	"fargo/record"
)

// A function is called three times at most, as Lambda does; what else fails is tried for a
// day, or as the target says.
// The trust policy of a target's role is told of the rule, or of the group of the schedule.
func TestDeliverySource(t *testing.T) {
	for owner, want := range map[string]string{
		"arn:aws:events:us-east-1:123456789012:rule/r":                "arn:aws:events:us-east-1:123456789012:rule/r",
		"arn:aws:events:us-east-1:123456789012:rule/bus/r":            "arn:aws:events:us-east-1:123456789012:rule/bus/r",
		"arn:aws:scheduler:us-east-1:123456789012:schedule/default/s": "arn:aws:scheduler:us-east-1:123456789012:schedule-group/default",
	} {
		if got := DeliverySource(&record.EventDelivery{Owner: owner}); got != want {
			t.Errorf("of %s: %s", owner, got)
		}
	}
}

func TestEventAttemptsOfFunctions(t *testing.T) {
	const function = "arn:aws:lambda:us-east-1:123456789012:function:f"
	for _, c := range []struct {
		target   string
		policy   *events.RetryPolicy
		attempts int
		pause    time.Duration
		again    bool
	}{
		{function, nil, 1, time.Minute, true},
		{function, nil, 2, 2 * time.Minute, true},
		{function, nil, 3, 0, false},
		{function, &events.RetryPolicy{MaximumRetryAttempts: new(int32(1))}, 2, 0, false},
		{function, &events.RetryPolicy{MaximumRetryAttempts: new(int32(9))}, 3, 0, false},
		{"arn:aws:sqs:us-east-1:123456789012:q", nil, 3, 4 * time.Second, true},
	} {
		d := &record.EventDelivery{Attempts: c.attempts, Target: events.Target{Arn: &c.target, RetryPolicy: c.policy}}
		now := time.Now()
		d.Made = now
		next, again := NextEventAttempt(d, now, 1, 1)
		if again != c.again || again && next.Sub(now) != c.pause {
			t.Errorf("%s after %d: in %v, %v", c.target, c.attempts, next.Sub(now), again)
		}
	}
}
