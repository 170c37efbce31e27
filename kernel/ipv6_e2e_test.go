//go:build e2e

package kernel

import (
	"net/netip"
	"testing"

	"fargo/desired"
	"fargo/host"
)

var everything6 = []desired.Rule{{Protocol: "-1", CIDR: everywhere6}}

// dual adds IPv6 to a VPC, with a route beyond it in each subnet.
func dual(v *desired.VPC, cidr string, beyond ...desired.RouteTarget) {
	block := netip.MustParsePrefix(cidr)
	v.CIDRs = append(v.CIDRs, block)
	v.Groups[0].Ingress, v.Groups[0].Egress = append(everything6, allowAll...), append(everything6, allowAll...)
	all := desired.ACLEntry{Allow: true, CIDR: everywhere6, Protocol: "-1"}
	v.ACLs[0].Ingress, v.ACLs[0].Egress = append(v.ACLs[0].Ingress, all), append(v.ACLs[0].Egress, all)
	for i := range v.Subnets {
		b := block.Addr().As16()
		b[7] = byte(i)
		v.Subnets[i].Prefixes = append(v.Subnets[i].Prefixes, netip.PrefixFrom(netip.AddrFrom16(b), 64))
		routes := []desired.Route{{To: block, Target: desired.RouteLocal}}
		if beyond[i] != "" {
			routes = append(routes, desired.Route{To: everywhere6, Target: beyond[i]})
		}
		v.RouteTables[i].Routes = append(routes, v.RouteTables[i].Routes...)
	}
}

// with6 gives an interface the address of its subnet with the same number.
func with6(v desired.VPC, subnet int, e desired.Interface) desired.Interface {
	e.IPv6Prefix = v.Subnets[subnet].Prefixes[1]
	b := e.IPv6Prefix.Addr().As16()
	b[15] = e.Address.As4()[3]
	e.IPv6 = netip.AddrFrom16(b)
	return e
}

func dualWorld() host.Network {
	one, two := worldVPC("vpc-1", "10.1.0.0/16"), worldVPC("vpc-2", "10.2.0.0/16")
	for i, name := range []string{"public", "egress", "isolated"} {
		addSubnet(&one, i, name, nil)
	}
	addSubnet(&two, 0, "theirs", nil)
	dual(&one, "2001:db8:1:100::/56", desired.RouteInternet, desired.RouteEgressOnly, "")
	dual(&two, "2001:db8:1:200::/56", desired.RouteInternet)
	one.Peers, two.Peers = []string{"vpc-2"}, []string{"vpc-1"}
	peer := desired.Route{To: two.CIDRs[1], Target: desired.RoutePeer, Peer: "vpc-2"}
	one.RouteTables[2].Routes = append(one.RouteTables[2].Routes, peer)
	two.RouteTables[0].Routes = append([]desired.Route{{To: one.Subnets[2].Prefixes[1], Target: desired.RoutePeer, Peer: "vpc-1"}}, two.RouteTables[0].Routes...)
	n := host.Network{VPCs: []desired.VPC{one, two}, Interfaces: []desired.Interface{
		with6(one, 0, worldENI(one, 0, 16)), with6(one, 1, worldENI(one, 1, 16)), with6(one, 2, worldENI(one, 2, 16)),
		with6(one, 0, worldENI(one, 0, 32)), with6(two, 0, worldENI(two, 0, 16)),
	}}
	only := &n.Interfaces[3] // has no IPv4
	only.Address, only.Prefix, only.ID = netip.Addr{}, netip.Prefix{}, "eni-only"
	return n
}

// outside6 gives the Internet beyond the machine IPv6, and a route to interfaces.
func outside6(t *testing.T, far *Network) {
	t.Helper()
	var s script
	s.add("", sysctl{"net/ipv6/conf/wan0/disable_ipv6", "0"}, addrAdd{dev: "wan0", prefix: netip.MustParsePrefix("2001:db8:ffff::2/64")},
		routeAdd{route: route{to: netip.MustParsePrefix("2001:db8:fff0::/44"), via: netip.MustParseAddr("2001:db8:ffff::1"), dev: "wan0"}})
	s.add("outside", sysctl{"net/ipv6/conf/eth0/disable_ipv6", "0"}, addrAdd{dev: "eth0", prefix: netip.MustParsePrefix("2001:db8:ffff::1/64")},
		routeAdd{route: route{to: netip.MustParsePrefix("2001:db8:1::/48"), via: netip.MustParseAddr("2001:db8:ffff::2"), dev: "eth0"}})
	if err := far.machine.runScript(s); err != nil {
		t.Fatal(err)
	}
}

func TestIPv6(t *testing.T) {
	for _, routed := range []bool{false, true} {
		n, far := newPublic(t, Config{Instance: "a05d", PublicRouted: routed})
		outside6(t, far)
		network := dualWorld()
		apply(t, n, network)
		for _, e := range network.Interfaces {
			l, err := n.ListenInterfaceTCP(e.ID, 80)
			if err != nil {
				t.Fatal(err)
			}
			answerWithPeer(t, l)
		}
		serveOutside(t, far, "[2001:db8:ffff::1]:80")
		seen := func(public string) string {
			if routed {
				return public
			}
			return "2001:db8:ffff::2"
		}
		public, egress, isolated, only := from(n, "eni-10.1.0.16"), from(n, "eni-10.1.1.16"), from(n, "eni-10.1.2.16"), from(n, "eni-only")
		for _, test := range []struct {
			from     dialer
			to, seen string
		}{
			{public, "[2001:db8:1:101::10]:80", "2001:db8:1:100::10"},
			{public, "10.1.1.16:80", "10.1.0.16"},
			{only, "[2001:db8:1:101::10]:80", "2001:db8:1:100::20"},
			{public, "[2001:db8:ffff::1]:80", seen("2001:db8:1:100::10")},
			{only, "[2001:db8:ffff::1]:80", seen("2001:db8:1:100::20")},
			{egress, "[2001:db8:ffff::1]:80", seen("2001:db8:1:101::10")},
			{egress, "[2001:db8:1:200::10]:80", "2001:db8:1:101::10"},   // by the Internet
			{isolated, "[2001:db8:1:200::10]:80", "2001:db8:1:102::10"}, // by the peering
			{fromMachine6, "[2001:db8:1:102::10]:80", n.mu.applied.routers["vpc-1"].link.machine6("a05d").String()},
		} {
			allowed(t, test.from, test.to, test.seen)
		}
		for to, want := range map[string]string{
			"[2001:db8:1:100::99]:80": "host unreachable", "[2001:db8:ffff::1]:80": "network unreachable", "[2001:db8:1:300::1]:80": "network unreachable",
		} {
			if got := reached(isolated, 2*soon, to, n); got != want {
				t.Errorf("%s: %s", to, got)
			}
		}
		denied(t, public, "[2001:db8:1:200::99]:80")
		denied(t, public, "[2001:db8:ffff::2]:80") // the machine
		denied(t, from(far, "outside"), "[2001:db8:1:101::10]:80")
		if got, err := ask(from(far, "outside"), 2*soon, "[2001:db8:1:100::10]:80"); (err == nil) != routed {
			t.Errorf("routed %v: from outside got %q, %v", routed, got, err)
		}
		// A new process finds all as it is.
		seenNow, err := n.machine.observe(sorted(n.mu.applied.routers))
		if err != nil {
			t.Fatal(err)
		}
		if s := prune(n.cfg, seenNow, n.mu.applied); len(s.steps) != 0 {
			t.Errorf("left over: %s", plan{{s}})
		}
		for _, m := range []*Network{n, far} {
			if err := m.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}
