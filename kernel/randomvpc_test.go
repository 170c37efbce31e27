package kernel

import (
	"fmt"
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"fargo/desired"
)

// The address ranges of the random VPC and its peer.
var (
	vpc4  = netip.MustParsePrefix("10.0.0.0/16")
	vpc6  = netip.MustParsePrefix("2001:db8:1:100::/56")
	peer4 = netip.MustParsePrefix("10.9.0.0/16")
	peer6 = netip.MustParsePrefix("2001:db8:1:200::/56")
)

var (
	blocks  = []string{"0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/24", "10.0.0.4/32", "10.9.0.0/16", "203.0.113.0/24"}
	blocks6 = []string{"::/0", "2001:db8:1:100::/56", "2001:db8:1:101::/64", "2001:db8:1:100::4/128", "2001:db8:1:200::/56", "2001:db8:ffff::/48"}
)

func block(t *rapid.T) netip.Prefix {
	return netip.MustParsePrefix(rapid.SampledFrom(append(blocks, blocks6...)).Draw(t, "block"))
}

func traffic(t *rapid.T) (protocol string, from, to int) {
	protocol = rapid.SampledFrom([]string{"-1", "-1", "tcp", "udp", "icmp", "icmpv6"}).Draw(t, "protocol")
	ranges := [][2]int{{0, 65535}, {80, 80}, {1024, 65535}, {0, 1023}}
	if protocol == "icmp" || protocol == "icmpv6" { // types and codes
		ranges = [][2]int{{-1, -1}, {8, -1}, {128, 0}, {129, -1}, {0, 0}, {8, 1}}
	}
	r := rapid.SampledFrom(ranges).Draw(t, "ports")
	return protocol, r[0], r[1]
}

// randomVPC draws a small VPC in which most things are allowed.
func randomVPC(t *rapid.T) slowly { return randomVPCOf(t, rapid.IntRange(0, 3).Draw(t, "IPv6") > 0) }

// randomVPCOf draws one with IPv6, or without. There are rules, entries and routes of
// IPv6 in either case.
func randomVPCOf(t *rapid.T, six bool) slowly {
	w := slowly{peer: []netip.Prefix{peer4}, others: []desired.SecurityGroup{{ID: "sg-peer", Members: []netip.Addr{netip.MustParseAddr("10.9.0.5")}}}}
	w.vpc = desired.VPC{ID: "vpc-1", CIDRs: []netip.Prefix{vpc4}, Peers: []string{"vpc-2"}}
	if six {
		w.vpc.CIDRs = append(w.vpc.CIDRs, vpc6)
	}
	if rapid.IntRange(0, 3).Draw(t, "peer's IPv6") > 0 {
		w.peer = append(w.peer, peer6)
		w.others[0].Members = append(w.others[0].Members, netip.MustParseAddr("2001:db8:1:200::5"))
	}
	for i := range 3 {
		w.addSubnet(t, i, six)
	}
	w.vpc.NATGateways = []desired.NATGateway{
		{ID: "nat-1", Subnet: "subnet-0", Addresses: []desired.NATAddress{natPair(200), natPair(201)}},
		{ID: "nat-2", Subnet: "subnet-2", Addresses: []desired.NATAddress{{Private: netip.MustParseAddr("10.0.2.200")}}},
	}
	for _, id := range []string{"sg-a", "sg-b"} {
		g := desired.SecurityGroup{ID: id}
		for _, rules := range []*[]desired.Rule{&g.Ingress, &g.Egress} {
			*rules = rapid.SliceOfN(rapid.Custom(randomRule), 1, 4).Draw(t, "rules")
		}
		w.vpc.Groups = append(w.vpc.Groups, g)
	}
	for i := range 3 {
		for n := range byte(2) {
			w.addInterface(t, i, n)
		}
	}
	return w
}

func natPair(n byte) desired.NATAddress {
	return desired.NATAddress{Private: netip.AddrFrom4([4]byte{10, 0, 0, n}), Public: netip.AddrFrom4([4]byte{240, 0, 0, n})}
}

func randomRule(t *rapid.T) desired.Rule {
	r := desired.Rule{CIDR: block(t)}
	if rapid.IntRange(0, 2).Draw(t, "by group") == 0 {
		r = desired.Rule{Group: rapid.SampledFrom([]string{"sg-a", "sg-b", "sg-peer"}).Draw(t, "group")}
	}
	r.Protocol, r.FromPort, r.ToPort = traffic(t)
	return r
}

func randomEntry(t *rapid.T) desired.ACLEntry {
	e := desired.ACLEntry{Allow: rapid.IntRange(0, 2).Draw(t, "allow") > 0, CIDR: block(t)}
	e.Protocol, e.FromPort, e.ToPort = traffic(t)
	return e
}

