package plan

import (
	"testing"
	"time"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/record"
)

// TestTargetHealth holds what is shown of a target, in the order in which one
// reason outdoes another.
func TestTargetHealth(t *testing.T) {
	healthy := &elbv2.TargetHealth{State: elbv2.TargetHealthStateEnumHealthy}
	tests := map[string]struct {
		target record.ELBTarget
		zones  []string
		state  elbv2.TargetHealthStateEnum
		reason elbv2.TargetHealthReasonEnum
	}{
		"new":           {record.ELBTarget{Zone: "a"}, []string{"a"}, "initial", "Elb.RegistrationInProgress"},
		"healthy":       {record.ELBTarget{Zone: "a", Health: healthy}, []string{"a"}, "healthy", ""},
		"outside":       {record.ELBTarget{Zone: "all", Health: healthy}, []string{"a"}, "healthy", ""},
		"no zone":       {record.ELBTarget{Health: healthy}, []string{"a"}, "healthy", ""},
		"another zone":  {record.ELBTarget{Zone: "b", Health: healthy}, []string{"a"}, "unused", "Target.NotInUse"},
		"no use":        {record.ELBTarget{Zone: "a", Health: healthy}, nil, "unused", "Target.NotInUse"},
		"draining":      {record.ELBTarget{Zone: "a", Health: healthy, DrainingSince: time.Unix(1, 0)}, []string{"a"}, "draining", "Target.DeregistrationInProgress"},
		"drained there": {record.ELBTarget{Zone: "b", DrainingSince: time.Unix(1, 0)}, nil, "draining", "Target.DeregistrationInProgress"},
	}
	for name, c := range tests {
		if h := TargetHealth(&c.target, c.zones); h.State != c.state || h.Reason != c.reason {
			t.Errorf("%s: %s, %s", name, h.State, h.Reason)
		}
	}
}

// TestNextTargetAction holds when a target goes.
func TestNextTargetAction(t *testing.T) {
	g := &record.ELBTargetGroup{Attributes: map[string]string{"deregistration_delay.timeout_seconds": "100"}}
	since := time.Unix(1000, 0)
	healthy, inUse := &elbv2.TargetHealth{}, []string{"a"}
	tests := map[string]struct {
		target record.ELBTarget
		group  *record.ELBTargetGroup
		zones  []string
		pace   fargo.Pace
		after  time.Duration
		action TargetAction
		next   time.Time
	}{
		"here":            {record.ELBTarget{Health: healthy}, g, inUse, 1, 0, TargetWait, time.Time{}},
		"draining":        {record.ELBTarget{DrainingSince: since}, g, inUse, 1, 99 * time.Second, TargetWait, since.Add(100 * time.Second)},
		"drained":         {record.ELBTarget{DrainingSince: since}, g, inUse, 1, 100 * time.Second, TargetDelete, time.Time{}},
		"hurried":         {record.ELBTarget{DrainingSince: since}, g, inUse, 10, 9 * time.Second, TargetWait, since.Add(10 * time.Second)},
		"hurried, gone":   {record.ELBTarget{DrainingSince: since}, g, inUse, 10, 10 * time.Second, TargetDelete, time.Time{}},
		"nothing to send": {record.ELBTarget{DrainingSince: since}, g, nil, 1, 0, TargetDelete, time.Time{}},
		"unwatched":       {record.ELBTarget{Health: healthy}, g, nil, 1, 0, TargetReset, time.Time{}},
		"elsewhere":       {record.ELBTarget{Zone: "b", DrainingSince: since}, g, inUse, 1, 0, TargetDelete, time.Time{}},
		"zone taken away": {record.ELBTarget{Zone: "b", Health: healthy}, g, inUse, 1, 0, TargetReset, time.Time{}},
		"unknown":         {record.ELBTarget{}, g, nil, 1, 0, TargetWait, time.Time{}},
		"no group":        {record.ELBTarget{}, nil, nil, 1, 0, TargetDelete, time.Time{}},
	}
	for name, c := range tests {
		action, next := NextTargetAction(&c.target, c.group, c.zones, c.pace, since.Add(c.after))
		if action != c.action || !next.Equal(c.next) {
			t.Errorf("%s: %d at %s", name, action, next)
		}
	}
}

// TestReportedUnused holds that a late report of a target that is in no use any more
// says nothing.
func TestReportedUnused(t *testing.T) {
	report := &desired.TargetReport{State: "healthy"}
	for zone, zones := range map[string][]string{"a": nil, "b": {"a"}} {
		if _, ok := Reported(&record.ELBTarget{Zone: zone}, zones, report); ok {
			t.Errorf("in zone %s, where the load balancer is in %v", zone, zones)
		}
	}
	if next, ok := Reported(&record.ELBTarget{Zone: "a"}, []string{"a"}, report); !ok || next.Health.State != "healthy" {
		t.Error("a target in use")
	}
}

// TestRuleARN holds that a rule's name tells its listener.
func TestRuleARN(t *testing.T) {
	const l = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/web/1/2"
	for _, arn := range []string{RuleARN(l, "3"), DefaultRuleARN(l)} {
		if got, ok := ListenerOfRule(arn); !ok || got != l {
			t.Errorf("%s is of %s", arn, got)
		}
	}
	if _, ok := ListenerOfRule(l); ok {
		t.Error("a listener is taken for a rule")
	}
	if DefaultRuleARN(l) == DefaultRuleARN(l+"3") {
		t.Error("two default rules have one name")
	}
}
