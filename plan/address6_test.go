package plan

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// VPC user guide: "The first four IPv6 addresses and the last IPv6 address in each
// subnet CIDR block are not available for your use."
func TestFreeAddress6GivesEachAddressOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(122, 126).Draw(t, "bits")
		subnet := netip.PrefixFrom(netip.MustParseAddr("2001:db8:1:2::40"), bits).Masked()
		taken := map[netip.Addr]bool{}
		for {
			a, ok := FreeAddress6(subnet, rapid.StringN(1, 8, -1).Draw(t, "seed"), func(a netip.Addr) bool { return taken[a] })
			if !ok {
				if want := max(0, 1<<(128-bits)-reservedAddresses6-1); len(taken) != want {
					t.Fatalf("full after %d of %d", len(taken), want)
				}
				return
			}
			if taken[a] || !subnet.Contains(a) || !subnet.Contains(a.Next()) || !Assignable6(subnet, a) {
				t.Fatalf("gave %v of %v", a, subnet)
			}
			taken[a] = true
		}
	})
}

func TestAssignable6(t *testing.T) {
	for _, test := range []struct {
		subnet, address string
		want            bool
	}{
		{"2001:db8::/64", "2001:db8::3", false},
		{"2001:db8::/64", "2001:db8::4", true},
		{"2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff", false},
		{"2001:db8::/64", "2001:db8:0:1::4", false},
		{"2001:db8::/60", "2001:db8:0:1::", true},
		{"2001:db8::/64", "10.0.0.4", false},
	} {
		if got := Assignable6(netip.MustParsePrefix(test.subnet), netip.MustParseAddr(test.address)); got != test.want {
			t.Errorf("%s in %s: %v", test.address, test.subnet, got)
		}
	}
	if _, ok := FreeAddress6(netip.Prefix{}, "x", nil); ok {
		t.Error("an address of nothing")
	}
}

func TestFreeBlock6GivesEachBlockOnce(t *testing.T) {
	of := netip.MustParsePrefix("2001:db8:1a2b::/48")
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(48, 56).Draw(t, "bits")
		var given []netip.Prefix
		taken := func(p netip.Prefix) bool {
			for _, g := range given {
				if g.Overlaps(p) {
					return true
				}
			}
			return false
		}
		for {
			b, ok := FreeBlock6(of, bits, rapid.StringN(1, 8, -1).Draw(t, "seed"), taken)
			if !ok {
				break
			}
			if b.Bits() != bits || b != b.Masked() || !of.Overlaps(b) || taken(b) {
				t.Fatalf("gave %v of %v", b, of)
			}
			given = append(given, b)
		}
		if len(given) != 1<<(bits-48) {
			t.Fatalf("full after %d", len(given))
		}
	})
}
