package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

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

var (
	hookPrerouting  = hook{nftables.ChainTypeFilter, "prerouting", nftables.ChainHookPrerouting, -300, nftables.ChainPolicyDrop}
	hookArrival     = hook{nftables.ChainTypeFilter, "prerouting", nftables.ChainHookPrerouting, -150, nftables.ChainPolicyAccept}
	hookInput       = hook{nftables.ChainTypeFilter, "input", nftables.ChainHookInput, 0, nftables.ChainPolicyDrop}
	hookEgress      = hook{nftables.ChainTypeFilter, "forward", nftables.ChainHookForward, -10, nftables.ChainPolicyDrop}
	hookIngress     = hook{nftables.ChainTypeFilter, "forward", nftables.ChainHookForward, 0, nftables.ChainPolicyDrop}
	hookPostrouting = hook{nftables.ChainTypeNAT, "postrouting", nftables.ChainHookPostrouting, 100, nftables.ChainPolicyAccept}

	hookMachineInput   = hook{nftables.ChainTypeFilter, "input", nftables.ChainHookInput, 0, nftables.ChainPolicyAccept}
	hookMachineForward = hook{nftables.ChainTypeFilter, "forward", nftables.ChainHookForward, 0, nftables.ChainPolicyAccept}
)

// routerRules is the firewall of one VPC.
//
// Egress and ingress are two base chains at one hook: accept ends only the
// chain it is in, so a packet must be accepted by both, and both drop by
// default. (Were the second reached from the first's rules, the kernel's check
// for loops would walk every pair of interfaces at every change.)
//
// The last rules repeat the policies: when a whole table is replaced, rules take
// effect at one instant, and policies a moment later.
//
// The groups of all interfaces must be among the VPC's. A rule that is invalid
// allows nothing and is in the error; the ruleset is complete all the same.
func routerRules(cfg Config, vpc desired.VPC, link uplink, interfaces []desired.Interface) (ruleset, error) {
	fromMachine := rule{iifname(machineLink), source.is(link.machine), accept}
	rs := ruleset{
		table: routerTable,
		chains: map[string]chain{
			// Packets with another source address than the interface's are dropped.
			"guard": {hook: &hookPrerouting, rules: []rule{
				{iifname("lo"), accept},
				{iifname(machineLink), accept},
				{linkAndSourceInSet("interfaces"), accept},
				{drop},
			}},
			// Packets to an address that no interface has are rejected, each of them.
			// The unreachable route would answer each sender once a second, and the
			// other packets would be lost without an answer.
			"unused": {hook: &hookArrival, rules: []rule{
				{destination.inSet("used"), accept},
			}},
			"local": {hook: &hookInput, rules: []rule{
				{ctKnown, accept},
				{iifname("lo"), accept},
				{notIifname(machineLink), destination.is(metadataAddress), ports(unix.IPPROTO_TCP, 80, 80), accept},
				{notIifname(machineLink), destination.inSet("resolvers"), ports(unix.IPPROTO_UDP, 53, 53), accept},
				{notIifname(machineLink), destination.inSet("resolvers"), ports(unix.IPPROTO_TCP, 53, 53), accept},
				{drop},
			}},
			"egress": {hook: &hookEgress, rules: []rule{
				{ctKnown, accept},
				{ctInvalid, drop},
				fromMachine,
				{notIifname(machineLink), source.verdictIn("egress")},
				{drop},
			}},
			"ingress": {hook: &hookIngress, rules: []rule{
				{ctKnown, accept},
				{oifname(machineLink), source.inSet("internet"), accept},
				{destination.verdictIn("ingress")},
				{drop},
			}},
			"nat": {hook: &hookPostrouting, rules: []rule{
				{oifname(machineLink), source.inSet("internet"), masquerade},
			}},
		},
		sets: map[string]set{
			"interfaces": {links: true, elements: map[element]string{}},
			"egress":     {verdicts: true, elements: map[element]string{}},
			"ingress":    {verdicts: true, elements: map[element]string{}},
			"internet":   addresses(),
			"resolvers":  addresses(resolverAddress),
			"used":       addresses(),
		},
	}
	unused := rs.chains["unused"]
	for _, cidr := range vpc.CIDRs {
		rs.sets["resolvers"].elements[element{addr: resolverIn(cidr)}] = ""
		rs.sets["used"].elements[element{addr: resolverIn(cidr)}] = ""
		unused.rules = append(unused.rules, rule{destination.in(cidr), reject})
	}
	rs.chains["unused"] = unused
	groups := groupRules{groups: map[string]*desired.SecurityGroup{}, into: &rs, invalid: map[string]error{}}
	for i := range vpc.Groups {
		groups.groups[vpc.Groups[i].ID] = &vpc.Groups[i]
	}
	for _, eni := range interfaces {
		suffix := groups.chains(eni.Groups)
		address := element{addr: eni.Address}
		rs.sets["interfaces"].elements[element{cfg.portName(eni.ID), eni.Address}] = ""
		rs.sets["used"].elements[address] = ""
		rs.sets["egress"].elements[address] = "out-" + suffix
		rs.sets["ingress"].elements[address] = "in-" + suffix
		if eni.Internet {
			rs.sets["internet"].elements[address] = ""
		}
	}
	var errs []error
	for _, place := range sorted(groups.invalid) {
		errs = append(errs, fmt.Errorf("%s: %w", place, groups.invalid[place]))
	}
	return rs, errors.Join(errs...)
}

