//go:build e2e

package kernel

import (
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"

	"fargo/desired"
	"fargo/host"
)

// observed makes a VPC with two interfaces that may reach each other, 11 and 12, and
// observes its flows.
func observed(t *testing.T, instance string) (*Network, host.FlowObserver) {
	t.Helper()
	n := newTestNetwork(t, instance)
	apply(t, n, members(host.Network{
		VPCs: []desired.VPC{{ID: "vpc-1", CIDRs: []netip.Prefix{vpcCIDR}, Groups: []desired.SecurityGroup{
			{ID: "sg-1", Egress: allowAll, Ingress: []desired.Rule{tcp(80, "172.31.0.0/16"), tcp(99, "172.31.0.0/16")}},
		}}},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-1"), eni(12, "vpc-1", "sg-1")},
	}))
	o, err := n.ObserveFlows("vpc-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.Close() })
	return n, o
}

// next waits for an event that is as wanted.
func next(t *testing.T, o host.FlowObserver, what string, wanted func(host.FlowEvent) bool) host.FlowEvent {
	t.Helper()
	late := time.After(longer)
	for {
		select {
		case e, ok := <-o.Events():
			if !ok {
				t.Fatalf("%s: the observer has ended", what)
			}
			if wanted(e) {
				return e
			}
		case <-late:
			t.Fatalf("no %s in %s", what, longer)
		}
	}
}

// A connection is reported when it begins, listed with what it has carried, and
// reported with all of that when it ends.
func TestFlowsAreObserved(t *testing.T) {
	n, o := observed(t, "a041")
	l, err := n.ListenInterfaceTCP("eni-vpc-1-12", 80)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	to := netip.MustParseAddrPort("172.31.0.12:80")
	c, err := n.DialInterfaceTCP(t.Context(), "eni-vpc-1-11", to)
	if err != nil {
		t.Fatal(err)
	}
	there, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	begun := next(t, o, "beginning", func(e host.FlowEvent) bool { return e.Begun != nil && e.Begun.Original.Destination == to }).Begun
	if a := begun.Original.Source.Addr().String(); a != "172.31.0.11" || begun.Protocol != 6 {
		t.Errorf("begun: %+v", begun)
	}
	if _, err := io.WriteString(c, "0123456789"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(there, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	flows, err := o.Flows()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flows {
		// A SYN and an ACK and 10 bytes with headers of 40 at least; a SYN and an ACK.
		if f.ID == begun.ID && f.Sent.Packets >= 3 && f.Sent.Bytes >= 130 && f.Answered.Packets >= 1 && f.Answered.Bytes >= 40 {
			return
		}
	}
	t.Errorf("not in the list with its traffic: %+v in %+v", begun, flows)
}

func TestEndsOfFlowsAreObserved(t *testing.T) {
	n, o := observed(t, "a042")
	serve(t, n, "eni-vpc-1-12", 80)
	to := netip.MustParseAddrPort("172.31.0.12:80")
	allowed(t, from(n, "eni-vpc-1-11"), to.String(), "eni-vpc-1-12")
	begun := next(t, o, "beginning", func(e host.FlowEvent) bool { return e.Begun != nil && e.Begun.Original.Destination == to }).Begun
	// The tracker remembers an ended connection for two minutes, if it may.
	if err := n.inside("vpc-1", func() error { return netlink.ConntrackTableFlush(netlink.ConntrackTable) }); err != nil {
		t.Fatal(err)
	}
	ended := next(t, o, "end", func(e host.FlowEvent) bool { return e.Ended != nil && e.Ended.ID == begun.ID }).Ended
	if ended.Sent.Packets < 4 || ended.Answered.Packets < 3 || ended.Answered.Bytes < 3*40+uint64(len("eni-vpc-1-12")) {
		t.Errorf("ended: %+v", ended)
	}
}

// What the packet filter drops is reported with the packet's headers.
func TestRejectionsAreObserved(t *testing.T) {
	n, o := observed(t, "a043")
	ns, err := openNamespace(n.machine.path("vpc-1"))
	if err != nil {
		t.Fatal(err)
	}
	defer ns.close()
	conn, err := ns.nft()
	if err != nil {
		t.Fatal(err)
	}
	h := hook{nftables.ChainTypeFilter, "forward", nftables.ChainHookForward, -20, nftables.ChainPolicyAccept}
	rules := ruleset{table: "test", chains: map[string]chain{
		"forward": {hook: &h, rules: []rule{{ports(6, 99, 99), logRejected(rejectedInbound), drop}}},
	}}
	if err := commit(conn, diffRulesets(nil, rules)); err != nil {
		t.Fatal(err)
	}
	denied(t, from(n, "eni-vpc-1-11"), "172.31.0.12:99")
	r := next(t, o, "rejection", func(e host.FlowEvent) bool { return e.Rejected != nil }).Rejected
	want := host.Rejection{
		Protocol: 6, Bytes: r.Bytes, TCPFlags: 2, Inbound: true,
		Tuple: host.Tuple{Source: netip.AddrPortFrom(netip.MustParseAddr("172.31.0.11"), r.Source.Port()), Destination: netip.MustParseAddrPort("172.31.0.12:99")},
	}
	if *r != want || r.Bytes < 40 || r.Source.Port() == 0 {
		t.Errorf("got %+v, want %+v", *r, want)
	}
}

// An observer that is closed lets go of the namespace, whatever is under way.
func TestClosedObserverEnds(t *testing.T) {
	n, o := observed(t, "a044")
	serve(t, n, "eni-vpc-1-12", 80)
	for range 20 {
		allowed(t, from(n, "eni-vpc-1-11"), "172.31.0.12:80", "eni-vpc-1-12")
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	for range o.Events() { // until it is closed
	}
}
