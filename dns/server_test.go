package dns

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"fargo/desired"
)

// A loopback is a Network whose routers are ports of this machine: what would
// be an address in a router is a pair of sockets on loopback.
type loopback struct {
	mu   sync.Mutex
	gone map[string]bool // VPCs without a router
	made map[string]*pair
}

type pair struct {
	udp *net.UDPConn
	tcp net.Listener
	// ports are those the sockets have here, by network: they stay when a socket
	// is closed, so that an address that is taken is taken here too.
	ports map[string]int
}

func newLoopback(gone ...string) *loopback {
	l := &loopback{gone: map[string]bool{}, made: map[string]*pair{}}
	for _, vpc := range gone {
		l.gone[vpc] = true
	}
	return l
}

func place4(vpc string, addr netip.AddrPort) string { return vpc + " " + addr.String() }

// at gives the pair for an address, and makes it when there is a router.
func (l *loopback) at(vpc string, addr netip.AddrPort) (*pair, error) {
	if l.gone[vpc] {
		return nil, os.ErrNotExist
	}
	key := place4(vpc, addr)
	if l.made[key] == nil {
		l.made[key] = &pair{ports: map[string]int{}}
	}
	return l.made[key], nil
}

func (l *loopback) ListenUDP(vpc string, addr netip.AddrPort) (*net.UDPConn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := l.at(vpc, addr)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: p.ports["udp"]})
	if err != nil {
		return nil, err
	}
	p.udp, p.ports["udp"] = c, c.LocalAddr().(*net.UDPAddr).Port
	return c, nil
}

func (l *loopback) ListenTCP(vpc string, addr netip.AddrPort) (net.Listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, err := l.at(vpc, addr)
	if err != nil {
		return nil, err
	}
	c, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: p.ports["tcp"]})
	if err != nil {
		return nil, err
	}
	p.tcp, p.ports["tcp"] = c, c.Addr().(*net.TCPAddr).Port
	return c, nil
}

// arrive makes the router of a VPC; one that is there is replaced.
func (l *loopback) arrive(vpc string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.gone, vpc)
	for key := range l.made {
		if strings.HasPrefix(key, vpc+" ") {
			delete(l.made, key)
		}
	}
}

// ask asks as a task in the VPC would; "" is no answer.
func (l *loopback) ask(network, vpc, server, name string) string {
	l.mu.Lock()
	p := l.made[place4(vpc, netip.AddrPortFrom(netip.MustParseAddr(server), port))]
	port := 0
	if p != nil {
		port = p.ports[network]
	}
	l.mu.Unlock()
	if port == 0 {
		return ""
	}
	client := dns.Client{Net: network, Timeout: time.Second}
	m, _, err := client.Exchange(new(dns.Msg).SetQuestion(name+".", dns.TypeA), fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return ""
	}
	answer := dns.RcodeToString[m.Rcode]
	for _, rr := range m.Answer {
		answer += " " + rr.(*dns.A).A.String()
	}
	return answer
}

