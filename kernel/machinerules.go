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

// icmpRedirect is the type of ICMP messages that tell of a shorter way (RFC 792).
const icmpRedirect = 5

// machineRules is the instance's table on the machine. Interfaces cannot connect to
// the machine. They connect through it to others with the public addresses that are
// theirs, or the address of their router; and others connect through it to public
// addresses: interfaces always, and those outside when the network routes them here.
func machineRules(cfg Config, links []uplink, publics map[netip.Addr]public) ruleset {
	ours := cfg.linkPrefix() + "*"
	sources, routers, reached := newSet(ip4.linked()), addresses(), addresses()
	for _, l := range links {
		routers.add(l.router)
		sources.elements[element{link: cfg.uplinkName(l), addr: l.router}] = value{}
	}
	for a, p := range publics {
		reached.add(a)
		sources.elements[element{link: cfg.uplinkName(p.link), addr: a}] = value{}
	}
	from, to := ip4.source(), ip4.destination()
	// What has no address is not told, as the next address is not either, if it is
	// somebody else's.
	unrouted := []rule{{iifname(ours), ctNew, notLocal, nowhere, drop}}
	if cfg.Public.IsValid() {
		unrouted = append(unrouted, rule{to.in(cfg.Public), ctNew, notLocal, nowhere, drop})
	}
	arrive, leave := rule{oifname(ours), iifname(ours), to.inSet("public"), accept}, []rule{
		{notOifname(ours), from.inSet("public"), masquerade},
	}
	if cfg.PublicRouted {
		arrive, leave = rule{oifname(ours), to.inSet("public"), accept}, nil
	}
	return ruleset{
		table: cfg.tableName(),
		chains: map[string]chain{
			"unrouted": {hook: &hookMachineArrival, rules: unrouted},
			"input": {hook: &hookMachineInput, rules: []rule{
				{iifname(ours), ctKnown, accept},
				{iifname(ours), drop},
			}},
			"forward": {hook: &hookMachineForward, rules: []rule{
				{iifname(ours), ip4.linkAnd("sources", false, true), drop},
				{oifname(ours), ctKnown, accept},
				arrive,
				{oifname(ours), drop},
				{iifname(ours), accept},
			}},
			// Two interfaces of one VPC meet by their public addresses here: that is no
			// reason to tell the router of a shorter way.
			"output": {hook: &hookMachineOutput, rules: []rule{
				{oifname(ours), icmp(unix.IPPROTO_ICMP, icmpRedirect, -1), drop},
			}},
			"nat": {hook: &hookSource, rules: append(leave, rule{from.inSet("routers"), masquerade})},
		},
		sets: map[string]set{"sources": sources, "routers": routers, "public": reached},
	}
}

func notOifname(name string) term {
	return linkTerm("oifname", expr.MetaKeyOIFNAME, expr.CmpOpNeq, name)
}

var (
	// notLocal matches packets that are not to the machine itself, and nowhere those to
	// which no route leads.
	notLocal = term{"fib daddr type unicast", []expr.Any{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(unix.RTN_UNICAST)},
	}}
	nowhere = term{"fib daddr oif 0", []expr.Any{
		&expr.Fib{Register: 1, FlagDADDR: true, ResultOIF: true},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(0)},
	}}
)
