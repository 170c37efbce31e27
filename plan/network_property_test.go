package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/desired"
)

// packet is the first one of a connection.
type packet struct {
	from     string // an interface
	source   netip.Addr
	to       netip.Addr
	protocol string
	port     int
}

// TestNetworksAgreeWithPackets holds, for any network: where a packet ends by what a node
// is told is where it ends when one goes through the records of EC2 step by step.
func TestNetworksAgreeWithPackets(t *testing.T) {
	ends := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		lines := randomNetwork(rt)
		n := &networkText{}
		for _, l := range lines {
			n.do(l)
		}
		vpcs := Networks(n.view)
		for range 60 {
			p := randomPacket(rt, n.view)
			want, got := followRecords(n.view, p), followDesired(vpcs, n.view, p)
			if got != want {
				rt.Fatalf("%+v ends at %q, by the records at %q\n%s", p, got, want, strings.Join(lines, "\n"))
			}
			kind, _, _ := strings.Cut(got, " ")
			ends[kind]++
		}
		for i := range n.view.RouteTables {
			table := n.view.RouteTables[i]
			for j := range table.RouteTable.Routes {
				r := &table.RouteTable.Routes[j]
				want := "blackhole"
				if recordedTarget(n.view, *table.RouteTable.VpcId, r, recordedBlocks(n.view, r)) != "blackhole" {
					want = "active"
				}
				if got := string(RouteState(n.view, table, r)); got != want {
					rt.Fatalf("route %d of %s is %s, by the records %s\n%s", j, *table.RouteTable.RouteTableId, got, want, strings.Join(lines, "\n"))
				}
			}
		}
	})
	for _, kind := range []string{"group", "acl", "unroutable", "blackhole", "internet", "service", "egress-only", "arrived", "nobody"} {
		if ends[kind] == 0 && !t.Failed() {
			t.Errorf("no packet ended at %q: %v", kind, ends)
		}
	}
}

// The blocks of random networks are few, so that they meet.
var (
	someBlocks  = []string{"0.0.0.0/0", "10.1.0.0/16", "10.2.0.0/16", "10.1.1.0/24", "10.2.1.0/24", "192.0.2.0/24", "192.0.0.0/16", "192.0.2.128/25"}
	someBlocks6 = []string{"::/0", "2001:db8:1::/56", "2001:db8:2::/56", "2001:db8:1:1::/64", "2001:db8:9::/48"}
)

