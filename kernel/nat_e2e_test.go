//go:build e2e

package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"fargo/desired"
	"fargo/host"
)

// natWorld is a private subnet behind a gateway with some addresses.
func natWorld(addresses int) host.Network {
	v := worldVPC("vpc-1", "10.1.0.0/16")
	nat := internetHop
	nat.NAT = "nat-1"
	addSubnet(&v, 0, "public", []desired.Route{internetHop})
	addSubnet(&v, 1, "private", []desired.Route{nat})
	g := desired.NATGateway{ID: "nat-1", Subnet: "public"}
	for i := range byte(addresses) {
		g.Addresses = append(g.Addresses, desired.NATAddress{
			Private: netip.AddrFrom4([4]byte{10, 1, 0, 200 + i}), Public: netip.AddrFrom4([4]byte{240, 31, 0, 200 + i}),
		})
	}
	v.NATGateways = []desired.NATGateway{g}
	return host.Network{VPCs: []desired.VPC{v}, Interfaces: []desired.Interface{worldENI(v, 1, 10), worldENI(v, 1, 20)}}
}

// newRouted is a network whose public addresses the Internet beyond the machine
// knows.
func newRouted(t testing.TB, cfg Config) (n, far *Network) {
	t.Helper()
	cfg.PublicRouted = true
	return newPublic(t, cfg)
}

// newPublic is a network with public addresses. The Internet beyond the machine has a
// route for them in any case, as a hostile one would.
func newPublic(t testing.TB, cfg Config) (n, far *Network) {
	t.Helper()
	cfg.Public, cfg.Public6 = publicRange, publicRange6
	n, far = newConfigured(t, cfg), newTestNetwork(t, "a0ff")
	outside(t, far)
	var more script
	more.add("outside",
		addrAdd{dev: "lo", prefix: netip.MustParsePrefix("198.51.100.1/32")},
		routeAdd{route: route{to: publicRange, via: netip.MustParseAddr("203.0.113.2"), dev: "eth0"}})
	if err := far.machine.runScript(more); err != nil {
		t.Fatal(err)
	}
	return n, far
}

func serveOutside(t *testing.T, far *Network, addr string) {
	t.Helper()
	l, err := far.ListenTCP("outside", netip.MustParseAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	answerWithPeer(t, l)
}

// A gateway of several addresses uses all of them.
func TestNATSpreadsConnections(t *testing.T) {
	n, far := newRouted(t, Config{Instance: "a051"})
	apply(t, n, natWorld(3))
	serveOutside(t, far, "203.0.113.1:80")
	seen := map[string]int{}
	for range 60 {
		got, err := ask(from(n, "eni-10.1.1.10"), longer, "203.0.113.1:80")
		if err != nil {
			t.Fatal(err)
		}
		seen[got]++
	}
	for i := range 3 { // that one of three is never taken in 60: once in 10^10 runs
		if a := fmt.Sprintf("240.31.0.%d", 200+i); seen[a] == 0 {
			t.Errorf("no connection came from %s of %v", a, seen)
		}
	}
	if len(seen) != 3 {
		t.Errorf("connections came from %v", seen)
	}
}

// Two interfaces that use the same port are told apart, and the port is one that
// gateways use.
func TestNATChoosesPorts(t *testing.T) {
	n, far := newRouted(t, Config{Instance: "a052"})
	apply(t, n, natWorld(1))
	server := listenUDP(t, far, "outside", "203.0.113.1:7")
	ports := map[uint16]bool{}
	for _, id := range []string{"10.1.1.10", "10.1.1.20"} {
		for _, port := range []string{"500", "5000"} {
			client := listenUDP(t, n, "eni-"+id, id+":"+port)
			if _, err := client.WriteToUDPAddrPort([]byte("question"), netip.MustParseAddrPort("203.0.113.1:7")); err != nil {
				t.Fatal(err)
			}
			server.SetReadDeadline(time.Now().Add(longer))
			_, who, err := server.ReadFromUDPAddrPort(make([]byte, 100))
			if err != nil {
				t.Fatal(err)
			}
			if who.Addr().Unmap() != netip.MustParseAddr("240.31.0.200") || who.Port() < firstNATPort || ports[who.Port()] {
				t.Errorf("%s:%s is %s", id, port, who)
			}
			ports[who.Port()] = true
			if _, err := server.WriteToUDPAddrPort([]byte("answer"), who); err != nil {
				t.Fatal(err)
			}
			if text, from := receive(t, client); text != "answer" || from != "203.0.113.1" {
				t.Errorf("got %q from %s", text, from)
			}
		}
	}
}

// When an address has no port left for a destination, the connection fails and is
// counted, and other destinations are reached.
func TestNATRunsOutOfPorts(t *testing.T) {
	const most = 5
	n, far := newRouted(t, Config{Instance: "a053", natConnections: most})
	apply(t, n, natWorld(1))
	serveHolding(t, far, "203.0.113.1:80")
	serveHolding(t, far, "203.0.113.1:81")
	client := from(n, "eni-10.1.1.10")
	to := netip.MustParseAddrPort("203.0.113.1:80")
	var held []net.Conn
	for range most {
		c, err := client(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	checkErrors := func(atLeast, atMost uint64) {
		t.Helper()
		got, err := n.NATStatistics("vpc-1")
		if err != nil {
			t.Fatal(err)
		}
		if e := got["nat-1"].PortAllocationErrors; len(got) != 1 || e < atLeast || e > atMost {
			t.Errorf("the statistics are %+v", got)
		}
	}
	checkErrors(0, 0)
	denied(t, client, "203.0.113.1:80")
	checkErrors(1, 2) // a TCP may ask twice
	// A change of other rules does not forget them.
	network := natWorld(1)
	network.Interfaces = network.Interfaces[:1]
	apply(t, n, network)
	checkErrors(1, 2)
	if c, err := client(t.Context(), netip.MustParseAddrPort("203.0.113.1:81")); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	for _, c := range held {
		c.Close()
	}
	if _, err := n.NATStatistics("vpc-none"); err == nil {
		t.Error("a VPC that is not there has statistics")
	}
}

// serveHolding accepts connections and keeps them.
func serveHolding(t *testing.T, far *Network, addr string) {
	t.Helper()
	l, err := far.ListenTCP("outside", netip.MustParseAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
}
