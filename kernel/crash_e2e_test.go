//go:build e2e

package kernel

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// footprint is all there is to see of networks on the machine.
func footprint(t *testing.T) []string {
	t.Helper()
	var out []string
	links, err := netlink.LinkList()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range links {
		out = append(out, "link "+l.Attrs().Name)
	}
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		routes, err := netlink.RouteListFiltered(family, &netlink.Route{}, netlink.RT_FILTER_TABLE) // of all tables
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range routes {
			out = append(out, "route "+r.String())
		}
	}
	tables, err := new(nftables.Conn).ListTables()
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		out = append(out, "table "+table.Name)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); strings.Contains(line, "nsfs") || strings.Contains(line, "fargo") || strings.Contains(line, "netns") {
			out = append(out, "mount "+f[4])
		}
	}
	slices.Sort(out)
	return out
}

var (
	before = host.Network{
		VPCs:       []desired.VPC{vpc("vpc-1", open), vpc("vpc-2", open)},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-open"), eni(12, "vpc-1", "sg-open"), eni(13, "vpc-2", "sg-open")},
	}
	after = host.Network{
		VPCs: []desired.VPC{{ID: "vpc-1", CIDRs: []netip.Prefix{vpcCIDR, netip.MustParsePrefix("100.64.0.0/16")}, Groups: []desired.SecurityGroup{open}}},
		Interfaces: []desired.Interface{
			eni(12, "vpc-1", "sg-open"),
			func() desired.Interface { e := eni(11, "vpc-1", "sg-open"); e.ID = "eni-successor"; return e }(),
		},
	}
)

// A process that is killed between any two steps leaves nothing that the next
// does not adopt or remove.
func TestKilledAtAnyStep(t *testing.T) { killAtAnyStep(t, "a020", 1, before, after, checkAfter) }