func randomNetwork(rt *rapid.T) (lines []string) {
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, label) }
	some := func(label string, most int) int { return rapid.IntRange(0, most).Draw(rt, label) }
	block := func() string { return pick("block", slices.Concat(someBlocks, someBlocks6)...) }
	for range some("lists", 2) {
		entries := someBlocks
		if rapid.Bool().Draw(rt, "of IPv6") {
			entries = someBlocks6
		}
		add("list pl-%d %s", len(lines), strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(entries), 1, 3, rapid.ID).Draw(rt, "entries"), " "))
	}
	lists := len(lines)
	list := func() string { return fmt.Sprintf("pl-%d", rapid.IntRange(0, lists).Draw(rt, "list")) }
	add("peering pcx-0 vpc-1 vpc-2 %s", pick("state", "active", "active", "deleted"))
	add("peering pcx-1 vpc-2 vpc-1 %s", pick("state", "pending-acceptance", "active"))
	for v := 1; v <= 2; v++ {
		add("vpc vpc-%d 10.%d.0.0/16 2001:db8:%d::/56", v, v, v)
		if rapid.Bool().Draw(rt, "attached") {
			add("internet-gateway igw-%d vpc-%d", v, v)
			add("egress-only eigw-%d vpc-%d", v, v)
		}
		for s := range 3 {
			add("subnet subnet-%d%d vpc-%d 10.%d.%d.0/24 2001:db8:%d:%d::/64", v, s, v, v, s, v, s)
			add("nat nat-%d%d vpc-%d subnet-%d%d %s 10.%d.%d.200%s", v, s, v, v, s, pick("state", "available", "available", "deleting"), v, s, pick("public", "", "=", fmt.Sprintf("=240.0.%d.%d", v, s)))
			add("endpoint vpce-%d%d vpc-%d Gateway s3 %s", v, s, v, pick("state", "available", "Available", "pending"))
		}
		tables := []string{"main"}
		for s := range some("tables", 3) {
			tables = append(tables, fmt.Sprintf("subnet-%d%d", v, s))
		}
		for i, of := range tables {
			add("table rtb-%d%d vpc-%d %s", v, i, v, of)
			for _, to := range rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) string {
				if rapid.IntRange(0, 3).Draw(t, "by list") == 0 {
					return fmt.Sprintf("pl-%d", rapid.IntRange(0, lists).Draw(t, "list"))
				}
				return rapid.SampledFrom(slices.Concat([]string{"0.0.0.0/0", "::/0", "::/0"}, someBlocks, someBlocks6)).Draw(t, "block")
			}), 2, 6, rapid.ID).Draw(rt, "destinations") {
				add("route rtb-%d%d %s %s", v, i, to, pick("target", "local", "eni-1", fmt.Sprintf("igw-%d", v), fmt.Sprintf("igw-%d", v), fmt.Sprintf("eigw-%d", v), fmt.Sprintf("eigw-%d", v),
					fmt.Sprintf("nat-%d0", v), fmt.Sprintf("nat-%d1", v), fmt.Sprintf("nat-%d2", v), "nat-10", "pcx-0", "pcx-1", "pcx-9", fmt.Sprintf("vpce-%d1", v), "vpce-12"))
			}
		}
		for a := range some("acls", 2) {
			of := pick("of", "default", fmt.Sprintf("subnet-%d%d", v, a))
			if of == "default" && a > 0 {
				continue // there is one
			}
			add("acl acl-%d%d vpc-%d %s", v, a, v, of)
			if some("closed", 4) > 0 {
				for _, way := range []string{"in", "out"} {
					add("entry acl-%d%d 100 %s allow -1 * 0.0.0.0/0", v, a, way)
					add("entry acl-%d%d 101 %s allow -1 * ::/0", v, a, way)
				}
			}
			for _, number := range rapid.SliceOfNDistinct(rapid.IntRange(1, 9), 0, 4, rapid.ID).Draw(rt, "numbers") {
				add("entry acl-%d%d %d %s %s %s %s", v, a, number, pick("way", "in", "out"), pick("action", "allow", "allow", "deny"),
					pick("what", "-1 *", "6 80..443", "17 53", "1 8..-1", "1 -1", "6 *"), block())
			}
		}
		for g := range 3 {
			add("group sg-%d%d vpc-%d", v, g, v)
			if some("closed", 4) > 0 { // as a group is to begin with
				add("rule sg-%d%d out -1 -1 0.0.0.0/0", v, g)
				add("rule sg-%d%d out -1 -1 ::/0", v, g)
			}
			for range some("rules", 4) {
				peer := pick("peer", block(), "0.0.0.0/0", list(), fmt.Sprintf("sg-%d1", v), fmt.Sprintf("sg-%d0@pcx-0", 3-v))
				add("rule sg-%d%d %s %s %s", v, g, pick("way", "in", "out"), pick("what", "-1 -1", "tcp 80..443", "udp 53", "icmp 8..-1", "icmp -1", "47 -1"), peer)
			}
		}
		for i := range 4 {
			s := some("subnet", 2)
			groups := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"0", "1", "2"}), 1, 2, rapid.ID).Draw(rt, "groups")
			for k := range groups {
				groups[k] = fmt.Sprintf("sg-%d%s", v, groups[k])
			}
			add("interface eni-%d%d subnet-%d%d %s 10.%d.%d.%d 2001:db8:%d:%d::%d", v, i, v, s, strings.Join(groups, ","), v, s, 10+i, v, s, 10+i)
		}
	}
	return lines
}

func randomPacket(rt *rapid.T, v NetworkView) packet {
	i := rapid.SampledFrom(v.Interfaces).Draw(rt, "from")
	p := packet{from: *i.Interface.NetworkInterfaceId, source: rapid.SampledFrom(i.Addresses()).Draw(rt, "source")}
	var to []netip.Addr
	for _, o := range v.Interfaces {
		to = append(to, o.Addresses()...)
	}
	for _, a := range []string{"10.1.1.99", "10.9.0.1", "192.0.2.200", "192.0.2.1", "192.0.9.1", "8.8.8.8", "2001:db8:9::1", "2001:4860::1", "2001:db8:1:1::99"} {
		to = append(to, netip.MustParseAddr(a))
	}
	to = slices.DeleteFunc(to, func(a netip.Addr) bool { return a.Is4() != p.source.Is4() })
	p.to = rapid.SampledFrom(to).Draw(rt, "to")
	p.protocol = rapid.SampledFrom([]string{"tcp", "udp", "icmp", "47"}).Draw(rt, "protocol")
	switch p.protocol {
	case "tcp":
		p.port = rapid.SampledFrom([]int{79, 80, 443, 444}).Draw(rt, "port")
	case "udp":
		p.port = rapid.SampledFrom([]int{53, 54}).Draw(rt, "port")
	case "icmp":
		p.port = rapid.SampledFrom([]int{8, 0}).Draw(rt, "type")
	}
	return p
}

