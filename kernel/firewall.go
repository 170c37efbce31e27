package kernel

import (
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"

	"fargo/desired"
)

// machineLink is what a router calls its link to the machine.
const machineLink = "host0"

// routerTable is the name of the nftables table in every router.
const routerTable = "fargo"

// Addresses that every router has. Sources: ECS developer guide, "Task metadata
// endpoint version 4"; VPC user guide, "Amazon DNS server".
var (
	gatewayAddress  = netip.MustParseAddr("169.254.1.1")
	metadataAddress = netip.MustParseAddr("169.254.170.2")
	resolverAddress = netip.MustParseAddr("169.254.169.253")
)

// resolverIn is the VPC's resolver within a CIDR: base plus two.
func resolverIn(cidr netip.Prefix) netip.Addr { return cidr.Masked().Addr().Next().Next() }

// platformIn is the address of [desired.Platform] in a VPC: base plus three of its first
// CIDR. A VPC of an older control plane has none.
func platformIn(vpc desired.VPC) netip.Addr {
	if isOlder(vpc) || len(vpc.CIDRs) == 0 || !vpc.CIDRs[0].Addr().Is4() {
		return netip.Addr{}
	}
	return resolverIn(vpc.CIDRs[0]).Next()
}

// s3In is the address that S3 has of its own in a VPC.
func s3In(vpc desired.VPC) netip.Addr {
	if !vpc.S3.Address.Is4() {
		return netip.Addr{}
	}
	return vpc.S3.Address
}

// subnetOf is the subnet of an interface.
func (b *builder) subnetOf(eni desired.Interface) *desired.Subnet {
	return &b.vpc.Subnets[slices.IndexFunc(b.vpc.Subnets, func(s desired.Subnet) bool { return s.ID == eni.Subnet })]
}

// isIsolated says that an interface is not among those that may use an address.
func isIsolated(eni desired.Interface, users desired.PlatformUsers) bool {
	switch users {
	case desired.PlatformForNone:
		return true
	case desired.PlatformForPublic:
		return !eni.Public.IsValid()
	}
	return false
}

var (
	hookPrerouting  = hook{nftables.ChainTypeFilter, "prerouting", nftables.ChainHookPrerouting, -300, nftables.ChainPolicyDrop}
	hookTracked     = hook{nftables.ChainTypeFilter, "prerouting", nftables.ChainHookPrerouting, -150, nftables.ChainPolicyDrop}
	hookDestination = hook{nftables.ChainTypeNAT, "prerouting", nftables.ChainHookPrerouting, -100, nftables.ChainPolicyAccept}
	hookInput       = hook{nftables.ChainTypeFilter, "input", nftables.ChainHookInput, 0, nftables.ChainPolicyDrop}
	hookForward     = hook{nftables.ChainTypeFilter, "forward", nftables.ChainHookForward, 0, nftables.ChainPolicyDrop}
	hookSource      = hook{nftables.ChainTypeNAT, "postrouting", nftables.ChainHookPostrouting, 100, nftables.ChainPolicyAccept}
	hookTranslated  = hook{nftables.ChainTypeFilter, "postrouting", nftables.ChainHookPostrouting, 110, nftables.ChainPolicyAccept}
	hookArrival     = hook{nftables.ChainTypeFilter, "postrouting", nftables.ChainHookPostrouting, 150, nftables.ChainPolicyDrop}
)

// A builder writes the ruleset of one VPC.
type builder struct {
	cfg      Config
	vpc      desired.VPC
	link     uplink
	peers    []peer
	families []*family
	gateways []*gateway
	marks    []mark // that connections may have
	rules    ruleset
	invalid  invalid
}

// routerRules is the firewall of one VPC. The package comment tells its shape.
//
// The last rules of base chains repeat the policies: when a whole table is replaced,
// rules take effect at one instant, and policies a moment later.
//
// The groups and subnets of all interfaces must be among the VPC's. What is invalid
// (a rule, a route, an entry) allows nothing and is in the error; the ruleset is
// complete all the same.
func routerRules(cfg Config, vpc desired.VPC, link uplink, peers []peer, interfaces []desired.Interface) (ruleset, error) {
	b := builder{
		cfg: cfg, vpc: vpc, link: link, peers: peers, families: familiesOf(vpc), invalid: invalid{},
		rules: ruleset{table: routerTable, chains: map[string]chain{}, sets: map[string]set{}},
	}
	b.addSets()
	b.addGateways()
	b.addInterfaces(interfaces)
	b.aclChains()
	b.targetChains()
	b.tableChains()
	b.returnChains()
	for _, s := range vpc.Subnets {
		b.subnetChains(s)
	}
	b.guardChains()
	b.trackedChain()
	b.inputChain()
	b.forwardChain()
	b.translationChains()
	b.arrivalChain()
	return b.rules, b.invalid.join()
}

