//go:build e2e

package kernel

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fargo/desired"
	"fargo/host"
)

const (
	soon   = 250 * time.Millisecond // in which what is denied does not happen
	longer = 10 * time.Second       // in which what is allowed does
)

func newTestNetwork(t testing.TB, instance string) *Network {
	t.Helper()
	return newConfigured(t, Config{Instance: instance})
}

func newConfigured(t testing.TB, cfg Config) *Network {
	t.Helper()
	cfg.NetNSDir = t.TempDir() + "/netns"
	n, err := NewNetwork(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Purge(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return n
}

func apply(t testing.TB, n *Network, network host.Network) {
	t.Helper()
	if err := n.Set(t.Context(), network); err != nil {
		t.Fatal(err)
	}
}

var (
	vpcCIDR  = netip.MustParsePrefix("172.31.0.0/16")
	anywhere = netip.MustParsePrefix("0.0.0.0/0")
	allowAll = []desired.Rule{{Protocol: "-1", CIDR: anywhere}}
)

func tcp(port int, cidr string) desired.Rule {
	return desired.Rule{Protocol: "tcp", FromPort: port, ToPort: port, CIDR: netip.MustParsePrefix(cidr)}
}

func eni(n int, vpc string, groups ...string) desired.Interface {
	return desired.Interface{
		ID: fmt.Sprintf("eni-%s-%d", vpc, n), VPC: vpc, Subnet: "subnet-1",
		Prefix:  netip.MustParsePrefix("172.31.0.0/20"),
		Address: netip.AddrFrom4([4]byte{172, 31, byte(n >> 8), byte(n)}), // n from 4: AWS reserves 0 to 3
		MAC:     fmt.Sprintf("02:00:00:00:%02x:%02x", n>>8&0xff, n&0xff),
		Groups:  groups,
	}
}

// serve answers every connection to a port of an interface with the
// interface's id.
func serve(t testing.TB, n *Network, id string, port uint16) {
	t.Helper()
	l, err := n.ListenInterfaceTCP(id, port)
	if err != nil {
		t.Fatal(err)
	}
	answer(t, l, id)
}

func answer(t testing.TB, l net.Listener, text string) {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, text)
			c.Close()
		}
	}()
}

type dialer func(context.Context, netip.AddrPort) (net.Conn, error)

func from(n *Network, id string) dialer {
	return func(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
		return n.DialInterfaceTCP(ctx, id, to)
	}
}

func fromMachine(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp4", to.String())
}

func fromMachine6(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp6", to.String())
}

// ask connects and reads the answer.
func ask(d dialer, within time.Duration, to string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	c, err := d(ctx, netip.MustParseAddrPort(to))
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(within))
	b, err := io.ReadAll(c)
	return string(b), err
}

func allowed(t *testing.T, d dialer, to, answer string) {
	t.Helper()
	if got, err := ask(d, longer, to); err != nil || got != answer {
		t.Errorf("%s: got %q, %v; want %q", to, got, err, answer)
	}
}

func denied(t *testing.T, d dialer, to string) {
	t.Helper()
	got, err := ask(d, soon, to)
	if e := net.Error(nil); !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("%s: got %q, %v; want nothing to come back", to, got, err)
	}
}

func TestSecurityGroups(t *testing.T) {
	n := newTestNetwork(t, "a001")
	network := members(host.Network{
		VPCs: []desired.VPC{{ID: "vpc-1", CIDRs: []netip.Prefix{vpcCIDR}, Groups: []desired.SecurityGroup{
			{ID: "sg-client", Egress: allowAll},
			{ID: "sg-shut", Egress: []desired.Rule{tcp(80, "172.31.0.13/32")}},
			{ID: "sg-web", Egress: allowAll, Ingress: []desired.Rule{
				tcp(80, "0.0.0.0/0"),
				tcp(81, "172.31.0.11/32"),
				{Protocol: "tcp", FromPort: 90, ToPort: 99, Group: "sg-client"},
			}},
		}}},
		Interfaces: []desired.Interface{
			eni(11, "vpc-1", "sg-client"), eni(12, "vpc-1", "sg-shut"), eni(13, "vpc-1", "sg-web"), eni(14, "vpc-1", "sg-web", "sg-client"),
		},
	})
	apply(t, n, network)
	for _, port := range []uint16{80, 81, 95, 100} {
		serve(t, n, "eni-vpc-1-13", port)
	}
	client, shut, both := from(n, "eni-vpc-1-11"), from(n, "eni-vpc-1-12"), from(n, "eni-vpc-1-14")
	allowed(t, client, "172.31.0.13:80", "eni-vpc-1-13")
	allowed(t, client, "172.31.0.13:81", "eni-vpc-1-13")
	allowed(t, client, "172.31.0.13:95", "eni-vpc-1-13")
	denied(t, client, "172.31.0.13:100")
	allowed(t, both, "172.31.0.13:95", "eni-vpc-1-13")
	denied(t, both, "172.31.0.13:81")
	allowed(t, shut, "172.31.0.13:80", "eni-vpc-1-13")
	denied(t, shut, "172.31.0.13:81")
	serve(t, n, "eni-vpc-1-14", 80)
	allowed(t, client, "172.31.0.14:80", "eni-vpc-1-14")
	denied(t, shut, "172.31.0.14:80") // allowed in, but not out
	allowed(t, fromMachine, "172.31.0.13:80", "eni-vpc-1-13")
	denied(t, fromMachine, "172.31.0.13:81")

	unreachableFromMachine(t, "172.31.0.77:80")
}

func TestDatagramsBetweenInterfaces(t *testing.T) {
	n := newTestNetwork(t, "a026")
	apply(t, n, members(host.Network{
		VPCs: []desired.VPC{{ID: "vpc-1", CIDRs: []netip.Prefix{vpcCIDR}, Groups: []desired.SecurityGroup{
			{ID: "sg-1", Egress: allowAll, Ingress: []desired.Rule{{Protocol: "udp", FromPort: 53, ToPort: 53, Group: "sg-1"}}},
		}}},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-1"), eni(12, "vpc-1", "sg-1")},
	}))
	there, err := n.ListenInterfaceUDP("eni-vpc-1-12", 53)
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	here, err := n.DialInterfaceUDP(t.Context(), "eni-vpc-1-11", netip.MustParseAddrPort("172.31.0.12:53"))
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	if _, err := io.WriteString(here, "question"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	there.SetReadDeadline(time.Now().Add(longer))
	size, from, err := there.ReadFrom(b)
	if err != nil || string(b[:size]) != "question" || !strings.HasPrefix(from.String(), "172.31.0.11:") {
		t.Errorf("got %q from %s, %v", b[:size], from, err)
	}
}
