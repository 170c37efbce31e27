//go:build e2e

package kernel

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

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
		with6(one, 0, worldENI(one, 0, 32)), with6(two, 0, worldENI(two, 0, 16)), with6(one, 0, worldENI(one, 0, 48)),
	}}
	n.Interfaces[5].DenyGateway = true
	n.Interfaces[3] = without4(n.Interfaces[3])
	n.Interfaces[3].ID = "eni-only"
	return n
}

// without4 is an interface in a subnet without IPv4.
func without4(e desired.Interface) desired.Interface {
	e.Address, e.Prefix = netip.Addr{}, netip.Prefix{}
	return e
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

// newWorld6 makes dualWorld with a stranger, vpc-3, an Internet beyond the machine, and
// servers everywhere that say who asks.
func newWorld6(t *testing.T, instance string, routed bool) (n, far *Network) {
	t.Helper()
	n, far = newPublic(t, Config{Instance: instance, PublicRouted: routed})
	outside6(t, far)
	network := dualWorld()
	three := worldVPC("vpc-3", "10.3.0.0/16")
	addSubnet(&three, 0, "stranger", nil)
	dual(&three, "2001:db8:1:300::/56", desired.RouteInternet)
	network.VPCs, network.Interfaces = append(network.VPCs, three), append(network.Interfaces, with6(three, 0, worldENI(three, 0, 16)))
	apply(t, n, network)
	for _, e := range network.Interfaces {
		l, err := n.ListenInterfaceTCP(e.ID, 80)
		if err != nil {
			t.Fatal(err)
		}
		answerWithPeer(t, l)
	}
	serveOutside(t, far, "[2001:db8:ffff::1]:80")
	machine, err := net.Listen("tcp6", "[::]:80")
	if err != nil {
		t.Fatal(err)
	}
	answerWithPeer(t, machine)
	return n, far
}

// TestReach by IPv6.
func TestReach6(t *testing.T) {
	for name, routed := range map[string]bool{"masqueraded6": false, "routed6": true} {
		t.Run(name, func(t *testing.T) {
			n, far := newWorld6(t, "a05d", routed)
			sources := []source{
				{"public", from(n, "eni-10.1.0.16")},
				{"public, IPv6-only", from(n, "eni-only")},
				{"egress-only", from(n, "eni-10.1.1.16")},
				{"isolated and peered", from(n, "eni-10.1.2.16")},
				{"peer", from(n, "eni-10.2.0.16")},
				{"stranger", from(n, "eni-10.3.0.16")},
				{"machine", fromMachine6},
				{"Internet", from(far, "outside")},
			}
			link := n.mu.applied.routers["vpc-1"].link
			compareReach(t, name, askAll(n, sources, []destination{
				{"in the public subnet", "2001:db8:1:100::10"},
				{"IPv6-only in the public one", "2001:db8:1:100::20"},
				{"closed to the gateway", "2001:db8:1:100::30"},
				{"in the egress-only subnet", "2001:db8:1:101::10"},
				{"in the isolated subnet", "2001:db8:1:102::10"},
				{"unused address", "2001:db8:1:100::99"},
				{"unused block", "2001:db8:1:1ff::1"},
				{"peer", "2001:db8:1:200::10"},
				{"unused address of the peer", "2001:db8:1:200::99"},
				{"stranger", "2001:db8:1:300::10"},
				{"unused address of the stranger", "2001:db8:1:300::99"},
				{"nobody's block of the instance", "2001:db8:1:900::1"},
				{"Internet", "2001:db8:ffff::1"},
				{"machine", "2001:db8:ffff::2"},
				{"machine's link", link.machine6("a05d").String()},
			}))
		})
	}
}

func TestPathMTU6(t *testing.T) {
	n, far := newPublic(t, Config{Instance: "a060"})
	outside6(t, far)
	apply(t, n, dualWorld())
	for _, id := range []string{"eni-10.1.0.16", "eni-10.1.1.16"} {
		sendMuch(t, n, far, id, "[2001:db8:ffff::1]:80")
	}
}

// A dual-stack interface has both; and a new process finds all as it is.
func TestIPv6(t *testing.T) {
	n, _ := newWorld6(t, "a05e", false)
	allowed(t, from(n, "eni-10.1.0.16"), "10.1.1.16:80", "10.1.0.16")
	allowed(t, from(n, "eni-10.1.0.16"), "[2001:db8:1:101::10]:80", "2001:db8:1:100::10")
	checkNothingLeft(t, n, "at rest")
}

// No interface sends from an address of another's by IPv6 either.
func TestSourceAddressesCannotBeSpoofed6(t *testing.T) {
	n := newTestNetwork(t, "a061")
	apply(t, n, dualWorld())
	receiver := listenUDP(t, n, "eni-10.1.1.16", "[2001:db8:1:101::10]:7")
	for _, liar := range []string{"2001:db8:1:101::11", "2001:db8:1:100::20", "2001:db8:1:100::99", "2001:db8:ffff::9", "::1"} {
		sendUDP6(t, n, "eni-10.1.0.16", liar, "2001:db8:1:101::10", "lie")
	}
	sendUDP6(t, n, "eni-10.1.0.16", "2001:db8:1:100::10", "2001:db8:1:101::10", "truth")
	if text, from := receive(t, receiver); text != "truth" || from != "2001:db8:1:100::10" {
		t.Errorf("got %q from %s", text, from)
	}
}

// sendUDP6 sends a datagram with any source address, to port 7.
func sendUDP6(t *testing.T, n *Network, id, from, to, text string) {
	t.Helper()
	src, dst := netip.MustParseAddr(from).As16(), netip.MustParseAddr(to).As16()
	length := binary.BigEndian.AppendUint16(nil, uint16(8+len(text)))
	datagram := append([]byte{0, 7, 0, 7, length[0], length[1], 0, 0}, text...)
	// The sum has the addresses, the length and the protocol in it: RFC 8200, 8.1.
	sum := checksum(slices.Concat(src[:], dst[:], length, []byte{0, unix.IPPROTO_UDP}, datagram))
	binary.BigEndian.PutUint16(datagram[6:], sum)
	packet := slices.Concat([]byte{0x60, 0, 0, 0, length[0], length[1], unix.IPPROTO_UDP, 64}, src[:], dst[:], datagram)
	err := n.inside(id, func() error {
		fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Sendto(fd, packet, 0, &unix.SockaddrInet6{Addr: dst})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checksum is the Internet's. Source: RFC 1071.
func checksum(b []byte) uint16 {
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