// familiesOf are those that the VPC has addresses of.
func familiesOf(vpc desired.VPC) []*family {
	if hasIPv6(vpc) {
		return []*family{ip4, ip6}
	}
	return []*family{ip4}
}

func hasIPv6(vpc desired.VPC) bool {
	return slices.ContainsFunc(vpc.CIDRs, func(p netip.Prefix) bool { return !p.Addr().Is4() })
}

func (b *builder) addSets() {
	sets := b.rules.sets
	for _, f := range b.families {
		sets["interfaces"+f.suffix] = newMap(f.linked(), nftables.TypeVerdict)
		sets["egress"+f.suffix] = newMap(f.address, nftables.TypeVerdict)
		sets["ingress"+f.suffix] = newMap(f.address, nftables.TypeVerdict)
		sets["subnets"+f.suffix] = newMap(f.address, nftables.TypeVerdict)
		sets["services"+f.suffix] = newSet(f.address)
		sets["used"+f.suffix] = newSet(f.address)
		sets["public"+f.suffix] = newSet(f.address)
	}
	sets["resolvers"] = addresses(resolverAddress)
	sets["hops"] = newSet(markPairs)
	sets["isolated"] = addresses()
	sets["translations"] = newMap(ip4.address, ip4.address)
	sets["arrivals"] = newMap(ip4.address, ip4.address)
	sets["services"].add(gatewayAddress)
	sets["services"].add(metadataAddress)
	sets["services"].add(resolverAddress)
	sets["services"].add(b.link.router)
	for _, cidr := range b.vpc.CIDRs {
		if cidr.Addr().Is4() {
			sets["resolvers"].add(resolverIn(cidr))
			sets["services"].add(resolverIn(cidr))
		}
	}
	if a := platformIn(b.vpc); a.IsValid() {
		sets["services"].add(a)
	}
	if a := s3In(b.vpc); a.IsValid() {
		sets["services"].add(a)
		sets["isolated-s3"] = addresses()
	}
}

// addInterfaces adds the elements for interfaces, and the chains for their groups.
func (b *builder) addInterfaces(interfaces []desired.Interface) {
	groups := groupRules{groups: map[string]*desired.SecurityGroup{}, families: b.families, into: &b.rules, invalid: b.invalid}
	for _, p := range b.peers {
		for i := range p.groups {
			groups.groups[p.groups[i].ID] = &p.groups[i]
		}
	}
	for i := range b.vpc.Groups {
		groups.groups[b.vpc.Groups[i].ID] = &b.vpc.Groups[i]
	}
	sets := b.rules.sets
	for _, eni := range interfaces {
		suffix := groups.chains(eni.Groups)
		for _, a := range eni.Addresses() {
			f := familyOf(a)
			e := element{addr: a}
			sets["interfaces"+f.suffix].elements[element{link: b.cfg.portName(eni.ID), addr: a}] = value{chain: chainFrom(eni.Subnet)}
			sets["egress"+f.suffix].elements[e] = value{chain: "out-" + suffix}
			sets["ingress"+f.suffix].elements[e] = value{chain: "in-" + suffix}
			sets["subnets"+f.suffix].elements[e] = value{chain: chainInto(eni.Subnet)}
			sets["used"+f.suffix].add(a)
		}
		if eni.IPv6.IsValid() && !eni.DenyGateway && b.isPublic(eni.Subnet) {
			sets["public"+ip6.suffix].add(eni.IPv6)
		}
		if eni.Public.IsValid() {
			sets["public"].add(eni.Address)
			sets["translations"].elements[element{addr: eni.Address}] = value{addr: eni.Public}
			sets["arrivals"].elements[element{addr: eni.Public}] = value{addr: eni.Address}
		}
		if eni.Address.IsValid() {
			b.addIsolated(eni)
		}
	}
}

// addIsolated adds an interface to those that may not use addresses of the APIs.
func (b *builder) addIsolated(eni desired.Interface) {
	subnet := b.subnetOf(eni)
	if isIsolated(eni, subnet.PlatformFor) {
		b.rules.sets["isolated"].add(eni.Address)
	}
	if s3In(b.vpc).IsValid() && isIsolated(eni, subnet.S3For) {
		b.rules.sets["isolated-s3"].add(eni.Address)
	}
}

