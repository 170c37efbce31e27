package kernel

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"pgregory.net/rapid"

	"fargo/desired"
)

// simulated is a router whose rules an interpreter runs.
type simulated struct {
	w     slowly
	cfg   Config
	rules ruleset
	ports map[netip.Addr]string // its links to interfaces
	peers []peer
}

func newSimulated(t *rapid.T, w slowly) simulated {
	cfg, err := Config{Instance: "1a2b"}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r := simulated{w: w, cfg: cfg, ports: map[netip.Addr]string{}}
	r.peers = []peer{{vpc: "vpc-2", link: "peer", mark: peerMark(1), cidrs: w.peer, groups: w.others, ipv6: len(w.peer) > 1 && hasIPv6(w.vpc)}}
	r.rules, err = routerRules(cfg, w.vpc, uplinkNumber(0), r.peers, w.interfaces)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range w.interfaces {
		for _, a := range e.Addresses() {
			r.ports[a] = cfg.portName(e.ID)
		}
	}
	return r
}

// walk is the walk of a flow and its answer through the rules.
func (r simulated) walk(f flow) walked {
	iif := map[string]string{"outside": machineLink, "machine": machineLink, "peer": "peer"}[f.from]
	if iif == "" {
		iif = r.cfg.portName(f.from)
	}
	var ct connection
	left, end := r.forward(packet{iif: iif, saddr: f.src, daddr: f.dst, sport: f.sport, dport: f.dport, proto: f.proto}, &ct)
	if end != didAccept {
		return walked{end: end}
	}
	out := walked{end: "delivered", to: left.daddr, seen: left.saddr}
	switch left.oif {
	case machineLink:
		out.end, out.to = "beyond", netip.Addr{}
	case "peer":
		out.end, out.to = "peer", netip.Addr{}
	}
	r.recognize(left, &out)
	ct.known = true
	answer, end := r.forward(packet{
		iif: left.oif, saddr: left.daddr, daddr: left.saddr, sport: left.dport, dport: left.sport, proto: left.proto,
	}, &ct)
	out.answered = end == didAccept && answer.daddr == f.src && answer.saddr == f.dst && answer.oif == iif
	return out
}

// recognize says which NAT gateway a packet has passed; whichever of its addresses was
// chosen, the first stands for them.
func (r simulated) recognize(left packet, out *walked) {
	for _, g := range r.w.vpc.NATGateways {
		for _, a := range g.Addresses {
			switch left.saddr {
			case a.Private:
				out.nat, out.seen = g.ID, g.Addresses[0].Private
			case a.Public:
				out.nat, out.seen = g.ID, g.Addresses[0].Public
			}
		}
	}
	if out.seen == uplinkNumber(0).router && left.mark>>16 != 0 {
		i := slices.IndexFunc(r.w.vpc.NATGateways, func(g desired.NATGateway) bool { return uint32(natMark(r.w.vpc, g.ID))>>16 == left.mark>>16 })
		out.nat = r.w.vpc.NATGateways[i].ID
	}
}

func natMark(v desired.VPC, id string) mark {
	var ids []string
	for _, g := range v.NATGateways {
		ids = append(ids, g.ID)
	}
	return gatewayMark(numbers(slices.Sorted(slices.Values(ids)), gatewayCount)[id])
}

// forward runs a packet through the router. It says where the packet leaves.
func (r simulated) forward(p packet, ct *connection) (packet, string) {
	in := interpreter{rules: r.rules, p: &p, ct: ct}
	if !ct.known {
		ct.from, ct.to = p.saddr, p.daddr
	}
	if end := in.hook(nftables.ChainHookPrerouting, -400, 0, nftables.ChainTypeFilter); end != didAccept {
		return p, end
	}
	if !ct.known {
		in.hook(nftables.ChainHookPrerouting, -400, 0, nftables.ChainTypeNAT)
	} else if ct.snat.IsValid() {
		p.daddr = ct.from
	}
	p.oif = cmp.Or(r.ports[p.daddr], machineLink)
	for _, other := range r.peers {
		if p.mark&uint32(hopMask) == uint32(other.mark) && (p.daddr.Is4() || other.ipv6) {
			p.oif = other.link
		}
	}
	if end := in.hook(nftables.ChainHookForward, -400, 400, nftables.ChainTypeFilter); end != didAccept {
		return p, end
	}
	if !ct.known {
		in.hook(nftables.ChainHookPostrouting, -400, 400, nftables.ChainTypeNAT)
	} else if ct.dnat.IsValid() {
		p.saddr = ct.to
	}
	end := in.hook(nftables.ChainHookPostrouting, -400, 400, nftables.ChainTypeFilter)
	return p, end
}

// arrive runs a packet to the router itself, of no connection.
func (r simulated) arrive(p packet) string {
	in := interpreter{rules: r.rules, p: &p, ct: &connection{untracked: true}}
	if end := in.hook(nftables.ChainHookPrerouting, -400, 0, nftables.ChainTypeFilter); end != didAccept {
		return end
	}
	return in.hook(nftables.ChainHookInput, -400, 400, nftables.ChainTypeFilter)
}

// depart runs a packet of the router itself, of no connection.
func (r simulated) depart(p packet) string {
	in := interpreter{rules: r.rules, p: &p, ct: &connection{untracked: true}}
	return in.hook(nftables.ChainHookPostrouting, -400, 400, nftables.ChainTypeFilter)
}
