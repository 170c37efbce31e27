//go:build e2e

package kernel

import (
	"net/netip"
	"testing"

	"fargo/desired"
	"fargo/host"
)

// routed is a VPC with a public and a private subnet, a NAT gateway and a peer.
func routed(gateway, peer string, publics map[string]string) host.Network {
	one, two := worldVPC("vpc-1", "10.1.0.0/16"), worldVPC(peer, "10.2.0.0/16")
	one.Peers, two.Peers = []string{peer}, []string{"vpc-1"}
	nat := internetHop
	nat.NAT = gateway
	there := desired.Route{To: two.CIDRs[0], Target: desired.RoutePeer, Peer: peer}
	back := desired.Route{To: one.CIDRs[0], Target: desired.RoutePeer, Peer: "vpc-1"}
	addSubnet(&one, 0, "public", []desired.Route{internetHop})
	addSubnet(&one, 1, "private", []desired.Route{there, nat})
	addSubnet(&two, 0, "public", []desired.Route{back, internetHop})
	one.NATGateways = []desired.NATGateway{{ID: gateway, Subnet: "public", Addresses: []desired.NATAddress{
		{Private: netip.MustParseAddr("10.1.0.200"), Public: netip.MustParseAddr(publics[gateway])},
	}}}
	n := host.Network{VPCs: []desired.VPC{one, two}, Interfaces: []desired.Interface{worldENI(one, 1, 10), worldENI(two, 0, 10)}}
	n.Interfaces[1].ID += peer
	n.Interfaces[1].Public = netip.MustParseAddr(publics[peer])
	return n
}

var (
	routedBefore = routed("nat-1", "vpc-2", map[string]string{"nat-1": "240.31.0.1", "vpc-2": "240.31.0.2"})
	routedAfter  = routed("nat-2", "vpc-3", map[string]string{"nat-2": "240.31.0.1", "vpc-3": "240.31.0.3"})
)

func TestKilledAtAnyStepOfRouting(t *testing.T) {
	killAtAnyStep(t, "a058", 5, routedBefore, routedAfter, checkRouted)
}

func checkRouted(t *testing.T, n *Network, when string) {
	t.Helper()
	l, err := n.ListenInterfaceTCP("eni-10.2.0.10vpc-3", 80)
	if err != nil {
		t.Fatal(when, err)
	}
	answerWithPeer(t, l)
	for to, want := range map[string]string{"10.2.0.10:80": "10.1.1.10", "240.31.0.3:80": "240.31.0.1"} {
		if got, err := ask(from(n, "eni-10.1.1.10"), longer, to); err != nil || got != want {
			t.Errorf("%s: %s is reached as %q, %v; want %s", when, to, got, err, want)
		}
	}
	unreachableFromMachine(t, "240.31.0.2:80")
	checkNothingLeft(t, n, when)
}

// checkNothingLeft wants a new process to find nothing to remove.
func checkNothingLeft(t *testing.T, n *Network, when string) {
	t.Helper()
	if seen, err := n.machine.observe(n.mu.applied); err != nil {
		t.Error(err)
	} else if s := prune(n.cfg, seen, n.mu.applied); len(s.steps) != 0 {
		t.Errorf("%s: left over: %s", when, plan{{s}})
	}
}
