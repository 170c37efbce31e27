package kernel

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A step is one thing done in one namespace; "" is the machine's own.
type step struct {
	in string
	op op
}

// A script is steps in order, about a VPC or an interface; of is its id, empty
// for the machine. The interface's rests on its VPC, which is in. Its last steps
// may be all that use a namespace, which is then let go of at its end.
type script struct {
	of, in string
	steps  []step
	lets   string
}

func (s *script) add(in string, ops ...op) {
	for _, o := range ops {
		s.steps = append(s.steps, step{in, o})
	}
}

// A plan is phases in order; the scripts of a phase run side by side.
type plan [][]script

// String is what a person would type. Each line that is not for the machine's
// own namespace begins with the name of the namespace it is for.
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

// makePlan says how to get from prev to next. With prev nil nothing is taken
// for granted but the rulesets, which were found; every step may find its work
// done, and prune has said what else must go first.
//
// The order keeps two promises. What an interface may do is settled before it
// can do anything; and an address of a VPC is unreachable from the machine
// before, between and after it is some interface's, never on its way elsewhere.
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

	var leave, enter, make, rules, unmake []script
	for _, id := range sorted(prev.interfaces) {
		if port := prev.interfaces[id]; next.interfaces[id] != port {
			leave = append(leave, removeInterface(cfg, port))
		}
	}
	for _, id := range sorted(next.interfaces) {
		if port := next.interfaces[id]; prev.interfaces[id] != port {
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

	phase(leave...)
	phase(prepareMachine(cfg, prev, next, found[""]))
	phase(make...)
	phase(rules...)
	phase(enter...)
	phase(unmake...)
	phase(releaseMachine(cfg, prev, next, found[""]))
	return p
}

// prepareMachine makes what must be there before any router is.
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
	return s
}

// releaseMachine takes away what must be there as long as some router is.
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

func changeRules(in string, prev, next *ruleset) script {
	s := script{of: in}
	if commands := diffRulesets(prev, *next); len(commands) > 0 {
		s.add(in, transaction{commands})
	}
	return s
}

// changeRouter makes a router, or follows a change of its VPC's CIDRs.
func changeRouter(cfg Config, old, r router) script {
	s := script{of: r.vpc}
	if old.vpc == "" {
		s = addRouter(cfg, r)
	}
	for _, cidr := range r.cidrs {
		if !slices.Contains(old.cidrs, cidr) {
			s.add(r.vpc, unreachable(cidr, 0), addrAdd{dev: "lo", prefix: single(resolverIn(cidr))})
		}
	}
	for _, cidr := range old.cidrs {
		if !slices.Contains(r.cidrs, cidr) {
			s.add(r.vpc, routeDel{unreachable(cidr, 0).route}, addrDel{dev: "lo", prefix: single(resolverIn(cidr))})
		}
	}
	return s
}

// unlimited has the kernel limit the number of ICMP messages as it does by
// itself, but not that of "destination unreachable": see routerRules.
// Source: Documentation/networking/ip-sysctl.rst, icmp_ratemask.
const unlimited = "6160"

func addRouter(cfg Config, r router) script {
	s := script{of: r.vpc}
	name := cfg.uplinkName(r.link)
	s.add("", netnsAdd{r.vpc})
	s.add(r.vpc,
		sysctl{"net/ipv6/conf/all/disable_ipv6", "1"},
		sysctl{"net/ipv4/ip_forward", "1"},
		sysctl{"net/ipv4/icmp_ratemask", unlimited},
		linkUp{"lo"},
		addrAdd{dev: "lo", prefix: single(gatewayAddress)},
		addrAdd{dev: "lo", prefix: single(metadataAddress)},
		addrAdd{dev: "lo", prefix: single(resolverAddress)},
		unreachable(linkLocal, 0),
	)
	s.add("",
		vethAdd{name: name, mac: r.link.mac(), peer: machineLink, peerNS: r.vpc},
		sysctl{"net/ipv6/conf/" + name + "/disable_ipv6", "1"},
		addrAdd{dev: name, prefix: netip.PrefixFrom(r.link.machine, 31), linkScope: true},
	)
	s.add(r.vpc,
		linkUp{machineLink},
		addrAdd{dev: machineLink, prefix: netip.PrefixFrom(r.link.router, 31)},
		routeAdd{route: route{to: everywhere, via: r.link.machine, dev: machineLink}},
	)
	return s
}

func removeRouter(cfg Config, r router) script {
	s := script{of: r.vpc}
	s.add("", linkDel{cfg.uplinkName(r.link)}, netnsDel{r.vpc})
	return s
}

// addInterface gives the namespace its device, with everything behind it, and
// opens the way to it last.
func addInterface(cfg Config, p port) script {
	s := script{of: p.id, in: p.vpc, lets: p.id}
	name := cfg.portName(p.id)
	s.add("", netnsAdd{p.id})
	s.add(p.vpc, vethAdd{name: name, peer: "eth0", peerNS: p.id, peerMAC: p.mac})
	s.add(p.id,
		linkUp{"lo"},
		linkUp{"eth0"},
		// The subnet's prefix is there to be seen, not to route by: neighbours
		// are reached through the router as well.
		addrAdd{dev: "eth0", prefix: netip.PrefixFrom(p.address, p.bits), noRoute: true},
		routeAdd{route: route{to: everywhere, via: gatewayAddress, dev: "eth0", onlink: true}},
	)
	s.add(p.vpc, routeAdd{route: routerRoute(cfg, p)})
	s.add("", routeAdd{route: machineRoute(cfg, p), behind: true})
	return s
}

// removeInterface closes every way to it and lets go of the namespace. The link
// goes when the kernel takes the namespace down, a moment after its last
// process has ended; to delete it here would be to wait for the kernel, some 20
// ms each. Until then the packet filter knows neither it nor its address, and
// who needs its name takes it: see vethAdd.
func removeInterface(cfg Config, p port) script {
	s := script{of: p.id}
	s.add("", routeDel{machineRoute(cfg, p)})
	s.add(p.vpc, routeDel{routerRoute(cfg, p)})
	s.add("", netnsDel{p.id})
	return s
}

// machineRoute is how the machine reaches an interface.
func machineRoute(cfg Config, p port) route {
	return route{to: single(p.address), via: p.link.router, dev: cfg.uplinkName(p.link), src: p.link.machine}
}

// routerRoute is how its router reaches an interface.
func routerRoute(cfg Config, p port) route {
	return route{to: single(p.address), dev: cfg.portName(p.id)}
}

var (
	everywhere = netip.MustParsePrefix("0.0.0.0/0")
	linkLocal  = netip.MustParsePrefix("169.254.0.0/16")
)

func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func unreachable(to netip.Prefix, metric int) routeAdd {
	return routeAdd{route: route{to: to, unreachable: true, metric: metric}}
}