// machineRules is the instance's table on the machine. Interfaces cannot connect to
// the machine, nobody can connect through the machine to an interface, and
// interfaces can connect through the machine to others.
func machineRules(cfg Config, links []uplink) ruleset {
	ours := cfg.linkPrefix() + "*"
	routers := addresses()
	for _, l := range links {
		routers.elements[element{addr: l.router}] = ""
	}
	return ruleset{
		table: cfg.tableName(),
		chains: map[string]chain{
			"input": {hook: &hookMachineInput, rules: []rule{
				{iifname(ours), ctKnown, accept},
				{iifname(ours), drop},
			}},
			"forward": {hook: &hookMachineForward, rules: []rule{
				{oifname(ours), ctKnown, accept},
				{oifname(ours), drop},
				{iifname(ours), source.inSet("routers"), accept},
				{iifname(ours), drop},
			}},
			"nat": {hook: &hookPostrouting, rules: []rule{
				{source.inSet("routers"), masquerade},
			}},
		},
		sets: map[string]set{"routers": routers},
	}
}

// groupRules writes a pair of chains for each combination of security groups
// that some interface has, and an address set for each group that a rule names.
type groupRules struct {
	groups  map[string]*desired.SecurityGroup
	into    *ruleset
	invalid map[string]error // by the place of the rule or the member
}

// chains adds the pair for a combination, if it is missing. It returns what follows
// "in-" and "out-" in their names.
func (g groupRules) chains(ids []string) string {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	suffix := strings.Join(ids, ".")
	if _, done := g.into.chains["in-"+suffix]; done {
		return suffix
	}
	var in, out []rule
	for _, id := range ids {
		in = g.append(in, source, g.groups[id].Ingress, "security group "+id+": ingress")
		out = g.append(out, destination, g.groups[id].Egress, "security group "+id+": egress")
	}
	g.into.chains["in-"+suffix], g.into.chains["out-"+suffix] = chain{rules: in}, chain{rules: out}
	return suffix
}

// append adds rules, without duplicates.
func (g groupRules) append(to []rule, peer side, rules []desired.Rule, place string) []rule {
	for i, r := range rules {
		if r.Group == "" && !r.CIDR.Addr().Is4() && r.CIDR.IsValid() {
			continue // interfaces have no IPv6 address that it could be about
		}
		terms, err := g.terms(peer, r)
		if err != nil {
			g.invalid[fmt.Sprintf("%s rule %d", place, i)] = err
			continue
		}
		if !slices.ContainsFunc(to, func(other rule) bool { return other.String() == terms.String() }) {
			to = append(to, terms)
		}
	}
	return to
}

// terms is a rule as the kernel takes it.
func (g groupRules) terms(peer side, r desired.Rule) (rule, error) {
	var terms rule
	switch {
	case r.Group != "":
		g.members(r.Group)
		terms = append(terms, peer.inSet(r.Group))
	case !r.CIDR.IsValid():
		return nil, errors.New("neither CIDR nor group")
	case r.CIDR.Bits() > 0:
		terms = append(terms, peer.in(r.CIDR))
	}
	traffic, err := trafficTerms(r)
	return append(append(terms, traffic...), accept), err
}

// members adds the set of a group's addresses, if it is missing. A group that the
// VPC does not list has none.
func (g groupRules) members(id string) {
	if _, done := g.into.sets[id]; done {
		return
	}
	members := addresses()
	if group, ok := g.groups[id]; ok {
		members = addresses(group.Members...)
	}
	for e := range members.elements {
		if !e.addr.Is4() {
			g.invalid[fmt.Sprintf("security group %s: member %s", id, e.addr)] = errors.New("is not an IPv4 address")
			delete(members.elements, e)
		}
	}
	g.into.sets[id] = members
}

// trafficTerms is the protocol part of a rule. Source of the meanings: EC2 API,
// IpPermission.
func trafficTerms(r desired.Rule) (rule, error) {
	number, all, err := protocolNumber(r.Protocol)
	if err != nil || all {
		return nil, err
	}
	switch number {
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP:
		if r.FromPort < 0 || r.FromPort == 0 && r.ToPort == 65535 {
			return rule{protocol(number)}, nil
		}
		if r.ToPort < r.FromPort || r.ToPort > 65535 {
			return nil, fmt.Errorf("ports %d to %d", r.FromPort, r.ToPort)
		}
		return rule{ports(number, uint16(r.FromPort), uint16(r.ToPort))}, nil
	case unix.IPPROTO_ICMP:
		if r.FromPort > 255 || r.ToPort > 255 {
			return nil, fmt.Errorf("ICMP type %d code %d", r.FromPort, r.ToPort)
		}
		return rule{icmp(r.FromPort, r.ToPort)}, nil
	}
	return rule{protocol(number)}, nil
}

func protocolNumber(name string) (number uint8, all bool, err error) {
	switch name {
	case "-1":
		return 0, true, nil
	case "tcp":
		return unix.IPPROTO_TCP, false, nil
	case "udp":
		return unix.IPPROTO_UDP, false, nil
	case "icmp":
		return unix.IPPROTO_ICMP, false, nil
	case "icmpv6":
		return unix.IPPROTO_ICMPV6, false, nil
	}
	n, err := strconv.ParseUint(name, 10, 8)
	if err != nil {
		return 0, false, fmt.Errorf("protocol %q", name)
	}
	return uint8(n), false, nil
}
