package kernel

import (
	"net/netip"
	"testing"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// What the rules of a router do to a packet and to its answer is what routes, lists and
// groups say, in any VPC.
func TestRulesAreWhatTheVPCSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := randomVPC(t)
		r := newSimulated(t, w)
		for range 20 {
			f := w.randomFlow(t)
			want := w.walk(f)
			got := r.walk(f)
			if got != want {
				t.Fatalf("%+v\nthe rules: %+v\nthe VPC:   %+v\n%+v\n%+v", f, got, want, w.vpc, w.interfaces)
			}
		}
	})
}

// Whatever groups and lists say, the ends of every link with IPv6 learn each other's
// hardware address; and nothing else of ICMPv6 gets to the router.
func TestNeighborsFindEachOther(t *testing.T) {
	const solicitation, advertisement, router, redirect = 135, 136, 134, 137
	everyone := netip.MustParseAddr("ff02::1:ff00:1")
	rapid.Check(t, func(t *rapid.T) {
		w := randomVPCOf(t, true)
		r := newSimulated(t, w)
		own := map[string]netip.Addr{machineLink: uplink6Machine, "peer": peering6[1]}
		for _, e := range w.interfaces {
			if e.IPv6.IsValid() {
				own[r.cfg.portName(e.ID)] = e.IPv6
			}
		}
		link := rapid.SampledFrom(sorted(own)).Draw(t, "link")
		src := rapid.SampledFrom([]netip.Addr{own[link], netip.MustParseAddr("fe80::5")}).Draw(t, "source")
		dst := rapid.SampledFrom([]netip.Addr{everyone, gateway6}).Draw(t, "destination")
		kind := rapid.SampledFrom([]uint16{solicitation, advertisement, router, redirect}).Draw(t, "type")
		p := packet{iif: link, saddr: src, daddr: dst, dport: kind, proto: unix.IPPROTO_ICMPV6}
		end := r.arrive(p)
		if wanted := kind == solicitation || kind == advertisement; (end == didAccept) != wanted {
			t.Errorf("from %s: %+v: %s", link, p, end)
		}
		if end := r.depart(packet{oif: link, saddr: gateway6, daddr: everyone, dport: solicitation, proto: unix.IPPROTO_ICMPV6}); end != didAccept {
			t.Errorf("to %s: %s", link, end)
		}
	})
}

// The machine gets what routers answer it, at whichever of its addresses, and nothing
// else of them.
func TestMachineFindsItsNeighbors(t *testing.T) {
	cfg, err := Config{Instance: "1a2b"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	link := uplinkNumber(0)
	rules := machineRules(cfg, []uplink{link}, map[netip.Addr]public{vpc6.Addr(): {"vpc-1", link, "eni-1"}})
	for _, to := range []netip.Addr{link.machine6("1a2b"), uplink6Machine, netip.MustParseAddr("ff02::1")} {
		for kind, want := range map[uint16]string{134: didDrop, 135: didAccept, 136: didAccept, 128: didDrop, 137: didDrop} {
			p := packet{iif: cfg.uplinkName(link), saddr: uplink6Router, daddr: to, dport: kind, proto: unix.IPPROTO_ICMPV6}
			in := interpreter{rules: rules, p: &p, ct: &connection{untracked: true}}
			if got := in.hook(nftables.ChainHookInput, -400, 400, nftables.ChainTypeFilter); got != want {
				t.Errorf("type %d to %s: %s", kind, to, got)
			}
		}
	}
}
