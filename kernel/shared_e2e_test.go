//go:build e2e

package kernel

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"fargo/desired"
	"fargo/host"
)

// Connections that wait at a listener are not lost when it closes, if somebody
// else listens at the same port.
func TestListenersShareAPort(t *testing.T) {
	n := newTestNetwork(t, "a027")
	apply(t, n, host.Network{
		VPCs:       []desired.VPC{vpc("vpc-1", open)},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-open"), eni(12, "vpc-1", "sg-open")},
	})
	listen := func() net.Listener {
		t.Helper()
		l, err := n.ListenInterfaceTCP("eni-vpc-1-11", 80)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	leaves, stays := listen(), listen()
	const connections = 64 // all with the one that stays: once in 2^64 runs
	for range connections {
		c, err := n.DialInterfaceTCP(t.Context(), "eni-vpc-1-12", netip.MustParseAddrPort("172.31.0.11:80"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
	if err := leaves.Close(); err != nil {
		t.Fatal(err)
	}
	if err := stays.(*net.TCPListener).SetDeadline(time.Now().Add(longer)); err != nil {
		t.Fatal(err)
	}
	for i := range connections {
		c, err := stays.Accept()
		if err != nil {
			t.Fatalf("%d of %d connections: %v", i, connections, err)
		}
		c.Close()
	}
}
