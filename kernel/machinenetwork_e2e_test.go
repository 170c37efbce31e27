//go:build e2e

package kernel

import (
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"fargo"
)

// What a machine is in: the networks of its links and those it has routes to. Not
// what Fargo made there, of whatever instance, and no default route.
func TestMachineNetworks(t *testing.T) {
	file, err := newNamespace()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = inside(file, func() error {
		for name, address := range map[string]string{"lan0": "10.9.1.7/24", "docker0": "172.17.0.1/16", "fg1a2b-a9fe0000": "169.254.192.4/31"} {
			if err := testLink(name, address); err != nil {
				return err
			}
		}
		for _, r := range []struct {
			to, dev  string
			table    int
			protocol int
			kind     int
		}{
			{"192.168.0.0/16", "lan0", unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RTN_UNICAST},
			{"10.77.0.0/16", "lan0", 77, unix.RTPROT_STATIC, unix.RTN_UNICAST},
			{"0.0.0.0/1", "lan0", unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RTN_UNICAST},
			{"0.0.0.0/0", "lan0", unix.RT_TABLE_MAIN, unix.RTPROT_STATIC, unix.RTN_UNICAST},
			{"172.31.0.5/32", "fg1a2b-a9fe0000", unix.RT_TABLE_MAIN, routeProtocol, unix.RTN_UNICAST},
			{"172.31.0.0/16", "", unix.RT_TABLE_MAIN, routeProtocol, unix.RTN_UNREACHABLE},
		} {
			if err := testRoute(r.to, r.dev, r.table, r.protocol, r.kind); err != nil {
				return err
			}
		}
		got, err := MachineNetworks()
		if err != nil {
			return err
		}
		// Of a network that a link has an address in, the kernel's own routes say
		// the address and the broadcast address too.
		got = slices.DeleteFunc(got, func(n fargo.MachineNetwork) bool { return n.Prefix.IsSingleIP() })
		want := []fargo.MachineNetwork{
			{Prefix: netip.MustParsePrefix("10.9.1.0/24"), Link: "lan0"},
			{Prefix: netip.MustParsePrefix("10.77.0.0/16"), Link: "lan0"},
			{Prefix: netip.MustParsePrefix("172.17.0.0/16"), Link: "docker0"},
			{Prefix: netip.MustParsePrefix("192.168.0.0/16"), Link: "lan0"},
		}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		addresses, err := MachineAddresses()
		if err != nil {
			return err
		}
		for _, a := range []string{"10.9.1.7", "172.17.0.1", "169.254.192.4"} {
			if !slices.Contains(addresses, netip.MustParseAddr(a)) {
				t.Errorf("%s is not among %v", a, addresses)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testLink(name, address string) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	link := &netlink.Veth{LinkAttrs: attrs, PeerName: "peer-" + name[:4]}
	if err := netlink.LinkAdd(link); err != nil {
		return err
	}
	for _, end := range []string{name, link.PeerName} {
		l, err := netlink.LinkByName(end)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(l); err != nil {
			return err
		}
	}
	ip, block, err := net.ParseCIDR(address)
	if err != nil {
		return err
	}
	block.IP = ip
	return netlink.AddrAdd(link, &netlink.Addr{IPNet: block})
}

func testRoute(to, dev string, table, protocol, kind int) error {
	_, block, err := net.ParseCIDR(to)
	if err != nil {
		return err
	}
	r := &netlink.Route{Dst: block, Table: table, Protocol: netlink.RouteProtocol(protocol), Type: kind}
	if dev != "" {
		l, err := netlink.LinkByName(dev)
		if err != nil {
			return err
		}
		r.LinkIndex, r.Scope = l.Attrs().Index, netlink.SCOPE_LINK
	}
	return netlink.RouteAdd(r)
}
