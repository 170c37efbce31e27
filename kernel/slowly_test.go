package kernel

import (
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"fargo/desired"
)

// slowly is a VPC in which every packet is walked through routes, lists and groups as
// the VPC user guide tells it, without any of what the rules do to be fast.
type slowly struct {
	vpc        desired.VPC
	interfaces []desired.Interface
	peer       []netip.Prefix          // the ranges of the peer
	others     []desired.SecurityGroup // of the peer
}

// A flow is one connection's first packet.
type flow struct {
	from         string // the id of an interface; "outside", "machine" or "peer"
	src, dst     netip.Addr
	sport, dport uint16 // as in packet
	proto        uint8
}

// walked is where a packet gets to, as whom and through which gateway, and whether the answer
// comes back.
type walked struct {
	end      string // "delivered", "beyond", "peer" or as forward has it
	to, seen netip.Addr
	nat      string
	answered bool
}

func (w slowly) walk(f flow) walked {
	out := w.question(f)
	// Nobody beyond the machine has a private address of ours or the peer's, nor one of our
	// IPv6 addresses; and the peer has no others than its own.
	theirs := slices.ContainsFunc(w.peer, func(p netip.Prefix) bool { return p.Contains(f.dst) })
	if out.end == "beyond" && w.ours(f.dst) || out.end == "peer" && !theirs {
		out.answered = false
	}
	return out
}

// ours says that only this VPC or its peer can have an address.
func (w slowly) ours(a netip.Addr) bool {
	return slices.ContainsFunc(w.vpc.CIDRs, func(p netip.Prefix) bool { return p.Contains(a) }) || w.peer[0].Contains(a)
}

func (w slowly) question(f flow) walked {
	switch f.from {
	case "outside":
		return w.fromOutside(f)
	case "machine":
		return w.fromMachine(f)
	case "peer":
		return w.fromPeer(f)
	}
	if e := w.byAddress(f.src); e != nil && e.ID == f.from {
		return w.fromInterface(e, f)
	}
	return walked{end: didDrop}
}

func (w slowly) fromOutside(f flow) walked {
	e := w.byAddress(f.dst)
	if f.dst.Is4() {
		e = w.byPublic(f.dst)
	}
	if e == nil || w.ours(f.src) || f.dst.Is6() && !w.isPublic(e.Subnet) || !w.enters(e, f.src, f) {
		return walked{end: didDrop}
	}
	route, ok := w.back(e, f.src, f)
	return walked{"delivered", own(e, f.dst), f.src, "", ok && route.Target == desired.RouteInternet && route.NAT == ""}
}

// isPublic says that the Internet gateway takes IPv6 connections to a subnet: it does when
// the route table has a route to it.
func (w slowly) isPublic(subnet string) bool {
	for _, t := range w.vpc.RouteTables {
		for _, r := range t.Routes {
			if t.ID == w.subnet(subnet).RouteTable && r.Target == desired.RouteInternet && r.To.Addr().Is6() {
				return true
			}
		}
	}
	return false
}

// fromMachine needs no route, in either direction.
func (w slowly) fromMachine(f flow) walked {
	e := w.byAddress(f.dst)
	if e == nil {
		e = w.byPublic(f.dst)
	}
	if e == nil || !w.enters(e, f.src, f) {
		return walked{end: didDrop}
	}
	return walked{"delivered", own(e, f.dst), f.src, "", w.listed(e.Subnet, false, f.src, f.sport, f.proto)}
}

func (w slowly) fromPeer(f flow) walked {
	e := w.byAddress(f.dst)
	known := slices.ContainsFunc(w.peer, func(p netip.Prefix) bool { return p.Contains(f.src) })
	if e == nil || !known || !w.enters(e, f.src, f) {
		return walked{end: didDrop}
	}
	route, ok := w.back(e, f.src, f)
	return walked{"delivered", f.dst, f.src, "", ok && route.Target == desired.RoutePeer && route.NAT == ""}
}

// own is the address of an interface that an address of it means.
func own(e *desired.Interface, a netip.Addr) netip.Addr {
	if a == e.Public {
		return e.Address
	}
	return a
}

