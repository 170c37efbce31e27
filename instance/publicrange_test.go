package instance

import (
	"fmt"
	"net/netip"
	"testing"
)

// Every instance has a range of its own, within what is reserved.
func TestPublicRange(t *testing.T) {
	reserved := netip.MustParsePrefix("240.0.0.0/4")
	whose := map[netip.Prefix]int{}
	for id := range 1 << 16 {
		r := (&Instance{ID: fmt.Sprintf("%04x", id)}).PublicRange()
		if r != r.Masked() || !reserved.Contains(r.Addr()) || r.Bits() != 20 {
			t.Fatalf("%04x has %s", id, r)
		}
		if other, taken := whose[r]; taken {
			t.Fatalf("%04x and %04x have %s", id, other, r)
		}
		whose[r] = id
	}
}
