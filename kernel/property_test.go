package kernel

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"fargo/desired"
)

// What the rules of a router do to a packet and to its answer is what routes, lists and
// groups say, in any VPC.
func TestRulesAreWhatTheVPCSays(t *testing.T) {
	cfg, err := Config{Instance: "1a2b"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		w := randomVPC(t)
		peers := []peer{{
			vpc: "vpc-2", link: "peer", mark: peerMark(1), cidrs: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}, groups: w.others,
		}}
		rules, err := routerRules(cfg, w.vpc, uplinkNumber(0), peers, w.interfaces)
		if err != nil {
			t.Fatal(err)
		}
		ports := map[netip.Addr]string{}
		for _, e := range w.interfaces {
			ports[e.Address] = cfg.portName(e.ID)
		}
		for range 20 {
			f := w.randomFlow(t)
			want := w.walk(f)
			got := interpreted(w, rules, f, ports, peers)
			if got != want {
				t.Fatalf("%+v\nthe rules: %+v\nthe VPC:   %+v\n%+v\n%+v", f, got, want, w.vpc, w.interfaces)
			}
		}
	})
}

// interpreted is the walk of a flow and its answer through the rules.
func interpreted(w slowly, rules ruleset, f flow, ports map[netip.Addr]string, peers []peer) walked {
	iif := map[string]string{"outside": machineLink, "peer": "peer"}[f.from]
	if iif == "" {
		iif = ports[f.src]
	}
	var ct connection
	left, end := forward(rules, packet{iif: iif, saddr: f.src, daddr: f.dst, sport: f.sport, dport: f.dport, proto: f.proto}, &ct, ports, peers)
	if end != didAccept {
		return walked{end: end}
	}
	out := walked{end: "delivered", to: left.daddr, seen: left.saddr}
	switch left.oif {
	case machineLink:
		out.end, out.to = "beyond", netip.Addr{}
	case "peer":
		out.end, out.to = "peer", netip.Addr{}
	}
	for _, g := range w.vpc.NATGateways {
		for _, a := range g.Addresses { // whichever was chosen
			switch left.saddr {
			case a.Private:
				out.nat, out.seen = g.ID, g.Addresses[0].Private
			case a.Public:
				out.nat, out.seen = g.ID, g.Addresses[0].Public
			}
		}
	}
	if out.seen == uplinkNumber(0).router && left.mark>>16 != 0 {
		i := slices.IndexFunc(w.vpc.NATGateways, func(g desired.NATGateway) bool { return uint32(natMark(w.vpc, g.ID))>>16 == left.mark>>16 })
		out.nat = w.vpc.NATGateways[i].ID
	}
	ct.known = true
	answer, end := forward(rules, packet{
		iif: left.oif, saddr: left.daddr, daddr: left.saddr, sport: left.dport, dport: left.sport, proto: left.proto,
	}, &ct, ports, peers)
	out.answered = end == didAccept && answer.daddr == f.src && answer.saddr == f.dst && answer.oif == iif
	return out
}

func natMark(v desired.VPC, id string) mark {
	var ids []string
	for _, g := range v.NATGateways {
		ids = append(ids, g.ID)
	}
	return gatewayMark(numbers(slices.Sorted(slices.Values(ids)), gatewayCount)[id])
}

var blocks = []string{"0.0.0.0/0", "10.0.0.0/16", "10.0.1.0/24", "10.0.0.4/32", "10.9.0.0/16", "203.0.113.0/24"}

func block(t *rapid.T) netip.Prefix {
	return netip.MustParsePrefix(rapid.SampledFrom(blocks).Draw(t, "block"))
}

func traffic(t *rapid.T) (protocol string, from, to int) {
	ranges := [][2]int{{0, 65535}, {80, 80}, {1024, 65535}, {0, 1023}}
	r := rapid.SampledFrom(ranges).Draw(t, "ports")
	return rapid.SampledFrom([]string{"-1", "-1", "tcp", "udp"}).Draw(t, "protocol"), r[0], r[1]
}