// back is the route that an answer takes to somebody outside of the interface's subnet.
func (w slowly) back(e *desired.Interface, to netip.Addr, f flow) (desired.Route, bool) {
	if !w.listed(e.Subnet, false, to, f.sport, f.proto) {
		return desired.Route{}, false
	}
	return w.route(e.Subnet, to)
}

// enters says whether an interface gets a packet from somebody outside of its subnet.
func (w slowly) enters(e *desired.Interface, src netip.Addr, f flow) bool {
	within := w.in(e.Subnet, src)
	return (within || w.listed(e.Subnet, true, src, f.dport, f.proto)) && w.allowed(e, true, src, f)
}

func (w slowly) fromInterface(a *desired.Interface, f flow) walked {
	if w.in(a.Subnet, f.dst) {
		return w.local(a, f, f.src, nil)
	}
	if !w.listed(a.Subnet, false, f.dst, f.dport, f.proto) {
		return walked{end: didDrop}
	}
	r, ok := w.route(a.Subnet, f.dst)
	switch {
	case !ok:
		return walked{end: didNetwork}
	case r.Target == desired.RouteBlackhole:
		return walked{end: didDrop}
	case r.NAT != "":
		return w.throughNAT(a, f, r)
	case r.Target == desired.RouteLocal:
		return w.local(a, f, f.src, nil)
	case r.Target == desired.RouteInternet && f.src.Is4() && !a.Public.IsValid(), !w.allowed(a, false, f.dst, f):
		return walked{end: didDrop}
	case r.Target == desired.RoutePeer && f.src.Is6() && len(w.peer) == 1: // the peer has no IPv6
		return walked{end: didDrop}
	}
	out := walked{end: "beyond", seen: f.src, answered: w.listed(a.Subnet, true, f.dst, f.sport, f.proto)}
	switch {
	case r.Target == desired.RoutePeer:
		out.end = "peer"
	case f.src.Is6(): // nothing translates it
	case r.Target == desired.RouteInternet:
		out.seen = a.Public
	case r.Target == desired.RouteService:
		out.seen = uplinkNumber(0).router
	}
	return out
}

func (w slowly) throughNAT(a *desired.Interface, f flow, r desired.Route) walked {
	i := slices.IndexFunc(w.vpc.NATGateways, func(g desired.NATGateway) bool { return g.ID == r.NAT })
	g := w.vpc.NATGateways[i]
	near := w.in(g.Subnet, a.Address)
	switch {
	case r.Target == desired.RouteInternet && !g.Addresses[0].Public.IsValid(),
		!near && !w.listed(g.Subnet, true, a.Address, f.dport, f.proto),
		!w.in(g.Subnet, f.dst) && !w.listed(g.Subnet, false, f.dst, f.dport, f.proto):
		return walked{end: didDrop}
	case r.Target == desired.RouteLocal:
		return w.local(a, f, g.Addresses[0].Private, &g)
	case !w.allowed(a, false, f.dst, f):
		return walked{end: didDrop}
	}
	out := walked{end: "beyond", seen: g.Addresses[0].Private, nat: g.ID}
	switch r.Target {
	case desired.RouteInternet:
		out.seen = g.Addresses[0].Public
	case desired.RouteService:
		out.seen = uplinkNumber(0).router
	case desired.RoutePeer:
		out.end = "peer"
	}
	out.answered = w.listed(g.Subnet, true, f.dst, f.sport, f.proto) &&
		(near || w.listed(g.Subnet, false, a.Address, f.sport, f.proto) && w.listed(a.Subnet, true, f.dst, f.sport, f.proto))
	return out
}

