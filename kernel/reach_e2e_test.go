//go:build e2e

package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

var (
	publicRange  = netip.MustParsePrefix("240.31.0.0/20")
	publicRange6 = netip.MustParsePrefix("2001:db8:1::/48")
	internetHop  = desired.Route{To: anywhere, Target: desired.RouteInternet}
)

func route1(to string, target desired.RouteTarget) desired.Route {
	return desired.Route{To: netip.MustParsePrefix(to), Target: target}
}

// world is a network with a subnet of each kind in vpc-1, which has vpc-2 for a peer,
// and a stranger, vpc-3.
func world() host.Network {
	var n host.Network
	nat := internetHop
	nat.NAT = "nat-public"
	peer := desired.Route{To: netip.MustParsePrefix("10.2.0.0/16"), Target: desired.RoutePeer, Peer: "vpc-2"}
	viaNAT := peer
	viaNAT.NAT = "nat-private"
	one := worldVPC("vpc-1", "10.1.0.0/16")
	one.Peers = []string{"vpc-2"}
	for i, s := range []struct {
		name   string
		routes []desired.Route
	}{
		{"public", []desired.Route{internetHop}},
		{"private", []desired.Route{peer, nat}},
		{"privatenat", []desired.Route{viaNAT}},
		{"isolated", nil},
		{"endpoint", []desired.Route{route1("198.51.100.0/24", desired.RouteService)}},
		{"blackhole", []desired.Route{route1("0.0.0.0/0", desired.RouteBlackhole)}},
		{"peered", []desired.Route{peer}},
	} {
		addSubnet(&one, i, s.name, s.routes)
		n.Interfaces = append(n.Interfaces, worldENI(one, i, 10), worldENI(one, i, 20))
	}
	one.NATGateways = []desired.NATGateway{
		{ID: "nat-public", Subnet: "public", Addresses: []desired.NATAddress{{Private: netip.MustParseAddr("10.1.0.200"), Public: netip.MustParseAddr("240.31.0.200")}}},
		{ID: "nat-private", Subnet: "public", Addresses: []desired.NATAddress{{Private: netip.MustParseAddr("10.1.0.201")}}},
	}
	n.Interfaces = append(n.Interfaces, worldENI(one, 0, 11))
	two := worldVPC("vpc-2", "10.2.0.0/16")
	two.Peers = []string{"vpc-1"}
	addSubnet(&two, 0, "theirs", []desired.Route{{To: netip.MustParsePrefix("10.1.0.0/16"), Target: desired.RoutePeer, Peer: "vpc-1"}, internetHop})
	three := worldVPC("vpc-3", "10.3.0.0/16")
	addSubnet(&three, 0, "stranger", []desired.Route{internetHop})
	n.Interfaces = append(n.Interfaces, worldENI(two, 0, 10), worldENI(three, 0, 10))
	public := map[string]string{"10.1.0.10": "240.31.0.10", "10.1.0.20": "240.31.0.20", "10.2.0.10": "240.31.2.10", "10.3.0.10": "240.31.3.10"}
	for i, e := range n.Interfaces {
		if a, ok := public[e.Address.String()]; ok {
			n.Interfaces[i].Public = netip.MustParseAddr(a)
		}
	}
	n.VPCs = []desired.VPC{one, two, three}
	return n
}

func worldVPC(id, cidr string) desired.VPC {
	all := []desired.ACLEntry{{Allow: true, CIDR: anywhere, Protocol: "-1"}}
	return desired.VPC{
		ID: id, CIDRs: []netip.Prefix{netip.MustParsePrefix(cidr)}, Groups: []desired.SecurityGroup{open},
		ACLs: []desired.ACL{{ID: "acl-" + id, Ingress: all, Egress: all}},
	}
}

func addSubnet(v *desired.VPC, number int, name string, routes []desired.Route) {
	cidr := v.CIDRs[0].Addr().As4()
	cidr[2] = byte(number)
	v.Subnets = append(v.Subnets, desired.Subnet{
		ID: name, Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4(cidr), 24)}, RouteTable: "rtb-" + name, ACL: v.ACLs[0].ID,
	})
	local := desired.Route{To: v.CIDRs[0], Target: desired.RouteLocal}
	v.RouteTables = append(v.RouteTables, desired.RouteTable{ID: "rtb-" + name, Routes: append([]desired.Route{local}, routes...)})
}

