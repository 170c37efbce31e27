package kernel

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

var (
	hookMachineArrival = hook{nftables.ChainTypeFilter, "prerouting", nftables.ChainHookPrerouting, -150, nftables.ChainPolicyAccept}
	hookMachineInput   = hook{nftables.ChainTypeFilter, "input", nftables.ChainHookInput, 0, nftables.ChainPolicyAccept}
	hookMachineForward = hook{nftables.ChainTypeFilter, "forward", nftables.ChainHookForward, 0, nftables.ChainPolicyAccept}
	hookMachineOutput  = hook{nftables.ChainTypeFilter, "output", nftables.ChainHookOutput, 0, nftables.ChainPolicyAccept}
)

// Types of messages that tell of a shorter way. Sources: RFC 792, RFC 4861.
const icmpRedirect, icmpv6Redirect = 5, 137

// machineRules is the instance's table on the machine. Interfaces cannot connect to
// the machine. They connect through it to others with the public addresses that are
// theirs, or the address of their router; and others connect through it to public
// addresses: interfaces always, and those outside when the network routes them here.
func machineRules(cfg Config, links []uplink, publics map[netip.Addr]public) ruleset {
	ours := cfg.linkPrefix() + "*"
	m := ruleset{table: cfg.tableName(), chains: map[string]chain{}, sets: map[string]set{"routers": addresses()}}
	families := []*family{ip4}
	for a := range publics {
		if !a.Is4() {
			families = []*family{ip4, ip6}
		}
	}
	for _, f := range families {
		m.sets["sources"+f.suffix], m.sets["public"+f.suffix] = newSet(f.linked()), newSet(f.address)
	}
	for _, l := range links {
		m.sets["routers"].add(l.router)
		m.sets["sources"].elements[element{link: cfg.uplinkName(l), addr: l.router}] = value{}
	}
	for a, p := range publics {
		f := familyOf(a)
		m.sets["public"+f.suffix].add(a)
		m.sets["sources"+f.suffix].elements[element{link: cfg.uplinkName(p.link), addr: a}] = value{}
	}
	m.chains["unrouted"] = chain{hook: &hookMachineArrival, rules: unrouted(cfg, families)}
	m.chains["input"] = chain{hook: &hookMachineInput, rules: machineInput(ours, families)}
	m.chains["forward"] = chain{hook: &hookMachineForward, rules: machineForward(cfg, ours, families)}
	// Two interfaces of one VPC meet by their public addresses here: that is no reason
	// to tell the router of a shorter way.
	m.chains["output"] = chain{hook: &hookMachineOutput, rules: []rule{
		{oifname(ours), icmp(unix.IPPROTO_ICMP, icmpRedirect, -1), drop},
		{oifname(ours), icmp(unix.IPPROTO_ICMPV6, icmpv6Redirect, -1), drop},
	}}
	var nat []rule
	for _, f := range families {
		if !cfg.PublicRouted {
			nat = append(nat, rule{notOifname(ours), f.source().inSet("public"), masquerade})
		}
	}
	m.chains["nat"] = chain{hook: &hookSource, rules: append(nat, rule{ip4.source().inSet("routers"), masquerade})}
	return m
}

// unrouted drops what is for nobody. Its sender is not told, as it would not be if the
// address were somebody else's.
func unrouted(cfg Config, families []*family) []rule {
	ours := cfg.linkPrefix() + "*"
	out := []rule{{iifname(ours), ctNew, notLocal, nowhere, drop}}
	if cfg.Public.IsValid() {
		out = append(out, rule{ip4.destination().in(cfg.Public), ctNew, notLocal, nowhere, drop})
	}
	if len(families) > 1 {
		out = append(out, rule{iifname(ours), ctNew, ip6.is(), rejected, drop})
		if cfg.Public6.IsValid() {
			out = append(out, rule{ip6.destination().in(cfg.Public6), ctNew, rejected, drop})
		}
	}
	return out
}

func machineInput(ours string, families []*family) []rule {
	out := []rule{{iifname(ours), ctKnown, accept}}
	if len(families) > 1 {
		// The machine asks by the address that it connects from, and is answered there.
		out = append(out, rule{iifname(ours), ip6.is(), neighborKinds(), accept})
	}
	return append(out, rule{iifname(ours), drop})
}

func machineForward(cfg Config, ours string, families []*family) []rule {
	var out []rule
	for _, f := range families {
		out = append(out, rule{iifname(ours), f.linkAnd("sources", false, true), drop})
	}
	if len(families) == 1 {
		out = append(out, rule{iifname(ours), ip6.is(), drop})
	}
	out = append(out, rule{oifname(ours), ctKnown, accept})
	for _, f := range families {
		// Nobody outside passes for somebody here.
		out = append(out, rule{oifname(ours), notIifname(ours), f.source().inSet("public"), drop})
		arrive := rule{oifname(ours), iifname(ours), f.destination().inSet("public"), accept}
		if cfg.PublicRouted {
			arrive = rule{oifname(ours), f.destination().inSet("public"), accept}
		}
		out = append(out, arrive)
	}
	return append(out, rule{oifname(ours), drop}, rule{iifname(ours), accept})
}

func notOifname(name string) term {
	return linkTerm("oifname", expr.MetaKeyOIFNAME, expr.CmpOpNeq, name)
}

var (
	// notLocal matches packets that are not to the machine itself, and nowhere those to
	// which no route leads. Of IPv6 the kernel says it in other words.
	notLocal = term{"fib daddr type unicast", []expr.Any{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(unix.RTN_UNICAST)},
	}}
	nowhere = term{"fib daddr oif 0", []expr.Any{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultOIF: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(0)},
	}}
	rejected = term{"fib daddr type unreachable", []expr.Any{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(unix.RTN_UNREACHABLE)},
	}}
)
