package containerd

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func patterns(t *testing.T, texts ...string) []HostPattern {
	t.Helper()
	var all []HostPattern
	for _, text := range texts {
		p, err := ParseHostPattern(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// Every kind of address that is on this machine, or reached by it alone, and none
// that a registry of somebody's may have.
func TestAddressesOfRegistries(t *testing.T) {
	rules := Registries{Own: func() ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("fd00::3%eth0"), netip.MustParseAddr("203.0.113.9")}, nil
	}}
	for _, text := range []string{
		"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1",
		"0.0.0.0", "0.1.2.3", "::", "169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
		"169.254.192.4", "fe80::1", "fe80::1%eth0", "febf::1", "224.0.0.1", "239.1.1.1", "ff02::1",
		"240.0.0.1", "255.255.255.255", "fd00:ec2::254", "168.63.129.16", "100.100.100.200", "192.0.0.192",
		"10.1.2.3", "::ffff:10.1.2.3", "fd00::3", "203.0.113.9",
	} {
		err := rules.address("registry.test", netip.MustParseAddr(text), 443)
		if !isRefusal(err) || !strings.Contains(err.Error(), "fargo up --allow-registry registry.test:443 would allow it") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{
		"10.1.2.4", "172.16.0.1", "172.31.0.5", "192.168.1.1", "100.64.0.1", "fd00::4", "198.51.100.1", "2001:db8::1", "64:ff9b::a01:204",
	} {
		if err := rules.address("registry.test", netip.MustParseAddr(text), 443); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Who does not know the machine's addresses lets nobody through.
func TestUnknownOwnAddressesRefuse(t *testing.T) {
	failed := errors.New("no netlink")
	rules := Registries{Own: func() ([]netip.Addr, error) { return nil, failed }}
	if err := rules.address("registry.test", netip.MustParseAddr("198.51.100.1"), 443); !errors.Is(err, failed) {
		t.Errorf("error = %v", err)
	}
}

// The narrowest pattern decides, and of equals the one that denies.
func TestFlagsDecideByTheNarrowestPattern(t *testing.T) {
	const refused, allowed, unsaid = "refused", "allowed", "unsaid"
	for _, test := range []struct {
		allow, deny string
		host        string
		addr        string // empty: by name
		port        uint16
		want        string
	}{
		{"127.0.0.1:5000", "", "x", "127.0.0.1", 5000, allowed},
		{"127.0.0.1:5000", "", "x", "127.0.0.1", 4566, refused},
		{"127.0.0.0/8", "127.0.0.1:4566", "x", "127.0.0.1", 4566, refused},
		{"127.0.0.0/8", "127.0.0.1:4566", "x", "127.0.0.1", 5000, allowed},
		{"", "10.0.0.0/8", "x", "10.1.2.3", 443, refused},
		{"10.1.0.0/16", "10.0.0.0/8", "x", "10.1.2.3", 443, allowed},
		{"10.0.0.0/8", "10.0.0.0/8", "x", "10.1.2.3", 443, refused},
		{"fd00::/8", "", "x", "fd00:ec2::254", 80, allowed},
		{"::1", "", "x", "::1", 5000, allowed},
		{"[::1]:5000", "", "x", "::1", 5001, refused},
		{"::ffff:127.0.0.0/104", "", "x", "127.0.0.1", 5000, allowed},
		{"registry.corp", "0.0.0.0/0", "Registry.Corp.", "", 443, allowed},
		{"registry.corp:5000", "", "registry.corp", "", 443, unsaid},
		{"registry.corp", "registry.corp:5000", "registry.corp", "", 5000, refused},
		{"registry.corp:5000", "registry.corp", "registry.corp", "", 5000, allowed},
		{"", "registry.corp", "other.corp", "", 443, unsaid},
		{"", "0.0.0.0/0,::/0", "x", "198.51.100.1", 443, refused},
		{"", "0.0.0.0/0,::/0", "x", "2001:db8::1", 443, refused},
	} {
		var rules Registries
		if test.allow != "" {
			rules.Allow = patterns(t, strings.Split(test.allow, ",")...)
		}
		if test.deny != "" {
			rules.Deny = patterns(t, strings.Split(test.deny, ",")...)
		}
		got := allowed
		if test.addr != "" {
			if rules.address(test.host, netip.MustParseAddr(test.addr), test.port) != nil {
				got = refused
			}
		} else if trusted, err := rules.name(test.host, test.port); err != nil {
			got = refused
		} else if !trusted {
			got = unsaid
		}
		if got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestHostPatterns(t *testing.T) {
	for text, want := range map[string]string{
		"Registry.Example.COM.": "registry.example.com", "localhost:5000": "localhost:5000",
		"127.0.0.1": "127.0.0.1", "127.0.0.1:5000": "127.0.0.1:5000", "10.1.2.3/8": "10.0.0.0/8", "10.1.2.3/32": "10.1.2.3",
		"::1": "::1", "[::1]": "::1", "[fd00::7]:5000": "[fd00::7]:5000", "fd00::/8": "fd00::/8",
	} {
		p, err := ParseHostPattern(text)
		if err != nil || p.String() != want {
			t.Errorf("%s: %v, %v, want %s", text, p, err, want)
		}
	}
	for _, text := range []string{"", ":5000", "host:", "host:0", "host:65536", "http://host", "host/path", "10.0.0.0/33", "a b", "*.example.com", "user@host", "[::1"} {
		if p, err := ParseHostPattern(text); err == nil {
			t.Errorf("%q is read as %v", text, p)
		}
	}
}

// What is written is read as the same, and nothing is read that cannot be written.
func TestHostPatternsAreTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z0-9.:\[\]/%-]{0,24}`)).Draw(t, "text")
		p, err := ParseHostPattern(text)
		if err != nil {
			return
		}
		again, err := ParseHostPattern(p.String())
		if err != nil || again != p {
			t.Fatalf("%q is %v, which is read as %v, %v", text, p, again, err)
		}
	})
}