// randomVPC draws a small VPC in which most things are allowed.
func randomVPC(t *rapid.T) slowly {
	w := slowly{others: []desired.SecurityGroup{{ID: "sg-peer", Members: []netip.Addr{netip.MustParseAddr("10.9.0.5")}}}}
	w.vpc = desired.VPC{ID: "vpc-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, Peers: []string{"vpc-2"}}
	entry := rapid.Custom(func(t *rapid.T) desired.ACLEntry {
		e := desired.ACLEntry{Allow: rapid.IntRange(0, 2).Draw(t, "allow") > 0, CIDR: block(t)}
		e.Protocol, e.FromPort, e.ToPort = traffic(t)
		return e
	})
	rule := rapid.Custom(func(t *rapid.T) desired.Rule {
		r := desired.Rule{CIDR: block(t)}
		if rapid.IntRange(0, 2).Draw(t, "by group") == 0 {
			r = desired.Rule{Group: rapid.SampledFrom([]string{"sg-a", "sg-b", "sg-peer"}).Draw(t, "group")}
		}
		r.Protocol, r.FromPort, r.ToPort = traffic(t)
		return r
	})
	all := desired.ACLEntry{Allow: true, CIDR: anywhere4, Protocol: "-1"}
	for i := range 3 {
		acl := desired.ACL{ID: fmt.Sprintf("acl-%d", i)}
		for _, entries := range []*[]desired.ACLEntry{&acl.Ingress, &acl.Egress} {
			*entries = rapid.SliceOfN(entry, 0, 2).Draw(t, "entries")
			if rapid.IntRange(0, 5).Draw(t, "open") > 0 {
				*entries = append(*entries, all)
			}
		}
		w.vpc.ACLs = append(w.vpc.ACLs, acl)
		w.vpc.RouteTables = append(w.vpc.RouteTables, randomTable(t, i))
		w.vpc.Subnets = append(w.vpc.Subnets, desired.Subnet{
			ID: fmt.Sprintf("subnet-%d", i), Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24)},
			RouteTable: fmt.Sprintf("rtb-%d", rapid.IntRange(0, i).Draw(t, "table")), ACL: fmt.Sprintf("acl-%d", rapid.IntRange(0, i).Draw(t, "list")),
		})
	}
	pair := func(n byte) desired.NATAddress {
		return desired.NATAddress{Private: netip.AddrFrom4([4]byte{10, 0, 0, n}), Public: netip.AddrFrom4([4]byte{240, 0, 0, n})}
	}
	w.vpc.NATGateways = []desired.NATGateway{
		{ID: "nat-1", Subnet: "subnet-0", Addresses: []desired.NATAddress{pair(200), pair(201)}},
		{ID: "nat-2", Subnet: "subnet-2", Addresses: []desired.NATAddress{{Private: netip.MustParseAddr("10.0.2.200")}}},
	}
	for _, id := range []string{"sg-a", "sg-b"} {
		g := desired.SecurityGroup{ID: id, Ingress: rapid.SliceOfN(rule, 1, 3).Draw(t, "ingress"), Egress: rapid.SliceOfN(rule, 1, 3).Draw(t, "egress")}
		w.vpc.Groups = append(w.vpc.Groups, g)
	}
	for i := range 3 {
		for n := range byte(2) {
			e := desired.Interface{ID: fmt.Sprintf("eni-%d-%d", i, n), Subnet: fmt.Sprintf("subnet-%d", i), Address: netip.AddrFrom4([4]byte{10, 0, byte(i), 4 + n})}
			e.Groups = rapid.SampledFrom([][]string{{"sg-a"}, {"sg-b"}, {"sg-a", "sg-b"}}).Draw(t, "groups")
			if rapid.Bool().Draw(t, "public") {
				e.Public = netip.AddrFrom4([4]byte{240, 0, byte(i), 4 + n})
			}
			w.interfaces = append(w.interfaces, e)
			for g := range w.vpc.Groups {
				if slices.Contains(e.Groups, w.vpc.Groups[g].ID) {
					w.vpc.Groups[g].Members = append(w.vpc.Groups[g].Members, e.Address)
				}
			}
		}
	}
	return w
}

var anywhere4 = netip.MustParsePrefix("0.0.0.0/0")

// randomTable draws routes, the longest prefix first.
func randomTable(t *rapid.T, number int) desired.RouteTable {
	table := desired.RouteTable{ID: fmt.Sprintf("rtb-%d", number)}
	for _, to := range []string{"10.0.1.0/24", "203.0.113.0/24", "10.0.0.0/16", "10.9.0.0/16", "0.0.0.0/0"} {
		r := desired.Route{To: netip.MustParsePrefix(to), Target: desired.RouteLocal}
		within := to[:5] == "10.0."
		switch {
		case to == "10.0.0.0/16":
		case !rapid.Bool().Draw(t, "there"):
			continue
		case within:
			r.NAT = rapid.SampledFrom([]string{"nat-1", "nat-2"}).Draw(t, "through")
		default:
			r.Target = rapid.SampledFrom([]desired.RouteTarget{
				desired.RouteInternet, desired.RouteService, desired.RoutePeer, desired.RouteBlackhole,
			}).Draw(t, "target")
			if r.Target == desired.RoutePeer {
				r.Peer = "vpc-2"
			}
			if r.Target != desired.RouteBlackhole {
				r.NAT = rapid.SampledFrom([]string{"", "", "nat-1", "nat-2"}).Draw(t, "through")
			}
		}
		table.Routes = append(table.Routes, r)
	}
	return table
}

func (w slowly) randomFlow(t *rapid.T) flow {
	f := flow{
		sport: 40000, dport: rapid.SampledFrom([]uint16{22, 80, 5000}).Draw(t, "port"),
		proto: rapid.SampledFrom([]uint8{unix.IPPROTO_TCP, unix.IPPROTO_UDP}).Draw(t, "protocol"),
	}
	from := rapid.SampledFrom(w.interfaces).Draw(t, "from")
	to := rapid.SampledFrom(w.interfaces).Filter(func(e desired.Interface) bool { return e.ID != from.ID }).Draw(t, "to")
	elsewhere := func(list ...string) netip.Addr {
		return netip.MustParseAddr(rapid.SampledFrom(list).Draw(t, "address"))
	}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		f.from, f.src, f.dst = "outside", netip.MustParseAddr("203.0.113.9"), elsewhere("240.0.0.200", "240.0.0.99")
		if to.Public.IsValid() {
			f.dst = to.Public
		}
	case 1:
		f.from, f.src, f.dst = "peer", netip.MustParseAddr("10.9.0.5"), to.Address
	case 2:
		f.from, f.src, f.dst = "peer", netip.MustParseAddr("10.9.0.5"), elsewhere("10.0.0.200", "10.0.0.99")
	case 3:
		f.src, f.dst = from.Address, to.Address
	default:
		f.src, f.dst = from.Address, elsewhere("203.0.113.9", "198.51.100.9", "10.9.0.5", "10.0.0.99", "10.0.0.200", "10.0.1.99")
	}
	return f
}