// isPublic says that the Internet may connect by IPv6 to interfaces of a subnet: some
// route leads back.
func (b *builder) isPublic(subnet string) bool {
	i := slices.IndexFunc(b.vpc.Subnets, func(s desired.Subnet) bool { return s.ID == subnet })
	j := slices.IndexFunc(b.vpc.RouteTables, func(t desired.RouteTable) bool { return t.ID == b.vpc.Subnets[i].RouteTable })
	return j >= 0 && slices.ContainsFunc(b.vpc.RouteTables[j].Routes, func(r desired.Route) bool {
		return r.Target == desired.RouteInternet && !r.To.Addr().Is4()
	})
}

// guardChains decide where a packet comes from, before anything is known of its
// connection. A packet of an interface goes through the chains of its subnet and route
// table at once: there its addresses still are what is on the wire.
func (b *builder) guardChains() {
	guard := []rule{{iifname("lo"), accept}, {iifname(machineLink), goTo("from-machine")}}
	if slices.Contains(b.families, ip6) {
		guard = append(guard, neighborRules()...)
	}
	for _, p := range b.peers {
		guard = append(guard, rule{iifname(p.link), goTo(chainFromPeer(p.vpc))})
		var from []rule
		for _, cidr := range p.cidrs {
			if f := familyOf(cidr.Addr()); slices.Contains(b.families, f) {
				from = append(from, rule{f.source().in(cidr), goTo("from-peers")})
			}
		}
		b.rules.chains[chainFromPeer(p.vpc)] = chain{rules: append(from, rule{drop})}
	}
	for _, f := range b.families {
		guard = append(guard, rule{f.linkAnd("interfaces", true, false)})
	}
	b.rules.chains["guard"] = chain{hook: &hookPrerouting, rules: append(guard, rule{drop})}

	// Nobody beyond the machine has an address of ours. A peer's interface may be
	// there with its IPv6 address; the machine knows that nobody else is.
	var machine, peers []rule
	for _, cidr := range b.ours() {
		if f := familyOf(cidr.Addr()); slices.Contains(b.families, f) {
			machine = append(machine, rule{f.source().in(cidr), drop})
		}
	}
	machine = append(machine, rule{ip4.source().in(linkLocal), ip4.source().notIn(single(b.link.machine)), drop})
	if len(b.gateways) > 0 {
		machine = append(machine, rule{ip4.destination().verdictIn("gateways")})
		peers = append(peers, rule{ip4.destination().verdictIn("gateways")})
	}
	b.rules.chains["from-machine"] = chain{rules: append(machine, rule{accept})}
	if len(b.peers) > 0 {
		for _, f := range b.families {
			peers = append(peers, rule{f.destination().inSet("used"), accept})
		}
		b.rules.chains["from-peers"] = chain{rules: append(peers, rule{drop})}
	}
}

// ours are the CIDRs of the VPC, and those of its peers that are not public.
func (b *builder) ours() []netip.Prefix {
	all := slices.Clone(b.vpc.CIDRs)
	for _, p := range b.peers {
		for _, cidr := range p.cidrs {
			if cidr.Addr().Is4() {
				all = append(all, cidr)
			}
		}
	}
	return prefixes(all)
}

// trackedChain keeps connections to the way that their first packets took.
func (b *builder) trackedChain() {
	rules := []rule{{iifname("lo"), accept}}
	if slices.Contains(b.families, ip6) {
		rules = append(rules, neighborRules()...)
	}
	if len(b.gateways) > 0 { // which know only what went through them
		rules = append(rules, rule{markReturn.isSet(), ctNew, drop})
	}
	for _, p := range b.peers {
		rules = append(rules, rule{iifname(p.link), ctNew, p.mark.ofConnection(), accept}, rule{iifname(p.link), accept})
	}
	rules = append(rules,
		rule{iifname(machineLink), ctNew, markPublic.ofConnection(), accept},
	)
	for _, g := range b.gateways {
		if slices.Contains(g.hops, markService) { // answers come to the router's address
			rules = append(rules, rule{iifname(machineLink), (g.mark | markService).isConnections(), goTo(chainReturn(g.ID))})
		}
	}
	rules = append(rules,
		rule{iifname(machineLink), accept},
		rule{ctNew, saveMark, accept},
		rule{mark(0).isConnections(), accept}, // with the router itself, or from before there were marks
	)
	for _, machine := range b.machine() {
		rules = append(rules, rule{machine, accept})
	}
	rules = append(rules, rule{marksIn("hops"), accept}, rule{drop})
	b.rules.chains["tracked"] = chain{hook: &hookTracked, rules: rules}
	for _, m := range b.marks {
		b.rules.sets["hops"].elements[element{ct: m, of: m}] = value{}
	}
}

