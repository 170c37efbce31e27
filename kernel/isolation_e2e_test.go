//go:build e2e

package kernel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// open is a group that allows everything.
var open = desired.SecurityGroup{ID: "sg-open", Ingress: allowAll, Egress: allowAll}

func vpc(id string, groups ...desired.SecurityGroup) desired.VPC {
	return desired.VPC{ID: id, CIDRs: []netip.Prefix{vpcCIDR}, Groups: groups}
}

func TestSourceAddressesCannotBeSpoofed(t *testing.T) {
	n := newTestNetwork(t, "a010")
	apply(t, n, host.Network{
		VPCs:       []desired.VPC{vpc("vpc-1", open)},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-open"), eni(12, "vpc-1", "sg-open"), eni(13, "vpc-1", "sg-open")},
	})
	receiver := listenUDP(t, n, "eni-vpc-1-13", "172.31.0.13:7")
	// Packets from one interface to another keep their order: if the first to
	// arrive is the honest one, the others before it were dropped.
	for _, liar := range []string{"172.31.0.12", "172.31.0.99", "169.254.170.2", "8.8.8.8", "127.0.0.1"} {
		sendUDP(t, n, "eni-vpc-1-11", liar, "172.31.0.13", "lie")
	}
	sendUDP(t, n, "eni-vpc-1-11", "172.31.0.11", "172.31.0.13", "truth")
	if text, from := receive(t, receiver); text != "truth" || from != "172.31.0.11" {
		t.Errorf("got %q from %s", text, from)
	}
}

// sendUDP sends a datagram with any source address, to port 7.
func sendUDP(t *testing.T, n *Network, id, from, to, text string) {
	t.Helper()
	err := n.inside(id, func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		dst := netip.MustParseAddr(to).As4()
		p := make([]byte, 28, 28+len(text))
		p[0], p[8], p[9] = 0x45, 64, unix.IPPROTO_UDP
		src := netip.MustParseAddr(from).As4()
		copy(p[12:], src[:])
		copy(p[16:], dst[:])
		binary.BigEndian.PutUint16(p[20:], 7)
		binary.BigEndian.PutUint16(p[22:], 7)
		binary.BigEndian.PutUint16(p[24:], uint16(8+len(text)))
		return unix.Sendto(fd, append(p, text...), 0, &unix.SockaddrInet4{Addr: dst})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func listenUDP(t *testing.T, n *Network, in, addr string) *net.UDPConn {
	t.Helper()
	c, err := n.ListenUDP(in, netip.MustParseAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func receive(t *testing.T, c *net.UDPConn) (text, from string) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(longer))
	b := make([]byte, 1500)
	size, addr, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:size]), addr.Addr().Unmap().String()
}

func TestPingAsAllowed(t *testing.T) {
	n := newTestNetwork(t, "a011")
	echo := desired.SecurityGroup{ID: "sg-echo", Egress: allowAll, Ingress: []desired.Rule{{Protocol: "icmp", FromPort: 8, ToPort: -1, CIDR: anywhere}}}
	shut := desired.SecurityGroup{ID: "sg-shut", Egress: allowAll}
	apply(t, n, host.Network{
		VPCs:       []desired.VPC{vpc("vpc-1", echo, shut)},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-shut"), eni(12, "vpc-1", "sg-echo")},
	})
	if err := ping(n, "eni-vpc-1-11", "172.31.0.12", longer); err != nil {
		t.Error(err)
	}
	if err := ping(n, "eni-vpc-1-12", "172.31.0.11", soon); err == nil {
		t.Error("an interface without a rule for it answers to ping")
	}
}

func ping(n *Network, id, to string, within time.Duration) error {
	var c net.PacketConn
	err := n.inside(id, func() (err error) {
		c, err = net.ListenPacket("ip4:icmp", "0.0.0.0")
		return err
	})
	if err != nil {
		return err
	}
	defer c.Close()
	request := []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}
	if _, err := c.WriteTo(request, &net.IPAddr{IP: net.ParseIP(to)}); err != nil {
		return err
	}
	c.SetReadDeadline(time.Now().Add(within))
	b := make([]byte, 1500)
	size, from, err := c.ReadFrom(b)
	if err == nil && (size != len(request) || b[0] != 0 || from.String() != to) {
		err = fmt.Errorf("% x from %s", b[:size], from)
	}
	return err
}