func worldENI(v desired.VPC, subnet, number int) desired.Interface {
	s := v.Subnets[subnet]
	a := s.Prefixes[0].Addr().As4()
	a[3] = byte(number)
	return desired.Interface{
		ID: "eni-" + netip.AddrFrom4(a).String(), VPC: v.ID, Subnet: s.ID, Prefix: s.Prefixes[0], Address: netip.AddrFrom4(a),
		MAC: fmt.Sprintf("02:00:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3]), Groups: []string{"sg-open"},
	}
}

// newWorld makes it, an Internet beyond the machine, and servers everywhere that say
// who asks.
func newWorld(t *testing.T, instance string, routed bool) (n, far *Network) {
	t.Helper()
	n, far = newPublic(t, Config{Instance: instance, PublicRouted: routed})
	apply(t, n, world())
	for _, addr := range []string{"203.0.113.1:80", "198.51.100.1:80", "169.254.169.254:80"} {
		serveOutside(t, far, addr)
	}
	for _, e := range world().Interfaces {
		l, err := n.ListenInterfaceTCP(e.ID, 80)
		if err != nil {
			t.Fatal(err)
		}
		answerWithPeer(t, l)
	}
	own, err := net.Listen("tcp4", "203.0.113.2:80")
	if err != nil {
		t.Fatal(err)
	}
	answerWithPeer(t, own)
	return n, far
}

// A packet of each kind of subnet to each kind of destination arrives as what the route
// tables say, and nowhere else. The tables are in testdata/reach.
func TestReach(t *testing.T) {
	for name, routed := range map[string]bool{"masqueraded": false, "routed": true} {
		t.Run(name, func(t *testing.T) {
			n, far := newWorld(t, "a050", routed)
			compareReach(t, name, askAll(n, worldSources(n, far), worldDestinations(n)))
		})
	}
}

// compareReach compares a table with the one that is kept.
func compareReach(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", "reach", name+".txt")
	want, err := os.ReadFile(path)
	if err != nil && !*rewrite {
		t.Fatal(err)
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(string(want), got); d != "" {
		t.Error(d)
	}
}

type (
	source struct {
		name string
		from dialer
	}
	destination struct{ name, to string }
)

func worldSources(n, far *Network) []source {
	return []source{
		{"public with an address", from(n, "eni-10.1.0.10")},
		{"public without an address", from(n, "eni-10.1.0.11")},
		{"private with NAT", from(n, "eni-10.1.1.10")},
		{"private with private NAT", from(n, "eni-10.1.2.10")},
		{"isolated", from(n, "eni-10.1.3.10")},
		{"gateway endpoint", from(n, "eni-10.1.4.10")},
		{"blackhole", from(n, "eni-10.1.5.10")},
		{"peered", from(n, "eni-10.1.6.10")},
		{"peer", from(n, "eni-10.2.0.10")},
		{"machine", fromMachine},
		{"Internet", from(far, "outside")},
	}
}

func worldDestinations(n *Network) []destination {
	link := n.mu.applied.routers["vpc-1"].link
	return []destination{
		{"in the public subnet", "10.1.0.20"},
		{"in the private subnet", "10.1.1.20"},
		{"in the isolated subnet", "10.1.3.20"},
		{"in the peered subnet", "10.1.6.20"},
		{"unused address", "10.1.0.99"},
		{"peer", "10.2.0.10"},
		{"unused address of the peer", "10.2.0.99"},
		{"stranger's private address", "10.3.0.10"},
		{"stranger's public address", "240.31.3.10"},
		{"VPC's public address", "240.31.0.20"},
		{"NAT gateway's public address", "240.31.0.200"},
		{"NAT gateway's private address", "10.1.0.200"},
		{"unused public address", "240.31.0.99"},
		{"Internet", "203.0.113.1"},
		{"prefix list", "198.51.100.1"},
		{"machine", "203.0.113.2"},
		{"machine's link", link.machine.String()},
		{"cloud's metadata", "169.254.169.254"},
	}
}

// askAll asks port 80 from everywhere to everywhere.
func askAll(n *Network, sources []source, destinations []destination) string {
	cells := make([][]string, len(sources))
	var all sync.WaitGroup
	for i, s := range sources {
		cells[i] = make([]string, len(destinations))
		for j, d := range destinations {
			all.Go(func() { cells[i][j] = reached(s.from, 2*soon, net.JoinHostPort(d.to, "80"), n) })
		}
	}
	all.Wait()
	var out strings.Builder
	for i, s := range sources {
		fmt.Fprintf(&out, "from %s\n", s.name)
		for j, d := range destinations {
			fmt.Fprintf(&out, "  to %-30s %s\n", d.name, cells[i][j])
		}
	}
	return out.String()
}

// reached says as whom a destination is reached, or what comes back.
func reached(from dialer, within time.Duration, to string, n *Network) string {
	got, err := ask(from, within, to)
	var timeout net.Error
	switch {
	case err == nil:
		for id, r := range n.mu.applied.routers {
			got = strings.ReplaceAll(got, r.link.machine.String(), "machine's link to "+id)
			got = strings.ReplaceAll(got, r.link.machine6(n.cfg.Instance).String(), "machine's link to "+id)
		}
		return "as " + got
	case errors.Is(err, unix.EHOSTUNREACH):
		return "host unreachable"
	case errors.Is(err, unix.ENETUNREACH):
		return "network unreachable"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "silence"
	}
	return err.Error()
}