// eventually waits until a question has this answer.
func (l *loopback) eventually(t *testing.T, network, vpc, server, name, want string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	got := ""
	for time.Now().Before(deadline) {
		if got = l.ask(network, vpc, server, name); got == want {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s asks %s by %s for %s: %q, want %q", vpc, server, network, name, got, want)
}

// run runs a server until the test ends, and sees that it does.
func run(t *testing.T, s *Server) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func vpc(id, cidr string) desired.VPC {
	return desired.VPC{ID: id, Region: "us-east-1", CIDRs: []netip.Prefix{netip.MustParsePrefix(cidr)}, DNS: true}
}

func quiet() Config {
	return Config{Upstream: func() []netip.AddrPort { return nil }, Logger: slog.New(slog.DiscardHandler)}
}

const balancerName = "api-1234567890.us-east-1.elb.amazonaws.com"

func TestServerAnswersInEveryVPC(t *testing.T) {
	l := newLoopback()
	cfg := quiet()
	cfg.Network = l
	s := New(cfg)
	s.Set([]desired.VPC{vpc("vpc-1", "172.31.0.0/16"), vpc("vpc-2", "10.0.0.0/16")}, names(balancerName, "172.31.0.10"), nil)
	run(t, s)
	for _, network := range []string{"udp", "tcp"} {
		for _, at := range [][2]string{{"vpc-1", "169.254.169.253"}, {"vpc-1", "172.31.0.2"}, {"vpc-2", "169.254.169.253"}, {"vpc-2", "10.0.0.2"}} {
			l.eventually(t, network, at[0], at[1], balancerName, "NOERROR 172.31.0.10")
		}
		// Each VPC has its own private names.
		l.eventually(t, network, "vpc-2", "10.0.0.2", "ip-10-0-0-7.ec2.internal", "NOERROR 10.0.0.7")
		l.eventually(t, network, "vpc-1", "172.31.0.2", "ip-10-0-0-7.ec2.internal", "NXDOMAIN")
	}
	// A new name is there with Set, not some time after.
	s.Set([]desired.VPC{vpc("vpc-1", "172.31.0.0/16")}, names(balancerName, "172.31.0.11"), nil)
	if got := l.ask("udp", "vpc-1", "172.31.0.2", balancerName); got != "NOERROR 172.31.0.11" {
		t.Errorf("after Set: %q", got)
	}
	// And a VPC that is gone is let go of.
	for _, network := range []string{"udp", "tcp"} {
		if got := l.ask(network, "vpc-2", "10.0.0.2", balancerName); got != "" {
			t.Errorf("gone: %q", got)
		}
	}
}

// enableDnsSupport false: "the Amazon-provided DNS server is not enabled".
// Source: Amazon VPC user guide, "DNS attributes for your VPC".
func TestServerDoesNotListenWithoutDNS(t *testing.T) {
	l := newLoopback()
	cfg := quiet()
	cfg.Network = l
	s := New(cfg)
	on, off := vpc("vpc-1", "172.31.0.0/16"), vpc("vpc-2", "10.0.0.0/16")
	s.Set([]desired.VPC{on, off}, names(balancerName, "172.31.0.10"), nil)
	run(t, s)
	l.eventually(t, "udp", "vpc-2", "10.0.0.2", balancerName, "NOERROR 172.31.0.10")
	off.DNS = false
	s.Set([]desired.VPC{on, off}, names(balancerName, "172.31.0.10"), nil)
	l.eventually(t, "udp", "vpc-2", "10.0.0.2", balancerName, "")
	l.eventually(t, "udp", "vpc-1", "172.31.0.2", balancerName, "NOERROR 172.31.0.10")
}

// The router comes after the server knows of it, and may be replaced by
// another without anybody saying so.
func TestServerFollowsRouters(t *testing.T) {
	l := newLoopback("vpc-1")
	cfg := quiet()
	cfg.Network = l
	s := New(cfg)
	both := func() {
		s.Set([]desired.VPC{vpc("vpc-1", "172.31.0.0/16"), vpc("vpc-2", "10.0.0.0/16")}, names(balancerName, "172.31.0.10"), nil)
	}
	both()
	run(t, s)
	l.eventually(t, "udp", "vpc-2", "10.0.0.2", balancerName, "NOERROR 172.31.0.10")
	l.arrive("vpc-1")
	l.eventually(t, "udp", "vpc-1", "172.31.0.2", balancerName, "NOERROR 172.31.0.10")
	l.eventually(t, "tcp", "vpc-1", "169.254.169.253", balancerName, "NOERROR 172.31.0.10")

	l.arrive("vpc-1")
	both() // else the next look is some seconds away
	l.eventually(t, "udp", "vpc-1", "172.31.0.2", balancerName, "NOERROR 172.31.0.10")
	l.eventually(t, "tcp", "vpc-1", "169.254.169.253", balancerName, "NOERROR 172.31.0.10")
}

// An address that another program has is not a reason to give up the others.
func TestServerListensWhereItCan(t *testing.T) {
	l := newLoopback()
	taken := netip.MustParseAddrPort("172.31.0.2:53")
	if _, err := l.ListenUDP("vpc-1", taken); err != nil {
		t.Fatal(err)
	}
	blocker := l.made[place4("vpc-1", taken)].udp
	defer blocker.Close()
	cfg := quiet()
	cfg.Network = l
	s := New(cfg)
	s.Set([]desired.VPC{vpc("vpc-1", "172.31.0.0/16")}, names(balancerName, "172.31.0.10"), nil)
	run(t, s)
	l.eventually(t, "udp", "vpc-1", "169.254.169.253", balancerName, "NOERROR 172.31.0.10")
	l.eventually(t, "tcp", "vpc-1", "172.31.0.2", balancerName, "NOERROR 172.31.0.10")
	if err := blocker.Close(); err != nil {
		t.Fatal(err)
	}
	l.eventually(t, "udp", "vpc-1", "172.31.0.2", balancerName, "NOERROR 172.31.0.10")
}

func TestServerUpdatesTheHostsFile(t *testing.T) {
	h := hostsFile(t, "127.0.0.1 localhost\n172.31.0.9\told.example\t# fargo 1a2b\n")
	cfg := quiet()
	cfg.Network, cfg.Hosts = newLoopback(), h
	s := New(cfg)
	run(t, s)
	for _, address := range []string{"172.31.0.10", "172.31.0.11"} {
		s.Set(nil, names(balancerName, address), nil)
		want := "127.0.0.1 localhost\n" + address + "\t" + balancerName + "\t# fargo 1a2b\n"
		deadline := time.Now().Add(20 * time.Second)
		for text := ""; text != want; {
			b, err := os.ReadFile(h.Path)
			if text = string(b); time.Now().After(deadline) {
				t.Fatalf("%v:\n%s\nwant:\n%s", err, text, want)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func TestResolvConf(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	r := &ResolvConf{Path: filepath.Join(dir, "resolv.conf"), Fallback: filepath.Join(dir, "behind")}
	check := func(want ...string) {
		t.Helper()
		var got []string
		for _, a := range r.Servers() {
			got = append(got, a.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("servers %v, want %v", got, want)
		}
	}
	check()
	write("resolv.conf", "# nameserver 192.0.2.9\n; x\nsearch a.example\nnameserver 192.0.2.1\nnameserver\t2001:db8::1 # two\nnameserver x\noptions edns0\n")
	check("192.0.2.1:53", "[2001:db8::1]:53")
	write("resolv.conf", "nameserver 127.0.0.53\n")
	check("127.0.0.53:53")
	write("behind", "nameserver 192.0.2.2\n")
	check("192.0.2.2:53")
	write("resolv.conf", "nameserver 127.0.0.53\nnameserver 192.0.2.3\n")
	check("127.0.0.53:53", "192.0.2.3:53")
	if err := os.Remove(r.Path); err != nil {
		t.Fatal(err)
	}
	check()
}
