package kernel

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// A step is one thing done in one namespace; "" is the machine's own.
type step struct {
	in string
	op op
}

// A script is steps in order that change one VPC, one interface or the machine.
type script struct {
	id     string // of the VPC or the interface; "" for the machine
	vpc    string // that an interface is in: its script is not run when the VPC's fails
	steps  []step
	closes string // a namespace that is closed at the end, for most are not used again
}

func (s *script) add(in string, ops ...op) {
	for _, o := range ops {
		s.steps = append(s.steps, step{in, o})
	}
}

// A plan is phases in order. The scripts of a phase run in parallel.
type plan [][]script

// String is the plan as commands of ip(8), nft(8) and sysctl(8). A line that is not
// for the machine's own namespace begins with the name of its namespace.
func (p plan) String() string {
	var b strings.Builder
	for _, phase := range p {
		for _, s := range phase {
			for _, st := range s.steps {
				for line := range strings.Lines(st.op.String()) {
					if st.in != "" {
						fmt.Fprintf(&b, "[%s] ", st.in)
					}
					b.WriteString(strings.TrimSuffix(line, "\n") + "\n")
				}
			}
		}
	}
	return b.String()
}

// makePlan is the plan that changes prev into next. With prev nil only the rulesets
// are known, from observation: every step may be done already, and prune has
// removed what is not wanted.
//
// The order has two invariants. The rules for an interface are in force before the
// interface is reachable. And while an address of a VPC or a public one belongs to no
// interface, it is unreachable from the machine: no packet for it leaves by another
// route.
func makePlan(cfg Config, prev, next *layout, found map[string]*ruleset) plan {
	if prev == nil {
		prev = &layout{}
	} else {
		found = prev.rulesets()
	}
	var p plan
	phase := func(scripts ...script) {
		scripts = slices.DeleteFunc(scripts, func(s script) bool { return len(s.steps) == 0 })
		if len(scripts) > 0 {
			p = append(p, scripts)
		}
	}

	var part, leave, enter, join, make, rules, unmake []script
	for _, key := range sorted(prev.peerings) {
		if p := prev.peerings[key]; next.peerings[key] != p {
			part = append(part, removePeering(p))
		}
	}
	for _, key := range sorted(next.peerings) {
		if p := next.peerings[key]; prev.peerings[key] != p {
			join = append(join, addPeering(p))
		}
	}
	for _, id := range sorted(prev.interfaces) {
		switch port := prev.interfaces[id]; {
		case next.interfaces[id] == port:
		case port.without6() == next.interfaces[id].without6():
			leave = append(leave, removeIPv6(cfg, port))
		default:
			leave = append(leave, removeInterface(cfg, port))
		}
	}
	for _, id := range sorted(next.interfaces) {
		switch port := next.interfaces[id]; {
		case prev.interfaces[id] == port:
		case port.without6() == prev.interfaces[id].without6():
			enter = append(enter, addIPv6(cfg, port))
		default:
			enter = append(enter, addInterface(cfg, port))
		}
	}
	for _, id := range sorted(next.routers) {
		r := next.routers[id]
		make = append(make, changeRouter(cfg, prev.routers[id], r))
		rules = append(rules, changeRules(id, found[id], &r.rules))
	}
	for _, id := range sorted(prev.routers) {
		if _, kept := next.routers[id]; !kept {
			unmake = append(unmake, removeRouter(cfg, prev.routers[id]))
		}
	}

	phase(changePublics(cfg, prev, next, func(r route) op { return routeDel{r} })...)
	phase(part...)
	phase(leave...)
	phase(prepareMachine(cfg, prev, next, found[""]))
	phase(make...)
	phase(rules...)
	phase(join...)
	phase(enter...)
	phase(changePublics(cfg, next, prev, func(r route) op { return routeAdd{route: r} })...)
	phase(unmake...)
	phase(releaseMachine(cfg, prev, next, found[""]))
	return p
}

// prepareMachine adds what must exist before any router does.
func prepareMachine(cfg Config, prev, next *layout, found *ruleset) script {
	var s script
	for _, cidr := range next.unreachable {
		if !slices.Contains(prev.unreachable, cidr) {
			s.add("", unreachable(cidr, cfg.unreachableMetric()))
		}
	}
	if next.rules != nil {
		s.steps = append(s.steps, changeRules("", found, next.rules).steps...)
	}
	if next.forwarding && !prev.forwarding {
		s.add("", sysctl{"net/ipv4/ip_forward", "1"})
	}
	if next.hasIPv6() && !prev.hasIPv6() {
		s.add("", forward6{})
	}
	return s
}