// machine matches the destinations of answers to the machine.
func (b *builder) machine() []term {
	out := []term{ip4.destination().is(b.link.machine)}
	if slices.Contains(b.families, ip6) {
		out = append(out, ip6.destination().is(b.link.machine6(b.cfg.Instance)))
	}
	return out
}

// inputChain is about packets to the router itself.
func (b *builder) inputChain() {
	to := ip4.destination()
	rules := []rule{{ctKnown, accept}, {iifname("lo"), accept}}
	if slices.Contains(b.families, ip6) {
		rules = append(rules, neighborRules()...)
	}
	rules = append(rules, rule{iifname(machineLink), drop})
	for _, p := range b.peers {
		rules = append(rules, rule{iifname(p.link), drop})
	}
	rules = append(rules,
		rule{to.is(metadataAddress), ports(unix.IPPROTO_TCP, 80, 80), accept},
		rule{to.inSet("resolvers"), ports(unix.IPPROTO_UDP, 53, 53), accept},
		rule{to.inSet("resolvers"), ports(unix.IPPROTO_TCP, 53, 53), accept},
	)
	for _, service := range []struct {
		address  netip.Addr
		isolated string
	}{{s3In(b.vpc), "isolated-s3"}, {platformIn(b.vpc), "isolated"}} {
		if service.address.IsValid() {
			rules = append(rules,
				rule{to.is(service.address), ip4.source().inSet(service.isolated), drop},
				rule{to.is(service.address), ports(unix.IPPROTO_TCP, 80, 80), accept},
				rule{to.is(service.address), ports(unix.IPPROTO_TCP, 443, 443), accept},
			)
		}
	}
	b.rules.chains["local"] = chain{hook: &hookInput, rules: append(rules, rule{drop})}
}

// forwardChain asks the groups of the source, before it is translated.
func (b *builder) forwardChain() {
	rules := []rule{
		{ctKnown, accept},
		{ctInvalid, drop},
		{iifname(machineLink), ip4.source().is(b.link.machine), accept},
		{iifname(machineLink), ctTranslated, accept},
	}
	if slices.Contains(b.families, ip6) {
		rules = append(rules,
			rule{iifname(machineLink), ip6.source().is(b.link.machine6(b.cfg.Instance)), accept},
			rule{iifname(machineLink), ip6.destination().inSet("public"), accept})
	}
	for _, p := range b.peers {
		rules = append(rules, rule{iifname(p.link), accept}) // its router has asked
	}
	rules = append(rules, rule{iifname(machineLink), drop})
	for _, f := range b.families {
		rules = append(rules, rule{f.source().verdictIn("egress")})
	}
	b.rules.chains["egress"] = chain{hook: &hookForward, rules: append(rules, rule{logRejected(rejectedOutbound), drop})}
}

// translationChains replace addresses.
func (b *builder) translationChains() {
	b.rules.chains["destinations"] = chain{hook: &hookDestination, rules: []rule{
		{iifname(machineLink), translateIn(ip4.destination(), "arrivals")},
	}}
	b.rules.chains["sources"] = chain{hook: &hookSource, rules: append([]rule{
		{markPublic.is(), translateIn(ip4.source(), "translations")},
		{markService.is(), ip4.is(), masquerade},
	}, b.translations()...)}
	if len(b.gateways) > 0 {
		b.limitChains()
	}
}

// arrivalChain asks the list of the destination's subnet, and for what is new its
// groups: when all that is translated is translated.
func (b *builder) arrivalChain() {
	rules := []rule{{oifname(machineLink), markBeyond.isSet(), accept}}
	if slices.Contains(b.families, ip6) {
		rules = append(rules, rule{ip6.source().in(linkLocal6), accept}) // the router asks for a hardware address
	}
	for _, p := range b.peers {
		rules = append(rules, rule{oifname(p.link), p.mark.isIn(hopMask), accept})
	}
	for _, f := range b.families {
		rules = append(rules, rule{f.source().inSet("services"), accept})
	}
	for _, g := range b.gateways {
		rules = append(rules, rule{(g.mark | markReturn).is(), jump(chainBack(g.ID))})
	}
	for _, f := range b.families {
		rules = append(rules, rule{f.destination().verdictIn("subnets")})
	}
	rules = append(rules, rule{ctKnown, accept})
	for _, f := range b.families {
		rules = append(rules, rule{f.destination().verdictIn("ingress")})
	}
	b.rules.chains["ingress"] = chain{hook: &hookArrival, rules: append(rules, rule{logRejected(rejectedInbound), drop})}
}
