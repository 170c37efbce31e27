package desired_test

import (
	"net/netip"
	"testing"

	"fargo/desired"
)

// A header is only what somebody with the key has written.
func TestOrigin(t *testing.T) {
	key, other := desired.OriginKey("a"), desired.OriginKey("b")
	for _, o := range []desired.Origin{
		{At: "vpc-1", Client: netip.MustParseAddr("10.0.0.5")},
		{At: "vpce-1", Client: netip.MustParseAddr("fd00::5"), Secure: true},
	} {
		header := o.Sign(key)
		if got, ok := desired.OpenOrigin(header, key); !ok || got != o {
			t.Errorf("%q is read as %+v, %v", header, got, ok)
		}
		if _, ok := desired.OpenOrigin(header, other); ok {
			t.Errorf("%q is read with another key", header)
		}
		for i := range header {
			changed := []byte(header)
			changed[i]++
			if got, ok := desired.OpenOrigin(string(changed), key); ok && got != o {
				t.Errorf("%q is read as %+v", changed, got)
			}
		}
	}
	for _, header := range []string{"", " ", "vpc-1", "vpc-1 10.0.0.5 true", "vpc-1 10.0.0.5 true "} {
		if got, ok := desired.OpenOrigin(header, key); ok {
			t.Errorf("%q is read as %+v", header, got)
		}
	}
}