// releaseMachine removes what must exist as long as any router does.
func releaseMachine(cfg Config, prev, next *layout, found *ruleset) script {
	var s script
	for _, cidr := range prev.unreachable {
		if !slices.Contains(next.unreachable, cidr) {
			s.add("", routeDel{unreachable(cidr, cfg.unreachableMetric()).route})
		}
	}
	if next.rules == nil && found != nil {
		s.add("", tableDel{cfg.tableName()})
	}
	return s
}

// changePublics does something with the machine's routes to the public addresses that
// one layout has and the other has not, or has elsewhere.
func changePublics(cfg Config, has, other *layout, do func(route) op) []script {
	byVPC := map[string]*script{}
	for _, a := range slices.SortedFunc(maps.Keys(has.publics), netip.Addr.Compare) {
		p := has.publics[a]
		if o, same := other.publics[a]; same && o.link == p.link {
			continue
		}
		if byVPC[p.vpc] == nil {
			byVPC[p.vpc] = &script{id: p.vpc}
		}
		byVPC[p.vpc].add("", do(publicRoute(cfg, a, p)))
	}
	var out []script
	for _, id := range sorted(byVPC) {
		out = append(out, *byVPC[id])
	}
	return out
}

func changeRules(in string, prev, next *ruleset) script {
	s := script{id: in}
	if prev != nil && prev.is(next) {
		return s
	}
	if commands := diffRulesets(prev, *next); len(commands) > 0 {
		s.add(in, transaction{commands})
	}
	return s
}

// changeRouter adds a router, or changes its CIDRs.
func changeRouter(cfg Config, old, r router) script {
	s := script{id: r.vpc}
	if old.vpc == "" {
		s = addRouter(cfg, r)
	}
	if r.ipv6 != old.ipv6 {
		s.steps = append(s.steps, switchIPv6(cfg, r).steps...)
	}
	for _, cidr := range r.unreachable() {
		if !slices.Contains(old.cidrs, cidr) {
			s.add(r.vpc, unreachable(cidr, 0))
		}
	}
	for _, a := range r.services {
		if !slices.Contains(old.services, a) {
			s.add(r.vpc, addrAdd{dev: "lo", prefix: single(a)})
		}
	}
	for _, cidr := range old.unreachable() {
		if !slices.Contains(r.cidrs, cidr) {
			s.add(r.vpc, routeDel{unreachable(cidr, 0).route})
		}
	}
	for _, a := range old.services {
		if !slices.Contains(r.services, a) {
			s.add(r.vpc, addrDel{dev: "lo", prefix: single(a)})
		}
	}
	return s
}

// icmpRateMask is the kernel's default but for "destination unreachable", whose rate
// is not limited: see routerRules. Source: Documentation/networking/ip-sysctl.rst, icmp_ratemask.
const icmpRateMask = "6160"

func addRouter(cfg Config, r router) script {
	s := script{id: r.vpc}
	name := cfg.uplinkName(r.link)
	s.add("", netnsAdd{r.vpc})
	s.add(r.vpc,
		sysctl{"net/ipv6/conf/all/disable_ipv6", "1"},
		sysctl{"net/ipv4/ip_forward", "1"},
		sysctl{"net/ipv4/icmp_ratemask", icmpRateMask},
		linkUp{"lo"},
		addrAdd{dev: "lo", prefix: single(gatewayAddress)},
		addrAdd{dev: "lo", prefix: single(metadataAddress)},
		addrAdd{dev: "lo", prefix: single(resolverAddress)},
		unreachable(linkLocal, 0),
	)
	s.add("",
		vethAdd{name: name, mac: r.link.mac(), peer: machineLink, peerNS: r.vpc},
		addrAdd{dev: name, prefix: netip.PrefixFrom(r.link.machine, 31), linkScope: true},
	)
	if !r.ipv6 {
		s.add("", sysctl{"net/ipv6/conf/" + name + "/disable_ipv6", "1"})
	}
	s.add(r.vpc,
		linkUp{machineLink},
		addrAdd{dev: machineLink, prefix: netip.PrefixFrom(r.link.router, 31)},
		routeAdd{route: route{to: everywhere, via: r.link.machine, dev: machineLink}},
	)
	return s
}

func removeRouter(cfg Config, r router) script {
	s := script{id: r.vpc}
	s.add("", linkDel{cfg.uplinkName(r.link)}, netnsDel{r.vpc})
	return s
}

