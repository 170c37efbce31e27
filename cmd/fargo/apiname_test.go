package main

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAPINames(t *testing.T) {
	outside := []netip.Addr{netip.MustParseAddr("2001:db8::7"), netip.MustParseAddr("192.0.2.7")}
	const always = "localhost *.localhost api.fargo.internal"
	for _, c := range []struct{ listening, hostname, want string }{
		{"127.0.0.1", "box", always + " box *.box 127.0.0.1 ::1"},
		{"127.0.0.1", "localhost", always + " 127.0.0.1 ::1"},
		{"::1", "not_a_name", always + " 127.0.0.1 ::1"},
		{"192.0.2.9", "box.example.com", always + " box.example.com *.box.example.com 127.0.0.1 192.0.2.9 ::1"},
		{"0.0.0.0", "", always + " 127.0.0.1 192.0.2.7 ::1 2001:db8::7"},
		{"::", "", always + " 127.0.0.1 192.0.2.7 ::1 2001:db8::7"},
		{"::ffff:0.0.0.0", "", always + " 127.0.0.1 192.0.2.7 ::1 2001:db8::7"},
		{"fe80::1%eth0", "", always + " 127.0.0.1 ::1 fe80::1"},
	} {
		if got := strings.Join(apiNames(netip.MustParseAddr(c.listening), c.hostname, outside), " "); got != c.want {
			t.Errorf("at %s on %q:\n%s, want\n%s", c.listening, c.hostname, got, c.want)
		}
	}
}