func TestVPCsWithTheSameAddressesCoexist(t *testing.T) {
	one, other := newTestNetwork(t, "a012"), newTestNetwork(t, "a013")
	twins := host.Network{
		VPCs: []desired.VPC{vpc("vpc-1", open), vpc("vpc-2", open)},
		Interfaces: []desired.Interface{
			eni(11, "vpc-1", "sg-open"), eni(12, "vpc-1", "sg-open"),
			eni(11, "vpc-2", "sg-open"), eni(12, "vpc-2", "sg-open"),
		},
	}
	apply(t, one, host.Network{VPCs: twins.VPCs[:1], Interfaces: twins.Interfaces[:2]})
	apply(t, other, twins)
	apply(t, one, twins)
	for name, n := range map[string]*Network{"one": one, "other": other} {
		for _, id := range []string{"vpc-1", "vpc-2"} {
			l, err := n.ListenInterfaceTCP("eni-"+id+"-12", 80)
			if err != nil {
				t.Fatal(err)
			}
			answer(t, l, name+id)
			allowed(t, from(n, "eni-"+id+"-11"), "172.31.0.12:80", name+id)
		}
	}
	// The machine reaches the one that came first, and the next when it is gone.
	allowed(t, fromMachine, "172.31.0.12:80", "onevpc-1")
	apply(t, one, host.Network{VPCs: twins.VPCs[1:], Interfaces: twins.Interfaces[2:]})
	if got, err := ask(fromMachine, longer, "172.31.0.12:80"); err != nil || got == "onevpc-1" {
		t.Errorf("after the first is gone: got %q, %v", got, err)
	}
	apply(t, one, host.Network{})
	apply(t, other, host.Network{VPCs: twins.VPCs[:1], Interfaces: twins.Interfaces[:2]})
	allowed(t, fromMachine, "172.31.0.12:80", "othervpc-1")
	apply(t, other, host.Network{VPCs: twins.VPCs[:1]})
	unreachableFromMachine(t, "172.31.0.12:80")
}

// unreachableFromMachine wants the machine itself to say so, at once.
func unreachableFromMachine(t *testing.T, to string) {
	t.Helper()
	if got, err := ask(fromMachine, longer, to); !errors.Is(err, unix.EHOSTUNREACH) {
		t.Errorf("%s: got %q, %v; want EHOSTUNREACH", to, got, err)
	}
}

func TestRouterServices(t *testing.T) {
	n := newTestNetwork(t, "a014")
	apply(t, n, host.Network{
		VPCs:       []desired.VPC{vpc("vpc-1", desired.SecurityGroup{ID: "sg-none"})},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-none")},
	})
	for _, addr := range []string{"169.254.170.2:80", "169.254.170.2:81", "169.254.169.253:53", "172.31.0.2:53", "169.254.1.1:80"} {
		l, err := n.ListenTCP("vpc-1", netip.MustParseAddrPort(addr))
		if err != nil {
			t.Fatal(err)
		}
		answer(t, l, addr)
	}
	task := from(n, "eni-vpc-1-11")
	for _, addr := range []string{"169.254.170.2:80", "169.254.169.253:53", "172.31.0.2:53"} {
		allowed(t, task, addr, addr)
	}
	denied(t, task, "169.254.170.2:81")
	denied(t, task, "169.254.1.1:80")
	unreachableFromMachine(t, "172.31.0.2:53")

	resolver := listenUDP(t, n, "vpc-1", "172.31.0.2:53")
	client := listenUDP(t, n, "eni-vpc-1-11", "172.31.0.11:5353")
	client.WriteToUDPAddrPort([]byte("question"), netip.MustParseAddrPort("172.31.0.2:53"))
	if text, from := receive(t, resolver); text != "question" || from != "172.31.0.11" {
		t.Errorf("got %q from %s", text, from)
	}
	resolver.WriteToUDPAddrPort([]byte("answer"), netip.MustParseAddrPort("172.31.0.11:5353"))
	if text, from := receive(t, client); text != "answer" || from != "172.31.0.2" {
		t.Errorf("got %q from %s", text, from)
	}
}

// outside makes a namespace beyond the machine, with 203.0.113.1, where the
// machine's default route leads. It has a route for the VPC's addresses, as a
// hostile neighbour would.
func outside(t testing.TB, n *Network) {
	t.Helper()
	m := n.machine
	steps := script{closes: "outside"}
	steps.add("", netnsAdd{"outside"},
		vethAdd{name: "wan0", peer: "eth0", peerNS: "outside"},
		addrAdd{dev: "wan0", prefix: netip.MustParsePrefix("203.0.113.2/24")},
		routeAdd{route: route{to: everywhere, via: netip.MustParseAddr("203.0.113.1"), dev: "wan0"}})
	steps.add("outside", linkUp{"lo"}, linkUp{"eth0"},
		addrAdd{dev: "eth0", prefix: netip.MustParsePrefix("203.0.113.1/24")},
		addrAdd{dev: "lo", prefix: netip.MustParsePrefix("169.254.169.254/32")},
		routeAdd{route: route{to: vpcCIDR, via: netip.MustParseAddr("203.0.113.2"), dev: "eth0"}},
		routeAdd{route: route{to: uplinks, via: netip.MustParseAddr("203.0.113.2"), dev: "eth0"}})
	if err := m.runScript(steps); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := (linkDel{"wan0"}).do(m, m.own); err != nil {
			t.Error(err)
		}
	})
}

