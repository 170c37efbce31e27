package plan

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func offset(p netip.Prefix, a netip.Addr) int { return int(a.As4()[3]) - int(p.Addr().As4()[3]) }

// VPC user guide: "The first four IP addresses and the last IP address in each
// subnet CIDR block are not available for your use."
func TestFreeAddressGivesEachAddressOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(24, 28).Draw(t, "bits")
		subnet := netip.PrefixFrom(netip.MustParseAddr("10.1.2.0"), bits)
		taken := map[netip.Addr]bool{}
		for i := 0; ; i++ {
			a, ok := FreeAddress(subnet, rapid.StringN(1, 8, -1).Draw(t, "seed"), func(a netip.Addr) bool { return taken[a] })
			if !ok {
				if i != Capacity(subnet) {
					t.Fatalf("full after %d of %d", i, Capacity(subnet))
				}
				return
			}
			last := a.Next()
			if taken[a] || !subnet.Contains(a) || !subnet.Contains(last) || offset(subnet, a) < 4 {
				t.Fatalf("gave %v of %v", a, subnet)
			}
			taken[a] = true
		}
	})
}
