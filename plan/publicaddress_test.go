package plan

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// Every address of a range but its first and last is given once, and one that was given
// back can be given again.
func TestFreePublicAddressGivesEachAddressOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := netip.PrefixFrom(netip.MustParseAddr("203.0.113.0"), rapid.IntRange(24, 28).Draw(t, "bits"))
		taken := map[netip.Addr]bool{}
		free := func() (netip.Addr, bool) {
			return FreePublicAddress(of, rapid.StringN(1, 8, -1).Draw(t, "seed"), func(a netip.Addr) bool { return taken[a] })
		}
		for range 1<<(32-of.Bits()) - 2 {
			a, ok := free()
			if !ok || taken[a] || !IsPublicAddress(of, a) || a == of.Addr() || !of.Contains(a.Next()) {
				t.Fatalf("gave %v of %v with %d taken", a, of, len(taken))
			}
			taken[a] = true
		}
		if a, ok := free(); ok {
			t.Fatalf("gave %v of a full range", a)
		}
		for a := range taken {
			delete(taken, a)
			if again, ok := free(); !ok || again != a {
				t.Fatalf("gave %v, %v is the only free one", again, a)
			}
			break
		}
	})
}

// A task gets a public address only when it asks, and stops when there is none.
func TestPlacePublicAddress(t *testing.T) {
	of, none := netip.MustParsePrefix("203.0.113.0/28"), func(netip.Addr) bool { return false }
	all := func(netip.Addr) bool { return true }
	asks := &record.Task{Network: &ecs.AwsVpcConfiguration{AssignPublicIp: ecs.AssignPublicIpEnabled}}
	asksNot := &record.Task{Network: &ecs.AwsVpcConfiguration{AssignPublicIp: ecs.AssignPublicIpDisabled}}
	i := &desired.Interface{ID: "eni-1", Subnet: "subnet-1", Address: netip.MustParseAddr("10.0.0.9")}
	for name, c := range map[string]struct {
		task  *record.Task
		of    netip.Prefix
		taken func(netip.Addr) bool
		gets  bool
		fails string
	}{
		"asks":           {asks, of, none, true, ""},
		"asks not":       {asksNot, of, none, false, ""},
		"asks not, full": {asksNot, of, all, false, ""},
		"no range":       {asks, netip.Prefix{}, none, false, ""},
		"full":           {asks, of, all, false, "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment enabled in subnet 'subnet-1': InsufficientAddressCapacity"},
	} {
		a, err := PlacePublicAddress(c.task, i, c.of, c.taken)
		if a.IsValid() != c.gets || (err != nil) != (c.fails != "") || (err != nil && !strings.Contains(err.Error(), c.fails)) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	if a, err := PlacePublicAddress(asks, &desired.Interface{ID: "eni-2", Subnet: "subnet-1"}, of, none); a.IsValid() || err != nil {
		t.Errorf("in a subnet without IPv4: %v, %v", a, err)
	}
}
