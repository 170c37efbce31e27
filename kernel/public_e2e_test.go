//go:build e2e

package kernel

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// onePublic is a VPC with one interface, which has a public address.
func onePublic(group desired.SecurityGroup, public string) host.Network {
	v := worldVPC("vpc-1", "10.1.0.0/16")
	v.Groups = append(v.Groups, group)
	addSubnet(&v, 0, "public", []desired.Route{internetHop})
	e := worldENI(v, 0, 10)
	e.Groups, e.Public = []string{group.ID}, netip.MustParseAddr(public)
	return host.Network{VPCs: []desired.VPC{v}, Interfaces: []desired.Interface{e}}
}

// A public address is guarded by the groups of its interface, comes and goes without the
// interface, and may move to another.
func TestPublicAddress(t *testing.T) {
	n, far := newRouted(t, Config{Instance: "a059"})
	web := desired.SecurityGroup{ID: "sg-web", Egress: allowAll, Ingress: []desired.Rule{tcp(80, "203.0.113.0/24"), tcp(81, "240.31.0.0/20")}}
	network := onePublic(web, "240.31.0.10")
	apply(t, n, network)
	for _, port := range []uint16{80, 81, 82} {
		serve(t, n, "eni-10.1.0.10", port)
	}
	allowed(t, from(far, "outside"), "240.31.0.10:80", "eni-10.1.0.10")
	denied(t, from(far, "outside"), "240.31.0.10:81")
	denied(t, from(far, "outside"), "240.31.0.10:82")
	denied(t, fromMachine, "240.31.0.10:80")

	// The same process goes on listening behind another address.
	network.Interfaces[0].Public = netip.MustParseAddr("240.31.0.11")
	apply(t, n, network)
	allowed(t, from(far, "outside"), "240.31.0.11:80", "eni-10.1.0.10")
	denied(t, from(far, "outside"), "240.31.0.10:80")
	unreachableFromMachine(t, "240.31.0.10:80")
	other := worldENI(network.VPCs[0], 0, 20)
	other.Groups, other.Public = []string{"sg-web"}, network.Interfaces[0].Public
	network.Interfaces[0].Public = netip.Addr{}
	network.Interfaces = append(network.Interfaces, other)
	apply(t, n, network)
	serve(t, n, other.ID, 80)
	allowed(t, from(far, "outside"), "240.31.0.11:80", other.ID)

	// Nobody outside passes for an interface.
	lie := script{}
	lie.add("outside", addrAdd{dev: "lo", prefix: netip.MustParsePrefix("10.1.0.10/32")})
	if err := far.machine.runScript(lie); err != nil {
		t.Fatal(err)
	}
	receiver := listenUDP(t, n, other.ID, "10.1.0.20:7")
	network.VPCs[0].Groups[1].Ingress = append(network.VPCs[0].Groups[1].Ingress, desired.Rule{Protocol: "udp", FromPort: 7, ToPort: 7, CIDR: anywhere})
	apply(t, n, network)
	sendUDP(t, far, "outside", "10.1.0.10", "240.31.0.11", "lie")
	sendUDP(t, far, "outside", "203.0.113.1", "240.31.0.11", "truth")
	if text, from := receive(t, receiver); text != "truth" || from != "203.0.113.1" {
		t.Errorf("got %q from %s", text, from)
	}
}

// Protocols without ports reach public addresses too.
func TestProtocolsToPublicAddresses(t *testing.T) {
	n, far := newRouted(t, Config{Instance: "a05a"})
	tunnels := desired.SecurityGroup{ID: "sg-tunnels", Egress: allowAll}
	for _, number := range []string{"47", "50", "132"} {
		tunnels.Ingress = append(tunnels.Ingress, desired.Rule{Protocol: number, FromPort: -1, ToPort: -1, CIDR: anywhere})
	}
	apply(t, n, onePublic(tunnels, "240.31.0.10"))
	for number, passes := range map[int]bool{
		unix.IPPROTO_GRE: true, unix.IPPROTO_ESP: true, unix.IPPROTO_SCTP: true, unix.IPPROTO_AH: false,
	} {
		within := longer
		if !passes {
			within = soon
		}
		if err := passBetween(far, n, number, "outside", "eni-10.1.0.10", "240.31.0.10", within); (err == nil) != passes {
			t.Errorf("protocol %d: %v", number, err)
		}
	}
}

// Two instances on a machine are strangers, with the same addresses within, unless the
// network around the machine routes the public ones. Each has IPv6 addresses of its own.
func TestInstancesDoNotMeet(t *testing.T) {
	outside(t, newTestNetwork(t, "a0ff")) // the machine has an address
	alone := func(public, block string) host.Network {
		n := onePublic(open, public)
		n.VPCs[0].Groups = n.VPCs[0].Groups[:1]
		dual(&n.VPCs[0], block, desired.RouteInternet)
		n.Interfaces[0] = with6(n.VPCs[0], 0, n.Interfaces[0])
		return n
	}
	const eni, one4, two4, one6, two6 = "eni-10.1.0.10", "240.48.0.10:80", "240.31.0.10:80", "[2001:db8:a05b:100::a]:80", "[2001:db8:a05c:100::a]:80"
	one := newConfigured(t, Config{Instance: "a05b", Public: netip.MustParsePrefix("240.48.0.0/20")})
	for _, routed := range []bool{false, true} {
		two := newConfigured(t, Config{Instance: "a05c", Public: publicRange, PublicRouted: routed})
		apply(t, one, alone("240.48.0.10", "2001:db8:a05b:100::/56"))
		apply(t, two, alone("240.31.0.10", "2001:db8:a05c:100::/56"))
		serve(t, one, eni, 80)
		serve(t, two, eni, 80)
		denied(t, from(two, eni), one4)
		denied(t, from(two, eni), one6)
		for _, to := range []string{two4, two6} {
			if got, err := ask(from(one, eni), 2*soon, to); (err == nil) != routed {
				t.Errorf("routed %v: %s: got %q, %v", routed, to, got, err)
			}
		}
		for _, to := range []string{one4, two4} {
			allowed(t, fromMachine, to, eni)
		}
		for _, to := range []string{one6, two6} {
			allowed(t, fromMachine6, to, eni)
		}
		if err := two.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
