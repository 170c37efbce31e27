package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"fargo/desired"
)

// A gateway is a NAT gateway and what the router knows of it.
type gateway struct {
	desired.NATGateway
	subnet desired.Subnet
	mark   mark
	hops   []mark // to which some route leads through it
}

// addGateways takes the NAT gateways that make sense, and adds their addresses.
func (b *builder) addGateways() {
	var ids []string
	for _, g := range b.vpc.NATGateways {
		ids = append(ids, g.ID)
	}
	slices.Sort(ids)
	number := numbers(slices.Compact(ids), gatewayCount)
	for _, g := range b.vpc.NATGateways {
		i := slices.IndexFunc(b.vpc.Subnets, func(s desired.Subnet) bool { return s.ID == g.Subnet })
		err := checkGateway(g)
		if err == nil && i < 0 {
			err = fmt.Errorf("subnet %s is not there", g.Subnet)
		}
		if err != nil {
			b.invalid["NAT gateway "+g.ID] = err
			continue
		}
		b.gateways = append(b.gateways, &gateway{g, b.vpc.Subnets[i], gatewayMark(number[g.ID]), nil})
	}
	if len(b.gateways) == 0 {
		return
	}
	b.rules.sets["gateways"] = newMap(ip4.address, nftables.TypeVerdict)
	for _, g := range b.gateways {
		for _, a := range g.Addresses {
			b.rules.sets["gateways"].elements[element{addr: a.Private}] = value{chain: chainReturn(g.ID)}
			if a.Public.IsValid() {
				b.rules.sets["gateways"].elements[element{addr: a.Public}] = value{chain: chainReturn(g.ID)}
			}
		}
	}
}

func checkGateway(g desired.NATGateway) error {
	if len(g.Addresses) == 0 {
		return errors.New("has no address")
	}
	for _, a := range g.Addresses {
		if !a.Private.Is4() || a.Public.IsValid() && !a.Public.Is4() {
			return fmt.Errorf("addresses %s and %s are not IPv4", a.Private, a.Public)
		}
	}
	return nil
}

// through is the verdict for packets that a route sends through a NAT gateway. They
// cross the border of its subnet twice: to the gateway, and from it.
func (b *builder) through(r desired.Route) (term, error) {
	i := slices.IndexFunc(b.gateways, func(g *gateway) bool { return g.ID == r.NAT })
	if i < 0 {
		return drop, fmt.Errorf("NAT gateway %s is not there", r.NAT)
	}
	if !r.To.Addr().Is4() {
		return drop, errors.New("a NAT gateway translates IPv4 only")
	}
	g := b.gateways[i]
	var hop mark
	name := g.ID + "-" + string(r.Target)
	switch r.Target {
	case desired.RouteLocal:
		hop = markLocal
	case desired.RouteService:
		hop = markService
	case desired.RouteInternet:
		if len(g.public()) == 0 {
			return drop, nil
		}
		hop = markPublic
	case desired.RoutePeer:
		p, ok := b.peer(r.Peer)
		if !ok {
			return drop, nil
		}
		hop, name = p.mark, g.ID+"-"+chainToPeer(r.Peer)
	default:
		return drop, fmt.Errorf("target %q behind a NAT gateway", r.Target)
	}
	if !slices.Contains(g.hops, hop) {
		g.hops = append(g.hops, hop)
		b.rules.chains[name] = chain{rules: b.behind(g, hop)}
	}
	return goTo(name), nil
}

// behind marks a packet for a gateway and the hop behind it.
func (b *builder) behind(g *gateway, hop mark) []rule {
	var out []rule
	for _, r := range b.throughACL(g.subnet, "-in") {
		out = append(out, append(g.outside(ip4.source()), r...))
	}
	for _, r := range b.throughACL(g.subnet, "-out") {
		if hop == markLocal {
			r = append(g.outside(ip4.destination()), r...)
		}
		out = append(out, r)
	}
	if hop == markLocal {
		return append(out, rule{(g.mark | hop).set()}, rule{ip4.destination().inSet("used"), accept}, rule{rejectHost})
	}
	return append(out, rule{(g.mark | hop).set(), accept})
}

// outside matches packets whose source or destination is not in the gateway's subnet.
func (g *gateway) outside(s side) rule {
	var out rule
	for _, p := range g.subnet.Prefixes {
		if p.Addr().Is4() {
			out = append(out, s.notIn(p))
		}
	}
	return out
}

// returnChains adds what happens to packets that come back to gateways. They too cross
// the border twice: before and after the destination is translated back.
func (b *builder) returnChains() {
	for _, g := range b.gateways {
		back := g.mark | markReturn
		come := []rule{{back.set()}}
		for _, r := range b.throughACL(g.subnet, "-in") {
			come = append(come, append(g.outside(ip4.source()), r...))
		}
		b.rules.chains[chainReturn(g.ID)] = chain{rules: append(come, rule{accept})}
		inside := ip4.destination()
		var leave []rule
		for _, p := range g.subnet.Prefixes {
			if p.Addr().Is4() {
				leave = append(leave, rule{inside.in(p), accept})
			}
		}
		b.rules.chains[chainBack(g.ID)] = chain{rules: append(leave, b.throughACL(g.subnet, "-out")...)}
		for _, hop := range g.hops {
			b.marks = append(b.marks, g.mark|hop)
			b.rules.sets["hops"].elements[element{ct: g.mark | hop, of: back}] = value{}
		}
	}
}

// translations are the rules that replace the sources of what passes gateways.
func (b *builder) translations() []rule {
	var out []rule
	for _, g := range b.gateways {
		for _, hop := range g.hops {
			is := (g.mark | hop).is()
			switch hop {
			case markService:
				out = append(out, rule{is, masquerade}) // only the machine knows it
			case markPublic:
				out = append(out, spread(is, g.public())...)
			default:
				out = append(out, spread(is, g.private())...)
			}
		}
	}
	return out
}

// limitChains drop and count the connections for which a gateway has no port left.
func (b *builder) limitChains() {
	var all []rule
	for _, g := range b.gateways {
		var limits []rule
		for _, number := range []uint8{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
			name := "connections-" + protocolWords[number]
			b.rules.sets[name] = set{key: destinations, dynamic: true}
			limits = append(limits, rule{ctNew, tooMany(number, name, b.cfg.natConnections), counter, drop})
		}
		b.rules.chains[chainLimit(g.ID)] = chain{rules: limits}
		all = append(all, rule{g.mark.isIn(^hopMask), jump(chainLimit(g.ID))})
	}
	b.rules.chains["limits"] = chain{hook: &hookTranslated, rules: all}
}

func (g *gateway) public() []netip.Addr {
	var out []netip.Addr
	for _, a := range g.Addresses {
		if a.Public.IsValid() {
			out = append(out, a.Public)
		}
	}
	return out
}

func (g *gateway) private() []netip.Addr {
	var out []netip.Addr
	for _, a := range g.Addresses {
		out = append(out, a.Private)
	}
	return out
}

// spread replaces the source by one of the addresses.
func spread(which term, addrs []netip.Addr) []rule {
	if len(addrs) == 1 {
		return []rule{{which, sourceIs(addrs[0])}}
	}
	var out []rule
	for i, a := range addrs {
		out = append(out, rule{which, share(i, len(addrs)), sourceIs(a)})
	}
	return out
}