func TestInternet(t *testing.T) {
	n, far := newTestNetwork(t, "a015"), newTestNetwork(t, "a016")
	outside(t, far)
	enis := []desired.Interface{
		eni(11, "vpc-1", "sg-open"), eni(12, "vpc-1", "sg-open"), eni(11, "vpc-2", "sg-open"),
	}
	enis[0].Internet, enis[2].Internet = true, true
	apply(t, n, host.Network{VPCs: []desired.VPC{vpc("vpc-1", open), vpc("vpc-2", open)}, Interfaces: enis})
	for _, addr := range []string{"203.0.113.1:80", "169.254.169.254:80"} {
		l, err := far.ListenTCP("outside", netip.MustParseAddrPort(addr))
		if err != nil {
			t.Fatal(err)
		}
		answerWithPeer(t, l)
	}
	serve(t, n, "eni-vpc-1-12", 80)
	own, err := net.Listen("tcp4", "0.0.0.0:80")
	if err != nil {
		t.Fatal(err)
	}
	answer(t, own, "machine")

	// Out, as the machine; the same address in another VPC as well.
	allowed(t, from(n, "eni-vpc-1-11"), "203.0.113.1:80", "203.0.113.2")
	allowed(t, from(n, "eni-vpc-2-11"), "203.0.113.1:80", "203.0.113.2")
	denied(t, from(n, "eni-vpc-1-12"), "203.0.113.1:80")
	// Not to the machine, by any of its addresses, nor to its link-local services.
	link := n.mu.applied.routers["vpc-1"].link
	denied(t, from(n, "eni-vpc-1-11"), "203.0.113.2:80")
	denied(t, from(n, "eni-vpc-1-11"), link.machine.String()+":80")
	if got, err := ask(from(n, "eni-vpc-1-11"), soon, "169.254.169.254:80"); err == nil {
		t.Errorf("the machine's metadata service says %q", got)
	}
	// Not in.
	denied(t, from(far, "outside"), "172.31.0.12:80")
	denied(t, from(far, "outside"), link.router.String()+":80")
	allowed(t, fromMachine, "172.31.0.12:80", "eni-vpc-1-12")
}

// A narrow link beyond the machine is noticed by interfaces: the kernel's
// message that a packet is too big finds its way back through both
// translations.
func TestPathMTU(t *testing.T) {
	n, far := newTestNetwork(t, "a018"), newTestNetwork(t, "a019")
	outside(t, far)
	e := eni(11, "vpc-1", "sg-open")
	e.Internet = true
	apply(t, n, host.Network{VPCs: []desired.VPC{vpc("vpc-1", open)}, Interfaces: []desired.Interface{e}})
	sendMuch(t, n, far, e.ID, "203.0.113.1:80")
}

// sendMuch sends over a link beyond the machine that is narrow.
func sendMuch(t *testing.T, n, far *Network, id, to string) {
	t.Helper()
	link, err := netlink.LinkByName("wan0")
	if err == nil {
		err = netlink.LinkSetMTU(link, 1280)
	}
	if err != nil {
		t.Fatal(err)
	}
	l, err := far.ListenTCP("outside", netip.MustParseAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size = 1 << 20
	go func() {
		c, err := n.DialInterfaceTCP(t.Context(), id, netip.MustParseAddrPort(to))
		if err != nil {
			t.Error(err)
			l.Close()
			return
		}
		defer c.Close()
		c.Write(make([]byte, size))
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(longer))
	if got, err := io.Copy(io.Discard, c); err != nil || got != size {
		t.Errorf("%d bytes of %d came through: %v", got, size, err)
	}
}

// answerWithPeer answers every connection with the address it comes from.
func answerWithPeer(t *testing.T, l net.Listener) {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
			fmt.Fprint(c, host)
			c.Close()
		}
	}()
}

// An interface that is gone is cut off, even if a process holds on to its
// namespace.
func TestRemovedInterfaceIsCutOff(t *testing.T) {
	n := newTestNetwork(t, "a017")
	network := host.Network{
		VPCs:       []desired.VPC{vpc("vpc-1", open)},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-open"), eni(12, "vpc-1", "sg-open")},
	}
	apply(t, n, network)
	serve(t, n, "eni-vpc-1-11", 80)
	serve(t, n, "eni-vpc-1-12", 80)
	held, err := openNamespace(n.NetNS("eni-vpc-1-11"))
	if err != nil {
		t.Fatal(err)
	}
	defer held.close()
	network.Interfaces = network.Interfaces[1:]
	apply(t, n, network)
	unreachableFromMachine(t, "172.31.0.11:80")
	err = held.inside(func() error {
		_, err := ask(fromMachine, soon, "172.31.0.12:80")
		return err
	})
	if err == nil {
		t.Error("an interface that is gone still reaches its neighbour")
	}
	// Its address serves another meanwhile.
	network.Interfaces = append(network.Interfaces, eni(11, "vpc-1", "sg-open"))
	network.Interfaces[1].ID = "eni-new"
	apply(t, n, network)
	serve(t, n, "eni-new", 80)
	allowed(t, from(n, "eni-vpc-1-12"), "172.31.0.11:80", "eni-new")
}