// addSubnet adds a subnet of some kind, with a list and a route table; the subnet may have
// those of one before it. NAT gateways are in those with IPv4.
func (w *slowly) addSubnet(t *rapid.T, number int, six bool) {
	acl := desired.ACL{ID: fmt.Sprintf("acl-%d", number)}
	for _, entries := range []*[]desired.ACLEntry{&acl.Ingress, &acl.Egress} {
		*entries = rapid.SliceOfN(rapid.Custom(randomEntry), 0, 2).Draw(t, "entries")
		for _, all := range []netip.Prefix{everywhere, everywhere6} {
			if rapid.IntRange(0, 5).Draw(t, "open") > 0 {
				*entries = append(*entries, desired.ACLEntry{Allow: true, CIDR: all, Protocol: "-1"})
			}
		}
	}
	s := desired.Subnet{
		ID:         fmt.Sprintf("subnet-%d", number),
		RouteTable: fmt.Sprintf("rtb-%d", rapid.IntRange(0, number).Draw(t, "table")), ACL: fmt.Sprintf("acl-%d", rapid.IntRange(0, number).Draw(t, "list")),
	}
	kind := "IPv4"
	if six {
		kind = rapid.SampledFrom([]string{"IPv4", "dual-stack", "dual-stack", "IPv6"}).Draw(t, "kind")
	}
	if number != 1 && kind == "IPv6" {
		kind = "dual-stack"
	}
	if kind != "IPv6" {
		s.Prefixes = append(s.Prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(number), 0}), 24))
	}
	if kind != "IPv4" {
		b := vpc6.Addr().As16()
		b[7] = byte(number)
		s.Prefixes = append(s.Prefixes, netip.PrefixFrom(netip.AddrFrom16(b), 64))
	}
	w.vpc.ACLs = append(w.vpc.ACLs, acl)
	w.vpc.RouteTables = append(w.vpc.RouteTables, randomTable(t, number, six))
	w.vpc.Subnets = append(w.vpc.Subnets, s)
}

// addInterface adds one that has an address of each of its subnet's blocks.
func (w *slowly) addInterface(t *rapid.T, subnet int, number byte) {
	e := desired.Interface{ID: fmt.Sprintf("eni-%d-%d", subnet, number), Subnet: fmt.Sprintf("subnet-%d", subnet)}
	e.Groups = rapid.SampledFrom([][]string{{"sg-a"}, {"sg-b"}, {"sg-a", "sg-b"}}).Draw(t, "groups")
	for _, p := range w.vpc.Subnets[subnet].Prefixes {
		b := p.Addr().AsSlice()
		b[len(b)-1] = 4 + number
		if a, _ := netip.AddrFromSlice(b); a.Is4() {
			e.Address, e.Prefix = a, p
		} else {
			e.IPv6, e.IPv6Prefix = a, p
		}
	}
	if e.Address.IsValid() && rapid.Bool().Draw(t, "public") {
		e.Public = netip.AddrFrom4([4]byte{240, 0, byte(subnet), 4 + number})
	}
	w.interfaces = append(w.interfaces, e)
	for g := range w.vpc.Groups {
		if slices.Contains(e.Groups, w.vpc.Groups[g].ID) {
			w.vpc.Groups[g].Members = append(w.vpc.Groups[g].Members, e.Addresses()...)
		}
	}
}

// randomTable draws routes, the longest prefix of a family first.
func randomTable(t *rapid.T, number int, six bool) desired.RouteTable {
	table := desired.RouteTable{ID: fmt.Sprintf("rtb-%d", number)}
	for _, to := range []string{"10.0.1.0/24", "203.0.113.0/24", "10.0.0.0/16", "10.9.0.0/16", "0.0.0.0/0"} {
		r := desired.Route{To: netip.MustParsePrefix(to), Target: desired.RouteLocal}
		switch {
		case r.To == vpc4:
		case !rapid.Bool().Draw(t, "there"):
			continue
		case vpc4.Overlaps(r.To) && r.To.Bits() > 0:
			r.NAT = rapid.SampledFrom([]string{"nat-1", "nat-2"}).Draw(t, "through")
		default:
			r.Target = randomTarget(t)
			if r.Target != desired.RouteBlackhole {
				r.NAT = rapid.SampledFrom([]string{"", "", "nat-1", "nat-2"}).Draw(t, "through")
			}
		}
		table.Routes = append(table.Routes, r)
	}
	for _, to := range []string{"2001:db8:1:101::/64", "2001:db8:1:100::/56", "2001:db8:1:200::/56", "2001:db8:ffff::/48", "::/0"} {
		r := desired.Route{To: netip.MustParsePrefix(to), Target: desired.RouteLocal}
		switch {
		case r.To == vpc6 && six:
		case !rapid.Bool().Draw(t, "there"):
			continue
		case vpc6.Overlaps(r.To) && r.To.Bits() > 0:
			r.Target = desired.RouteBlackhole
		default:
			r.Target = randomTarget(t, desired.RouteEgressOnly, desired.RouteEgressOnly)
		}
		table.Routes = append(table.Routes, r)
	}
	for i := range table.Routes {
		if r := &table.Routes[i]; r.Target == desired.RoutePeer {
			r.Peer = "vpc-2"
		}
	}
	return table
}

func randomTarget(t *rapid.T, more ...desired.RouteTarget) desired.RouteTarget {
	all := []desired.RouteTarget{desired.RouteInternet, desired.RouteService, desired.RoutePeer, desired.RouteBlackhole}
	return rapid.SampledFrom(append(all, more...)).Draw(t, "target")
}