// local delivers a packet within the VPC, and its answer. The interface is seen as src.
func (w slowly) local(a *desired.Interface, f flow, src netip.Addr, g *desired.NATGateway) walked {
	for _, other := range w.vpc.NATGateways {
		if g == nil && slices.ContainsFunc(other.Addresses, func(n desired.NATAddress) bool { return n.Private == f.dst }) {
			return walked{end: didDrop}
		}
	}
	b := w.byAddress(f.dst)
	switch {
	case b == nil:
		return walked{end: didHost}
	case !w.allowed(a, false, f.dst, f), !w.enters(b, src, f):
		return walked{end: didDrop}
	}
	out := walked{end: "delivered", to: f.dst, seen: src}
	if g != nil {
		out.nat = g.ID
	}
	if !w.in(b.Subnet, src) {
		if r, ok := w.back(b, src, f); !ok || r.Target != desired.RouteLocal || r.NAT != "" {
			return out
		}
	}
	if g == nil {
		out.answered = w.in(a.Subnet, f.dst) || w.listed(a.Subnet, true, f.dst, f.sport, f.proto)
		return out
	}
	out.answered = (w.in(g.Subnet, f.dst) || w.listed(g.Subnet, true, f.dst, f.sport, f.proto)) &&
		(w.in(g.Subnet, a.Address) || w.listed(g.Subnet, false, a.Address, f.sport, f.proto) && w.listed(a.Subnet, true, f.dst, f.sport, f.proto))
	return out
}

func (w slowly) byAddress(a netip.Addr) *desired.Interface {
	for i, e := range w.interfaces {
		if slices.Contains(e.Addresses(), a) {
			return &w.interfaces[i]
		}
	}
	return nil
}

func (w slowly) byPublic(a netip.Addr) *desired.Interface {
	for i, e := range w.interfaces {
		if e.Public == a {
			return &w.interfaces[i]
		}
	}
	return nil
}

func (w slowly) subnet(id string) desired.Subnet {
	return w.vpc.Subnets[slices.IndexFunc(w.vpc.Subnets, func(s desired.Subnet) bool { return s.ID == id })]
}

func (w slowly) in(subnet string, a netip.Addr) bool {
	return slices.ContainsFunc(w.subnet(subnet).Prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// route is the one with the longest prefix.
func (w slowly) route(subnet string, to netip.Addr) (best desired.Route, found bool) {
	for _, t := range w.vpc.RouteTables {
		for _, r := range t.Routes {
			if t.ID == w.subnet(subnet).RouteTable && r.To.Contains(to) && (!found || r.To.Bits() > best.To.Bits()) {
				best, found = r, true
			}
		}
	}
	return best, found
}

// listed asks the access list of a subnet.
func (w slowly) listed(subnet string, ingress bool, peer netip.Addr, port uint16, proto uint8) bool {
	for _, acl := range w.vpc.ACLs {
		if acl.ID != w.subnet(subnet).ACL {
			continue
		}
		entries := acl.Egress
		if ingress {
			entries = acl.Ingress
		}
		for _, e := range entries {
			if e.CIDR.Contains(peer) && covers(e.Protocol, e.FromPort, e.ToPort, port, proto) {
				return e.Allow
			}
		}
	}
	return false
}

// allowed asks the groups of an interface.
func (w slowly) allowed(e *desired.Interface, ingress bool, peer netip.Addr, f flow) bool {
	all := append(slices.Clone(w.vpc.Groups), w.others...)
	for _, g := range w.vpc.Groups {
		rules := g.Egress
		if ingress {
			rules = g.Ingress
		}
		for _, r := range rules {
			member := slices.ContainsFunc(all, func(o desired.SecurityGroup) bool {
				return o.ID == r.Group && slices.Contains(o.Members, peer)
			})
			means := member || r.Group == "" && r.CIDR.Contains(peer)
			if slices.Contains(e.Groups, g.ID) && means && covers(r.Protocol, r.FromPort, r.ToPort, f.dport, f.proto) {
				return true
			}
		}
	}
	return false
}

// covers says that a rule or an entry is about a packet. Of ICMP the code is always 0.
func covers(protocol string, from, to int, port uint16, proto uint8) bool {
	words := map[uint8]string{unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp", unix.IPPROTO_ICMP: "icmp", unix.IPPROTO_ICMPV6: "icmpv6"}
	switch {
	case protocol == "-1":
		return true
	case protocol != words[proto]:
		return false
	case hasPorts(proto):
		return from <= int(port) && int(port) <= to
	}
	return (from < 0 || from == int(port)) && (to < 0 || to == 0)
}
