package kernel

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"fargo/desired"
)

// Addresses of nobody in the VPC, some of which its neighbours pretend to have.
var (
	outsiders = parsed("203.0.113.9", "10.0.1.4", "10.9.0.5", "2001:db8:ffff::9", "2600::9", "2001:db8:1:200::5", "2001:db8:1:101::4")
	neighbors = parsed("10.9.0.5", "10.0.0.4", "2001:db8:1:200::5", "2001:db8:ffff::9")
	liars     = parsed("203.0.113.9", "10.0.2.99", "2001:db8:ffff::9", "2001:db8:1:102::99", "fe80::5")
	nobody    = parsed("203.0.113.9", "198.51.100.9", "10.9.0.5", "10.0.0.99", "10.0.1.99", "10.0.0.200", "240.0.0.99", "240.0.0.200",
		"2001:db8:ffff::9", "2600::9", "2001:db8:1:200::5", "2001:db8:1:100::99", "2001:db8:1:101::99", "2001:db8:1:1ff::1")
)

func parsed(list ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range list {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// randomFlow draws a connection from somebody to somebody else, both of one family.
func (w slowly) randomFlow(t *rapid.T) flow {
	e := rapid.SampledFrom(w.interfaces).Draw(t, "interface")
	others := slices.DeleteFunc(slices.Clone(w.interfaces), func(o desired.Interface) bool { return o.ID == e.ID })
	f := flow{from: e.ID, sport: 40000}
	sources := e.Addresses()
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1:
		f.from, sources = "outside", outsiders
	case 2, 3:
		f.from, sources = "peer", neighbors
	case 4:
		f.from, sources = "machine", []netip.Addr{uplinkNumber(0).machine, uplinkNumber(0).machine6("1a2b")}
	case 5:
		sources = liars
		for _, o := range others {
			sources = append(sources, o.Addresses()...)
		}
	}
	f.src = rapid.SampledFrom(sources).Draw(t, "source")
	f.dst = w.randomDestination(t, f.src, others)
	f.proto = rapid.SampledFrom([]uint8{unix.IPPROTO_TCP, unix.IPPROTO_UDP, unix.IPPROTO_ICMP}).Draw(t, "protocol")
	switch {
	case hasPorts(f.proto):
		f.dport = rapid.SampledFrom([]uint16{22, 80, 5000}).Draw(t, "port")
	case f.dst.Is4():
		f.dport, f.sport = 8, 0 // echo and echo reply
	default:
		f.proto, f.dport, f.sport = unix.IPPROTO_ICMPV6, 128, 129
	}
	return f
}

func (w slowly) randomDestination(t *rapid.T, src netip.Addr, others []desired.Interface) netip.Addr {
	var theirs []netip.Addr
	for _, o := range others {
		theirs = append(theirs, o.Addresses()...)
		if o.Public.IsValid() {
			theirs = append(theirs, o.Public)
		}
	}
	if rapid.IntRange(0, 2).Draw(t, "to nobody") == 0 {
		theirs = nil
	}
	fits := func(a netip.Addr) bool { return a != src && a.Is4() == src.Is4() }
	if !slices.ContainsFunc(theirs, fits) {
		theirs = nobody
	}
	return rapid.SampledFrom(theirs).Filter(fits).Draw(t, "destination")
}
