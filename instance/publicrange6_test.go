package instance

import "testing"

func TestPublicRange6(t *testing.T) {
	for id, want := range map[string]string{"1a2b": "2001:db8:1a2b::/48", "00ff": "2001:db8:ff::/48", "0000": "2001:db8::/48"} {
		if got := (&Instance{ID: id}).PublicRange6().String(); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
