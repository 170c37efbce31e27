package plan

import (
	"net/netip"
	"testing"

	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// TestTargetOf holds which of its addresses a task has in a target group.
func TestTargetOf(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.4"), netip.MustParseAddr("2001:db8::4")
	dual, only4, only6 := desired.Interface{Address: four, IPv6: six}, desired.Interface{Address: four}, desired.Interface{IPv6: six}
	tests := map[string]struct {
		at      desired.Interface
		use     GroupUse
		id      string
		problem string
	}{
		"IPv4":          {dual, GroupUse{Exists: true}, "10.0.0.4", ""},
		"IPv6":          {dual, GroupUse{Exists: true, IPv6: true}, "2001:db8::4", ""},
		"no IPv4":       {only6, GroupUse{Exists: true}, "", "The IP address '2001:db8::4' is not a valid IPv4 address"},
		"no IPv6":       {only4, GroupUse{Exists: true, IPv6: true}, "", "The IP address '10.0.0.4' is not a valid IPv6 address"},
		"no such group": {dual, GroupUse{}, "", "One or more target groups not found"},
	}
	for name, c := range tests {
		problem := ""
		ref, err := targetOf(&record.Task{Interface: &c.at}, ecs.LoadBalancer{TargetGroupArn: new("g"), ContainerPort: new(int32(80))}, c.use)
		if err != nil {
			problem = err.Error()
		}
		if ref.ID != c.id || problem != c.problem {
			t.Errorf("%s: %q, %q", name, ref.ID, problem)
		}
	}
}