// killAtAnyStep kills processes on the way from one network to another, and from
// nothing to it at one of so many steps.
func killAtAnyStep(t *testing.T, instance string, fromNothing int, before, after host.Network, check func(*testing.T, *Network, string)) {
	clean := footprint(t)
	dir := t.TempDir() + "/fargo/netns"
	start := func() *Network {
		n, err := NewNetwork(Config{Instance: instance, NetNSDir: dir, Public: publicRange, Public6: publicRange6})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for cut, steps := 0, 1; cut < steps; cut++ {
		killed := start()
		apply(t, killed, before)
		steps = runSome(t, killed, after, cut)
		killed.Close()

		successor := start()
		apply(t, successor, after)
		check(t, successor, fmt.Sprintf("after %d steps", cut))
		successor.Close()

		// And the same with nothing there before.
		if cut%fromNothing == 0 {
			killed = start()
			if err := killed.Purge(t.Context()); err != nil {
				t.Fatal(err)
			}
			killed = start()
			runSome(t, killed, after, cut)
			killed.Close()
			successor = start()
			apply(t, successor, after)
			check(t, successor, fmt.Sprintf("after %d first steps", cut))
			successor.Close()
		}

		// Half a plan is also purged.
		successor = start()
		apply(t, successor, after)
		runSome(t, successor, before, cut)
		if err := successor.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(clean, footprint(t)); d != "" {
			t.Fatalf("after %d steps and a purge: %s", cut, d)
		}
		if t.Failed() {
			return
		}
	}
}

// runSome begins to make the machine have a network, and gives up after that
// many steps. It returns how many there are.
func runSome(t *testing.T, n *Network, network host.Network, cut int) (steps int) {
	t.Helper()
	links, err := n.uplinks(n.mu.applied, network.VPCs)
	if err != nil {
		t.Fatal(err)
	}
	next, refused := newLayout(n.cfg, n.mu.applied, network, links)
	if len(refused) > 0 {
		t.Fatal(refused)
	}
	for _, phase := range makePlan(n.cfg, n.mu.applied, next, nil) {
		for _, s := range phase {
			for i := range s.steps {
				if steps++; steps > cut {
					continue
				}
				if err := n.machine.runScript(script{steps: s.steps[i : i+1], closes: s.closes}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	n.mu.applied = nil
	return steps
}

func checkAfter(t *testing.T, n *Network, when string) {
	t.Helper()
	l, err := n.ListenInterfaceTCP("eni-successor", 80)
	if err != nil {
		t.Fatal(when, err)
	}
	defer l.Close()
	answer(t, l, "successor")
	for _, d := range []dialer{from(n, "eni-vpc-1-12"), fromMachine} {
		if got, err := ask(d, longer, "172.31.0.11:80"); err != nil || got != "successor" {
			t.Errorf("%s: got %q, %v", when, got, err)
		}
	}
	unreachableFromMachine(t, "172.31.0.13:80")
	links, err := observeLinks(n.machine.own)
	if err != nil {
		t.Fatal(err)
	}
	if ours := n.machine.ownLinks(links); len(ours) != 1 {
		t.Errorf("%s: links %v", when, ours)
	}
	entries, err := os.ReadDir(n.cfg.NetNSDir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 3 {
		t.Errorf("%s: namespaces %v", when, entries)
	}
}

// What is in the way is not ours to respect if it carries our name.
func TestJunkIsRepaired(t *testing.T) {
	clean := footprint(t)
	n := newTestNetwork(t, "a021")
	apply(t, n, before)
	n.Close()

	n, err := NewNetwork(n.cfg)
	if err != nil {
		t.Fatal(err)
	}
	m := n.machine
	id := "eni-vpc-1-12"
	junk := []step{
		{"vpc-1", linkDel{n.cfg.portName("eni-vpc-1-11")}},                          // a link is lost
		{"", netnsAdd{"junk"}},                                                      // nobody's namespace
		{"vpc-1", linkDel{n.cfg.portName(id)}},                                      // a link leads elsewhere
		{"vpc-1", vethAdd{name: n.cfg.portName(id), peer: "junk0", peerNS: "junk"}}, //
		{"vpc-1", routeAdd{route: route{to: single(netip.MustParseAddr("172.31.0.66")), dev: n.cfg.portName(id)}}}, // a route to nobody
		{"vpc-1", addrAdd{dev: "lo", prefix: netip.MustParsePrefix("172.31.0.66/32")}},                             // an address of nobody
		{"vpc-1", tableDel{routerTable}},  // no filter
		{"", tableDel{n.cfg.tableName()}}, //
		{"", unreachable(netip.MustParsePrefix("10.77.0.0/16"), n.cfg.unreachableMetric())},                  // a CIDR of nobody
		{"", vethAdd{name: n.cfg.linkPrefix() + "junk", peer: "junk1", peerNS: "junk"}},                      // a link of nobody
		{"eni-vpc-1-11", routeDel{route{to: everywhere, via: gatewayAddress, dev: "eth0", onlink: true}}},    // gone with its link
		{"vpc-2", routeDel{route{to: everywhere, via: uplinkNumber(0).machine, dev: "host1", onlink: true}}}, // never was
		{"vpc-2", linkDel{machineLink}}, // no way to the machine
	}
	for _, s := range junk {
		if err := m.runScript(script{steps: []step{s}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(m.path("eni-half"), nil, 0o444); err != nil { // made, and not yet bound
		t.Fatal(err)
	}
	apply(t, n, before)
	for _, id := range []string{"eni-vpc-1-11", "eni-vpc-1-12", "eni-vpc-2-13"} {
		serve(t, n, id, 80)
	}
	allowed(t, from(n, "eni-vpc-1-11"), "172.31.0.12:80", "eni-vpc-1-12")
	allowed(t, from(n, "eni-vpc-1-12"), "172.31.0.11:80", "eni-vpc-1-11")
	allowed(t, fromMachine, "172.31.0.13:80", "eni-vpc-2-13")
	unreachableFromMachine(t, "172.31.0.66:80")
	seen, err := m.observe(n.mu.applied)
	if err != nil {
		t.Fatal(err)
	}
	if s := prune(n.cfg, seen, n.mu.applied); len(s.steps) != 0 {
		t.Errorf("still there: %s", plan{{s}})
	}
	if err := n.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(clean, footprint(t)); d != "" {
		t.Error(d)
	}
}

// Rules change under traffic: what both the old and the new rules allow never
// fails, what neither allows never passes.
func TestRulesChangeAtomically(t *testing.T) {
	n := newTestNetwork(t, "a022")
	network := func(i int) host.Network {
		server := desired.SecurityGroup{ID: "sg-server", Egress: allowAll, Ingress: []desired.Rule{tcp(80, "0.0.0.0/0"), tcp(1000+i%7, "0.0.0.0/0")}}
		if i%2 == 0 {
			server.Ingress = []desired.Rule{tcp(80, "172.31.0.0/16")}
		}
		out := host.Network{
			VPCs:       []desired.VPC{vpc("vpc-1", server, open)},
			Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-open"), eni(12, "vpc-1", "sg-server")},
		}
		if i%3 == 0 { // the server is in two groups at times: another chain
			out.Interfaces[1].Groups = []string{"sg-server", "sg-none"}
			out.VPCs[0].Groups = append(out.VPCs[0].Groups, desired.SecurityGroup{ID: "sg-none"})
		}
		return out
	}
	apply(t, n, network(0))
	serve(t, n, "eni-vpc-1-12", 80)
	serve(t, n, "eni-vpc-1-12", 99)

	var stop atomic.Bool
	done := make(chan error, 2)
	go func() {
		for !stop.Load() {
			// Once in many thousands a packet meets the rules of before and the
			// elements of after, on a processor that was taken away in between; it is
			// sent again after a second. Two in a row are not lost.
			if _, err := ask(from(n, "eni-vpc-1-11"), longer/4, "172.31.0.12:80"); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	go func() {
		for !stop.Load() {
			if got, err := ask(from(n, "eni-vpc-1-11"), soon/10, "172.31.0.12:99"); err == nil {
				done <- fmt.Errorf("port 99 says %q", got)
				return
			}
		}
		done <- nil
	}()
	for i := range 200 {
		if i%10 == 0 {
			n.mu.applied = nil // as after a restart
		}
		apply(t, n, network(i))
	}
	stop.Store(true)
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// What makes no sense is left out and named; what is there stays.
func TestSetLeavesOutWhatItRefuses(t *testing.T) {
	n := newTestNetwork(t, "a023")
	apply(t, n, before)
	clean := footprint(t)
	wrong := before
	stray := eni(99, "vpc-none", "sg-open")
	wrong.Interfaces = append(slices.Clone(before.Interfaces), stray)
	var failed host.Failures
	if err := n.Set(t.Context(), wrong); !errors.As(err, &failed) || len(failed) != 1 || failed[stray.ID] == nil {
		t.Errorf("the error is %v", err)
	}
	if n.mu.applied == nil {
		t.Error("what was refused made us forget what there is")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Set(ctx, host.Network{}); err == nil {
		t.Error("Set ran with a context that was done")
	}
	if d := cmp.Diff(clean, footprint(t)); d != "" {
		t.Error(d)
	}
}

// An interface that the kernel will not make does not keep others from it.
func TestSetGoesOnAfterFailure(t *testing.T) {
	n := newTestNetwork(t, "a025")
	apply(t, n, before)
	// Where its namespace should be bound, something else is.
	bad, good := eni(98, "vpc-1", "sg-open"), eni(97, "vpc-1", "sg-open")
	if err := os.Mkdir(n.NetNS(bad.ID), 0o700); err != nil {
		t.Fatal(err)
	}
	more := before
	more.Interfaces = append(slices.Clone(before.Interfaces), bad, good)
	var failed host.Failures
	if err := n.Set(t.Context(), more); !errors.As(err, &failed) || len(failed) != 1 || failed[bad.ID] == nil {
		t.Errorf("the error is %v", err)
	}
	serve(t, n, good.ID, 80)
	if err := os.Remove(n.NetNS(bad.ID)); err != nil {
		t.Fatal(err)
	}
	apply(t, n, more)
	serve(t, n, bad.ID, 80)
}

// A new process looks around while the kernel still takes down what the old one
// let go of, and lists change as they are read.
func TestRecoverWhileLinksGo(t *testing.T) {
	n := newTestNetwork(t, "a024")
	apply(t, n, crowd(150))
	apply(t, n, crowd(5))
	n.mu.applied = nil
	apply(t, n, crowd(5))
}
