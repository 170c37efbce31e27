//go:build e2e

package kernel

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// before6 has a VPC with IPv6 and one without; after6 has them the other way, and a peer
// that is reached by IPv6.
func before6() host.Network {
	one, two := worldVPC("vpc-1", "10.1.0.0/16"), worldVPC("vpc-2", "10.2.0.0/16")
	addSubnet(&one, 0, "one", nil)
	addSubnet(&two, 0, "two", nil)
	dual(&two, "2001:db8:1:200::/56", desired.RouteInternet)
	return host.Network{
		VPCs:       []desired.VPC{one, two},
		Interfaces: []desired.Interface{worldENI(one, 0, 16), with6(two, 0, worldENI(two, 0, 16))},
	}
}

func after6() host.Network {
	one, two, three := worldVPC("vpc-1", "10.1.0.0/16"), worldVPC("vpc-2", "10.2.0.0/16"), worldVPC("vpc-3", "10.3.0.0/16")
	addSubnet(&one, 0, "one", nil)
	addSubnet(&two, 0, "two", nil)
	addSubnet(&three, 0, "three", nil)
	dual(&one, "2001:db8:1:100::/56", "")
	dual(&three, "2001:db8:1:300::/56", "")
	one.Peers, three.Peers = []string{"vpc-3"}, []string{"vpc-1"}
	there := desired.Route{To: three.CIDRs[1], Target: desired.RoutePeer, Peer: "vpc-3"}
	back := desired.Route{To: one.CIDRs[1], Target: desired.RoutePeer, Peer: "vpc-1"}
	one.RouteTables[0].Routes = append(one.RouteTables[0].Routes, there)
	three.RouteTables[0].Routes = append(three.RouteTables[0].Routes, back)
	return host.Network{VPCs: []desired.VPC{one, two, three}, Interfaces: []desired.Interface{
		with6(one, 0, worldENI(one, 0, 16)), worldENI(two, 0, 16), without4(with6(three, 0, worldENI(three, 0, 16))),
	}}
}

func TestKilledAtAnyStepOfIPv6(t *testing.T) {
	killAtAnyStep(t, "a05f", 5, before6(), after6(), checkAfter6)
}

func checkAfter6(t *testing.T, n *Network, when string) {
	t.Helper()
	l, err := n.ListenInterfaceTCP("eni-10.3.0.16", 80)
	if err != nil {
		t.Fatal(when, err)
	}
	answerWithPeer(t, l)
	machine := n.mu.applied.routers["vpc-3"].link.machine6(n.cfg.Instance).String()
	for want, d := range map[string]dialer{"2001:db8:1:100::10": from(n, "eni-10.1.0.16"), machine: fromMachine6} {
		if got, err := ask(d, longer, "[2001:db8:1:300::10]:80"); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %s", when, got, err, want)
		}
	}
	if _, err := ask(from(n, "eni-10.2.0.16"), longer, "[2001:db8:1:300::10]:80"); !errors.Is(err, unix.ENETUNREACH) && !errors.Is(err, unix.EADDRNOTAVAIL) {
		t.Errorf("%s: from what lost IPv6: %v", when, err)
	}
	if got, err := ask(fromMachine6, longer, "[2001:db8:1:200::10]:80"); !errors.Is(err, unix.EHOSTUNREACH) {
		t.Errorf("%s: got %q, %v from what has lost IPv6", when, got, err)
	}
	checkNothingLeft(t, n, when)
}
