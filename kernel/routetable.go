package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"fargo/desired"
)

// Chains of routers, besides those of groups, lists, subnets, tables and gateways.
const (
	chainVPC      = "vpc"         // to an address of the VPC
	chainInternet = "internet"    // to the Internet gateway
	chainEgress   = "egress-only" // to an egress-only Internet gateway
	chainService  = "service"     // to a gateway endpoint
)

func chainFrom(subnet string) string    { return subnet + "-out" }
func chainInto(subnet string) string    { return subnet + "-in" }
func chainToPeer(vpc string) string     { return "to-" + vpc }
func chainFromPeer(vpc string) string   { return "from-" + vpc }
func chainReturn(gateway string) string { return gateway + "-return" }
func chainBack(gateway string) string   { return gateway + "-back" }
func chainLimit(gateway string) string  { return gateway + limitSuffix }

const limitSuffix = "-limit"

// subnetChains adds what happens to packets that interfaces of a subnet send and get.
func (b *builder) subnetChains(s desired.Subnet) {
	var out []rule
	// What is the router's own crosses no border. An answer to the machine does.
	for _, machine := range b.machine() {
		for _, r := range b.throughACL(s, "-out") {
			out = append(out, append(rule{machine}, r...))
		}
		out = append(out, rule{machine, accept})
	}
	out = append(out, rule{ip4.destination().in(linkLocal), accept})
	for _, f := range b.families {
		out = append(out, rule{f.destination().inSet("services"), accept})
	}
	var in []rule
	for _, p := range s.Prefixes {
		f := familyOf(p.Addr())
		out = append(out, rule{f.destination().in(p), goTo(chainVPC)})
		in = append(in, rule{f.source().in(p), back})
	}
	out = append(out, b.throughACL(s, "-out")...)
	if slices.ContainsFunc(b.vpc.RouteTables, func(t desired.RouteTable) bool { return t.ID == s.RouteTable }) {
		out = append(out, rule{goTo(s.RouteTable)})
	} else {
		b.invalid["subnet "+s.ID] = fmt.Errorf("route table %s is not there", s.RouteTable)
		out = append(out, rule{rejectNetwork})
	}
	b.rules.chains[chainFrom(s.ID)] = chain{rules: out}
	b.rules.chains[chainInto(s.ID)] = chain{rules: append(in, b.throughACL(s, "-in")...)}
}

// targetChains adds the chains that route tables go to. Each decides the next hop.
func (b *builder) targetChains() {
	var local, internet, egress, service []rule
	local = append(local, rule{markLocal.set()})
	internet = append(internet, rule{ip4.source().inSet("public"), markPublic.set(), accept})
	service = append(service, rule{markService.set(), accept})
	if len(b.gateways) > 0 {
		local = append(local, rule{ip4.destination().verdictIn("gateways")})
	}
	for _, f := range b.families {
		local = append(local, rule{f.destination().inSet("used"), accept})
		if f == ip6 {
			internet = append(internet, rule{f.is(), markPublic.set(), accept})
			egress = append(egress, rule{f.is(), markEgress.set(), accept})
		}
	}
	b.rules.chains[chainVPC] = chain{rules: append(local, rule{rejectHost})}
	b.rules.chains[chainInternet] = chain{rules: append(internet, rule{drop})}
	b.rules.chains[chainEgress] = chain{rules: append(egress, rule{drop})}
	b.rules.chains[chainService] = chain{rules: service}
	b.marks = append(b.marks, markLocal, markPublic, markService, markEgress)
	for _, p := range b.peers {
		b.rules.chains[chainToPeer(p.vpc)] = chain{rules: []rule{{p.mark.set(), accept}}}
		b.marks = append(b.marks, p.mark)
	}
}

// tableChains adds a chain for each route table.
func (b *builder) tableChains() {
	for _, t := range b.vpc.RouteTables {
		var out []rule
		for i, r := range t.Routes {
			verdict, err := b.target(r)
			if err != nil {
				b.invalid[fmt.Sprintf("route table %s: route %d", t.ID, i)] = err
				verdict = drop
			}
			if f := familyOf(r.To.Addr()); slices.Contains(b.families, f) {
				out = append(out, rule{f.destination().in(r.To), verdict})
			}
		}
		// Who sends to where no route leads learns so at once.
		b.rules.chains[t.ID] = chain{rules: append(out, rule{rejectNetwork})}
	}
}

// target is the verdict for packets that a route is for.
func (b *builder) target(r desired.Route) (term, error) {
	if !r.To.IsValid() {
		r.To = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
		return drop, errors.New("has no destination")
	}
	if r.Target == desired.RouteBlackhole {
		return drop, nil
	}
	if r.NAT != "" {
		return b.through(r)
	}
	switch r.Target {
	case desired.RouteLocal:
		return goTo(chainVPC), nil
	case desired.RouteInternet:
		return goTo(chainInternet), nil
	case desired.RouteEgressOnly:
		return goTo(chainEgress), nil
	case desired.RouteService:
		return goTo(chainService), nil
	case desired.RoutePeer:
		if _, ok := b.peer(r.Peer); ok {
			return goTo(chainToPeer(r.Peer)), nil
		}
		return drop, nil // the other VPC is not on this machine
	}
	return drop, fmt.Errorf("target %q", r.Target)
}

func (b *builder) peer(vpc string) (peer, bool) {
	i := slices.IndexFunc(b.peers, func(p peer) bool { return p.vpc == vpc })
	if i < 0 {
		return peer{}, false
	}
	return b.peers[i], true
}