// followDesired is where a packet ends by what a node is told. The view says only where
// interfaces are.
func followDesired(vpcs []desired.VPC, v NetworkView, p packet) string {
	from := interfaceOf(v, p.from)
	vpc := desiredVPC(vpcs, *from.Interface.VpcId)
	groups := func(of *desired.VPC) []desired.SecurityGroup {
		all := of.Groups
		for _, peer := range of.Peers {
			if other := desiredVPC(vpcs, peer); other != nil {
				all = slices.Concat(all, other.Groups)
			}
		}
		return all
	}
	passes := func(of *desired.VPC, in []string, egress bool, other netip.Addr) bool {
		return slices.ContainsFunc(of.Groups, func(g desired.SecurityGroup) bool {
			rules := g.Ingress
			if egress {
				rules = g.Egress
			}
			return slices.Contains(in, g.ID) && slices.ContainsFunc(rules, func(r desired.Rule) bool {
				return meant(r.Protocol, r.FromPort, r.ToPort, p) && (r.CIDR.Contains(other) || slices.ContainsFunc(groups(of), func(o desired.SecurityGroup) bool {
					return r.Group == o.ID && slices.Contains(o.Members, other)
				}))
			})
		})
	}
	admits := func(of *desired.VPC, subnet desired.Subnet, egress bool, other netip.Addr) bool {
		a := of.ACLs[slices.IndexFunc(of.ACLs, func(a desired.ACL) bool { return a.ID == subnet.ACL })]
		entries := a.Ingress
		if egress {
			entries = a.Egress
		}
		for _, e := range entries {
			if e.CIDR.Contains(other) && meant(e.Protocol, e.FromPort, e.ToPort, p) {
				return e.Allow
			}
		}
		return false
	}
	subnet := desiredSubnet(vpc, *from.Interface.SubnetId)
	if !passes(vpc, from.GroupIDs(), true, p.to) {
		return "group out"
	}
	crosses := !slices.ContainsFunc(subnet.Prefixes, func(c netip.Prefix) bool { return c.Contains(p.to) })
	if crosses && !admits(vpc, subnet, true, p.to) {
		return "acl out"
	}
	table := slices.IndexFunc(vpc.RouteTables, func(t desired.RouteTable) bool { return t.ID == subnet.RouteTable })
	if table < 0 {
		return "unroutable"
	}
	routes := vpc.RouteTables[table].Routes
	at := slices.IndexFunc(routes, func(r desired.Route) bool { return r.To.Contains(p.to) })
	if at < 0 {
		return "unroutable"
	}
	r, source := routes[at], p.source
	if r.NAT != "" {
		g := vpc.NATGateways[slices.IndexFunc(vpc.NATGateways, func(g desired.NATGateway) bool { return g.ID == r.NAT })]
		if source = g.Addresses[0].Private; r.Target == desired.RouteInternet {
			source = g.Addresses[0].Public
		}
	}
	there := vpc
	switch r.Target {
	case desired.RouteBlackhole:
		return "blackhole"
	case desired.RouteInternet, desired.RouteEgressOnly, desired.RouteService:
		return fmt.Sprintf("%s from %s", r.Target, source)
	case desired.RoutePeer:
		if !slices.Contains(vpc.Peers, r.Peer) {
			return "not a peer"
		}
		there = desiredVPC(vpcs, r.Peer)
	}
	to := interfaceAt(v, there.ID, p.to)
	if to == nil {
		return "nobody"
	}
	subnet = desiredSubnet(there, *to.Interface.SubnetId)
	if crosses && !admits(there, subnet, false, source) {
		return "acl in"
	}
	if !passes(there, to.GroupIDs(), false, source) {
		return "group in"
	}
	return fmt.Sprintf("arrived at %s from %s", *to.Interface.NetworkInterfaceId, source)
}

// meant reports whether a rule or entry is for a packet's protocol and port, or type of
// ICMP; the code of packets here is 0.
func meant(protocol string, from, to int, p packet) bool {
	switch protocol {
	case "-1":
		return true
	case "tcp", "udp":
		return protocol == p.protocol && from <= p.port && p.port <= to
	case "icmp":
		return p.protocol == "icmp" && (from == -1 || from == p.port && (to == -1 || to == 0))
	}
	return protocol == p.protocol
}

func desiredVPC(vpcs []desired.VPC, id string) *desired.VPC {
	for i := range vpcs {
		if vpcs[i].ID == id {
			return &vpcs[i]
		}
	}
	return nil
}

func desiredSubnet(v *desired.VPC, id string) desired.Subnet {
	return v.Subnets[slices.IndexFunc(v.Subnets, func(s desired.Subnet) bool { return s.ID == id })]
}
