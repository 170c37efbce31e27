package plan

import (
	"net/netip"
	"testing"

	"fargo/aws/ecs"
	"fargo/record"
)

// TestPlaceInterfaceFamilies holds which addresses an interface has: one of each family
// that its subnet has blocks of.
func TestPlaceInterfaceFamilies(t *testing.T) {
	four, six := netip.MustParsePrefix("10.0.0.0/24"), netip.MustParsePrefix("2001:db8:1:1::/64")
	full := func(netip.Addr) bool { return true }
	free := func(netip.Addr) bool { return false }
	for name, test := range map[string]struct {
		candidate        Candidate
		has4, has6, full bool
	}{
		"IPv4":                        {Candidate{Prefix: four, Taken: free}, true, false, false},
		"dual-stack":                  {Candidate{Prefix: four, Prefix6: six, Taken: free}, true, true, false},
		"IPv6 alone":                  {Candidate{Prefix6: six, Taken: free}, false, true, false},
		"full":                        {Candidate{Prefix: four, Taken: full}, false, false, true},
		"dual-stack, full of IPv4":    {Candidate{Prefix: four, Prefix6: six, Taken: netip.Addr.Is4}, false, false, true},
		"neither, which cannot be so": {Candidate{Taken: free}, false, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			task := &record.Task{Network: &ecs.AwsVpcConfiguration{Subnets: []string{"subnet-1"}, AssignPublicIp: ecs.AssignPublicIpEnabled}}
			i, _, err := PlaceInterface(task, "eni-0123456789abcdef0", []Candidate{test.candidate})
			if (err != nil) != test.full {
				t.Fatalf("placed with %v", err)
			}
			if test.candidate.HasRoom("eni-0123456789abcdef0") == test.full {
				t.Errorf("has room: %v", test.full)
			}
			if err != nil {
				return
			}
			if i.Address.IsValid() != test.has4 || i.IPv6.IsValid() != test.has6 || i.IPv6Prefix != test.candidate.Prefix6 {
				t.Errorf("has %v and %v of %v", i.Address, i.IPv6, i.IPv6Prefix)
			}
			if i.IPv6.IsValid() && !six.Contains(i.IPv6) {
				t.Errorf("%v is not in the subnet", i.IPv6)
			}
			public, err := PlacePublicAddress(task, &i, netip.MustParsePrefix("240.0.0.0/20"), free)
			if err != nil || public.IsValid() != test.has4 {
				t.Errorf("has the public address %v, %v", public, err)
			}
			task.Interface = &i
			task.Intent.Attachments = []ecs.Attachment{{Id: new("a")}}
			task.Intent.Containers = []ecs.Container{{Name: new("app")}}
			shown := taskContainers(task)[0].NetworkInterfaces[0]
			if (shown.PrivateIpv4Address != nil) != test.has4 || (shown.Ipv6Address != nil) != test.has6 {
				t.Errorf("shows %v and %v", shown.PrivateIpv4Address, shown.Ipv6Address)
			}
		})
	}
}
