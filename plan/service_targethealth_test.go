package plan

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"fargo/aws/elbv2"
)

// TestShownHealth is the table of all that DescribeTargetHealth can show of a target,
// and what its task's service makes of it.
func TestShownHealth(t *testing.T) {
	const (
		waits    = "waits"
		calls    = "waits, and says so"
		works    = "works"
		replaces = "replaces the task"
	)
	tests := []struct {
		state  elbv2.TargetHealthStateEnum
		reason elbv2.TargetHealthReasonEnum
		inUse  bool // the target's group
		want   string
	}{
		{"initial", "Elb.RegistrationInProgress", true, waits},
		{"initial", "Elb.InitialHealthChecking", true, waits},
		{"healthy", "", true, works},
		{"unhealthy", "Target.ResponseCodeMismatch", true, replaces},
		{"unhealthy", "Target.Timeout", true, replaces},
		{"unhealthy", "Target.FailedHealthChecks", true, replaces},
		{"unhealthy", "Elb.InternalError", true, replaces},
		{"unhealthy.draining", "Target.ResponseCodeMismatch", true, replaces},
		{"unhealthy.draining", "Target.Timeout", true, replaces},
		{"unhealthy.draining", "Target.FailedHealthChecks", true, replaces},
		{"unhealthy.draining", "Elb.InternalError", true, replaces},
		{"unused", "Target.NotRegistered", true, replaces},
		{"unused", "Target.NotRegistered", false, replaces},
		{"unused", "Target.NotInUse", true, replaces}, // in a zone that its load balancer lacks
		{"unused", "Target.NotInUse", false, calls},   // without a listener
		{"unused", "Target.InvalidState", true, replaces},
		{"unused", "Target.IpUnusable", true, replaces},
		{"draining", "Target.DeregistrationInProgress", true, waits},
		{"unavailable", "Target.HealthCheckDisabled", true, works},
		{"unavailable", "Elb.InternalError", true, waits},
	}
	states, reasons := enumOf[elbv2.TargetHealth]("State"), enumOf[elbv2.TargetHealth]("Reason")
	for _, c := range tests {
		got := ""
		switch health, helpless := shownHealth(elbv2.TargetHealth{State: c.state, Reason: c.reason}, c.inUse); {
		case health == Unhealthy && !helpless:
			got = replaces
		case health == Healthy && !helpless:
			got = works
		case health == HealthPending && helpless:
			got = calls
		case health == HealthPending:
			got = waits
		}
		if got != c.want {
			t.Errorf("%s, %s, of a group in use: %v: it %s, want %s", c.state, c.reason, c.inUse, got, c.want)
		}
		states = slices.DeleteFunc(states, func(s string) bool { return s == string(c.state) })
		reasons = slices.DeleteFunc(reasons, func(r string) bool { return r == string(c.reason) })
	}
	if len(states)+len(reasons) > 0 {
		t.Errorf("nothing is said about %v and %v", states, reasons)
	}
}

// enumOf are the values that the model has for a field of a shape.
func enumOf[Shape any](field string) []string {
	f, _ := reflect.TypeFor[Shape]().FieldByName(field)
	return strings.Split(f.Tag.Get("enum"), "|")
}