// addInterface makes the namespace and its device, and adds the routes to it last.
func addInterface(cfg Config, p port) script {
	s := script{id: p.id, vpc: p.vpc, closes: p.id}
	name := cfg.portName(p.id)
	s.add("", netnsAdd{p.id})
	s.add(p.vpc, vethAdd{name: name, peer: "eth0", peerNS: p.id, peerMAC: p.mac})
	s.add(p.id, linkUp{"lo"}, linkUp{"eth0"})
	// The subnet's prefix is shown on the device, but no route follows from
	// it: other addresses of the subnet are reached through the router too.
	if p.address.IsValid() {
		s.add(p.id,
			addrAdd{dev: "eth0", prefix: netip.PrefixFrom(p.address, p.bits), noRoute: true},
			routeAdd{route: route{to: everywhere, via: gatewayAddress, dev: "eth0", onlink: true}},
		)
	}
	s.steps = append(s.steps, addIPv6(cfg, p).steps...)
	if p.address.IsValid() {
		s.add(p.vpc, routeAdd{route: routerRoute(cfg, p, p.address)})
		s.add("", routeAdd{route: machineRoute(cfg, p), appended: true})
	}
	return s
}

// addIPv6 gives an interface its IPv6 address, if it is to have one.
func addIPv6(cfg Config, p port) script {
	s := script{id: p.id, vpc: p.vpc, closes: p.id}
	if !p.address6.IsValid() {
		return s
	}
	s.add(p.vpc, enableIPv6(cfg.portName(p.id), gateway6)...)
	s.add(p.id,
		sysctl{"net/ipv6/conf/eth0/accept_ra", "0"},
		sysctl{"net/ipv6/conf/eth0/disable_ipv6", "0"},
		addrAdd{dev: "eth0", prefix: netip.PrefixFrom(p.address6, p.bits6), noRoute: true},
		routeAdd{route: route{to: everywhere6, via: gateway6, dev: "eth0"}},
	)
	s.add(p.vpc, routeAdd{route: routerRoute(cfg, p, p.address6)})
	return s
}

// removeIPv6 takes an interface's IPv6 address away, with its routes, and leaves the rest
// as it is: a load balancer goes on serving by IPv4.
func removeIPv6(cfg Config, p port) script {
	s := script{id: p.id, vpc: p.vpc, closes: p.id}
	if p.address6.IsValid() {
		s.add(p.vpc, routeDel{routerRoute(cfg, p, p.address6)})
		s.add(p.id, sysctl{"net/ipv6/conf/eth0/disable_ipv6", "1"})
		s.add(p.vpc, sysctl{"net/ipv6/conf/" + cfg.portName(p.id) + "/disable_ipv6", "1"})
	}
	return s
}

// removeInterface removes the routes to it and unbinds the namespace. The kernel
// removes the link with the namespace, after its last process has ended. Deleting
// the link here would wait for the kernel, some 20 ms each. Until it is gone, the
// packet filter has neither the link nor its address, and another interface can
// take its name: see vethAdd.
func removeInterface(cfg Config, p port) script {
	s := script{id: p.id}
	if p.address.IsValid() {
		s.add("", routeDel{machineRoute(cfg, p)})
	}
	for _, a := range p.addresses() {
		s.add(p.vpc, routeDel{routerRoute(cfg, p, a)})
	}
	s.add("", netnsDel{p.id})
	return s
}

// machineRoute is the machine's route to an interface.
func machineRoute(cfg Config, p port) route {
	return route{to: single(p.address), via: p.link.router, dev: cfg.uplinkName(p.link), src: p.link.machine}
}

// publicRoute is the machine's route to a public address.
func publicRoute(cfg Config, a netip.Addr, p public) route {
	r := route{to: single(a), via: p.link.router, dev: cfg.uplinkName(p.link), src: p.link.machine}
	if a.Is6() {
		r.via, r.src = uplink6Router, p.link.machine6(cfg.Instance)
	}
	return r
}

// routerRoute is the router's route to an address of an interface.
func routerRoute(cfg Config, p port, a netip.Addr) route {
	return route{to: single(a), dev: cfg.portName(p.id)}
}

var (
	everywhere6 = netip.MustParsePrefix("::/0")
	everywhere  = netip.MustParsePrefix("0.0.0.0/0")
	linkLocal   = netip.MustParsePrefix("169.254.0.0/16")
)

func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func unreachable(to netip.Prefix, metric int) routeAdd {
	return routeAdd{route: route{to: to, unreachable: true, metric: metric}}
}
