package kernel

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An observation is what the kernel has of this instance, as far as something in it
// may be unwanted. What is missing is not looked for: adding it is idempotent.
type observation struct {
	namespaces []string                  // names bound in our directory
	links      []string                  // ours on the machine
	routes     []route                   // ours on the machine
	rules      *ruleset                  // ours on the machine
	routers    map[string]observedRouter // the namespaces of wanted VPCs
	interfaces map[string][]netip.Prefix // the addresses in those of wanted interfaces
}

// An observedRouter is what was found in a router.
type observedRouter struct {
	links     []string
	routes    []route
	policies  []policy
	addresses map[string][]netip.Prefix // by link
	rules     *ruleset
}

// rulesets are those that were found, by namespace.
func (o observation) rulesets() map[string]*ruleset {
	out := map[string]*ruleset{"": o.rules}
	for vpc, r := range o.routers {
		out[vpc] = r.rules
	}
	return out
}

// prune removes what is not in next. First routes and links, then addresses and
// namespaces, and the unreachable routes last: nothing is reachable by a route that
// is removed in part.
func prune(cfg Config, seen observation, next *layout) script {
	var s script
	stale := pruneRoutes(seen.routes, next.machineRoutes(cfg))
	s.add("", slices.DeleteFunc(slices.Clone(stale), isUnreachable)...)
	uplinks := map[string]bool{}
	for _, r := range next.routers {
		uplinks[cfg.uplinkName(r.link)] = true
	}
	s.add("", pruneLinks(seen.links, uplinks)...)
	for _, vpc := range sorted(seen.routers) {
		s.add(vpc, pruneRouter(cfg, seen.routers[vpc], next, next.routers[vpc])...)
	}
	for _, name := range seen.namespaces {
		if _, is := next.routers[name]; is {
			continue
		}
		if p, is := next.interfaces[name]; !is || !p.hasAll(seen.interfaces[name]) {
			s.add("", netnsDel{name}) // with other addresses it is another interface
		}
	}
	s.add("", slices.DeleteFunc(stale, func(o op) bool { return !isUnreachable(o) })...)
	return s
}

// hasAll says that addresses are among those of an interface.
func (p port) hasAll(addresses []netip.Prefix) bool {
	own := []netip.Prefix{netip.PrefixFrom(p.address, p.bits), netip.PrefixFrom(p.address6, p.bits6)}
	return !slices.ContainsFunc(addresses, func(a netip.Prefix) bool { return !slices.Contains(own, a) })
}

func isUnreachable(o op) bool {
	r, ok := o.(routeDel)
	return ok && r.unreachable
}

func pruneRoutes(seen []route, want []route) []op {
	var out []op
	for _, r := range seen {
		if !slices.Contains(want, r) {
			out = append(out, routeDel{r})
		}
	}
	return out
}

func pruneLinks(seen []string, want map[string]bool) []op {
	var out []op
	for _, name := range seen {
		if !want[name] {
			out = append(out, linkDel{name})
		}
	}
	return out
}

func pruneRouter(cfg Config, seen observedRouter, next *layout, r router) []op {
	links := map[string]bool{}
	routes := []route{
		unreachable(linkLocal, 0).route,
		{to: everywhere, via: r.link.machine, dev: machineLink},
	}
	for _, p := range next.interfaces {
		if p.vpc == r.vpc {
			links[cfg.portName(p.id)] = true
			for _, a := range p.addresses() {
				routes = append(routes, routerRoute(cfg, p, a))
			}
		}
	}
	addresses := map[string][]netip.Prefix{
		"lo":        {single(gatewayAddress), single(metadataAddress), single(resolverAddress)},
		machineLink: {netip.PrefixFrom(r.link.router, 31)},
	}
	for _, cidr := range r.unreachable() {
		routes = append(routes, unreachable(cidr, 0).route)
	}
	if r.ipv6 {
		routes = append(routes, uplink6Route)
	}
	for _, a := range r.services {
		addresses["lo"] = append(addresses["lo"], single(a))
	}
	var policies []policy
	for _, p := range next.peerings {
		for _, ends := range [][2]peerEnd{{p.a, p.b}, {p.b, p.a}} {
			if here, there := ends[0], ends[1]; here.vpc == r.vpc {
				links[here.link] = true
				addresses[here.link] = []netip.Prefix{single(here.router)}
				routes = append(routes, peerRoute(here, there))
				policies = append(policies, policy{here.mark, false})
				if p.ipv6 {
					routes = append(routes, peerRoute6(here, there))
					policies = append(policies, policy{here.mark, true})
				}
			}
		}
	}
	var out []op
	for _, p := range seen.policies {
		if !slices.Contains(policies, p) {
			out = append(out, policyDel{p})
		}
	}
	out = append(append(out, pruneRoutes(seen.routes, routes)...), pruneLinks(seen.links, links)...)
	for _, dev := range sorted(addresses) {
		for _, a := range seen.addresses[dev] {
			if !slices.Contains(addresses[dev], a) && !a.Addr().IsLoopback() {
				out = append(out, addrDel{dev, a})
			}
		}
	}
	return out
}

// machineRoutes are all routes that the layout has on the machine.
func (l *layout) machineRoutes(cfg Config) []route {
	var out []route
	for _, cidr := range l.unreachable {
		out = append(out, unreachable(cidr, cfg.unreachableMetric()).route)
	}
	for _, p := range l.interfaces {
		if p.address.IsValid() {
			out = append(out, machineRoute(cfg, p))
		}
	}
	for a, p := range l.publics {
		out = append(out, publicRoute(cfg, a, p))
	}
	return out
}

// observe finds what belongs to this instance: on the machine, and in the namespaces of
// the routers and interfaces that are wanted.
func (m *machine) observe(next *layout) (observation, error) {
	seen := observation{routers: map[string]observedRouter{}, interfaces: map[string][]netip.Prefix{}}
	entries, err := os.ReadDir(m.cfg.NetNSDir)
	if err != nil {
		return seen, err
	}
	for _, e := range entries {
		seen.namespaces = append(seen.namespaces, e.Name())
	}
	links, err := observeLinks(m.own)
	if err != nil {
		return seen, err
	}
	seen.links = m.ownLinks(links)
	if seen.routes, err = observeRoutes(m.own, links); err != nil {
		return seen, err
	}
	// A route is ours if it goes over our link or has our metric.
	seen.routes = slices.DeleteFunc(seen.routes, func(r route) bool {
		if r.unreachable {
			return r.metric != m.cfg.unreachableMetric()
		}
		return !strings.HasPrefix(r.dev, m.cfg.linkPrefix())
	})
	if seen.rules, err = observeRules(m.own, m.cfg.tableName()); err != nil {
		return seen, err
	}
	for _, name := range seen.namespaces {
		_, isRouter := next.routers[name]
		_, isInterface := next.interfaces[name]
		if bound, err := isNamespace(m.path(name)); err != nil {
			return seen, err
		} else if !bound {
			continue
		}
		switch {
		case isRouter:
			seen.routers[name], err = m.observeRouter(name)
		case isInterface:
			seen.interfaces[name], err = m.observeInterface(name)
		}
		if err != nil {
			return seen, fmt.Errorf("in %s: %w", name, err)
		}
	}
	return seen, nil
}

// observeInterface lists the addresses of an interface, without those that the kernel
// chose. Its namespace is not kept open: there are many.
func (m *machine) observeInterface(id string) ([]netip.Prefix, error) {
	in, err := openNamespace(m.path(id))
	if err != nil {
		return nil, err
	}
	defer in.close()
	links, err := observeLinks(in)
	if err != nil {
		return nil, err
	}
	addresses, err := observeAddresses(in, links, netlink.FAMILY_ALL)
	return slices.DeleteFunc(addresses["eth0"], func(p netip.Prefix) bool { return p.Addr().IsLinkLocalUnicast() }), err
}

func (m *machine) observeRouter(vpc string) (observedRouter, error) {
	var seen observedRouter
	in, err := m.namespace(vpc)
	if err != nil {
		return seen, err
	}
	links, err := observeLinks(in)
	if err != nil {
		return seen, err
	}
	seen.links = m.ownLinks(links)
	if seen.routes, err = observeRoutes(in, links); err != nil {
		return seen, err
	}
	if seen.policies, err = observePolicies(in); err != nil {
		return seen, err
	}
	if seen.addresses, err = observeAddresses(in, links, netlink.FAMILY_V4); err != nil {
		return seen, err
	}
	seen.rules, err = observeRules(in, routerTable)
	return seen, err
}

func observeRules(in *namespace, table string) (*ruleset, error) {
	conn, err := in.nft()
	if err != nil {
		return nil, err
	}
	return observeRuleset(conn, table)
}

// ownLinks are the links whose name carries the instance, sorted.
func (m *machine) ownLinks(links map[int]string) []string {
	var out []string
	for _, name := range links {
		if strings.HasPrefix(name, m.cfg.linkPrefix()) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// dump repeats a listing until the kernel says that nothing changed meanwhile.
// Links that it is removing change the list for a while.
func dump[T any](list func() ([]T, error)) ([]T, error) {
	const attempts, pause = 200, 5 * time.Millisecond
	for i := 1; ; i++ {
		out, err := list()
		if i == attempts || !errors.Is(err, netlink.ErrDumpInterrupted) {
			return out, err
		}
		time.Sleep(pause)
	}
}

// observeLinks lists links by index.
func observeLinks(in *namespace) (map[int]string, error) {
	links, err := dump(in.links.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	out := make(map[int]string, len(links))
	for _, l := range links {
		out[l.Attrs().Index] = l.Attrs().Name
	}
	return out, nil
}

func observeRoutes(in *namespace, links map[int]string) ([]route, error) {
	ours := &netlink.Route{Protocol: routeProtocol, Table: unix.RT_TABLE_UNSPEC} // of every table
	var out []route
	for _, f := range []int{unix.AF_INET, unix.AF_INET6} {
		found, err := dump(func() ([]netlink.Route, error) {
			return in.links.RouteListFiltered(f, ours, netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE)
		})
		if err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
		for _, r := range found {
			out = append(out, observedRoute(r, f == unix.AF_INET6, links))
		}
	}
	return out, nil
}

// defaultMetric6 is what the kernel makes of an IPv6 route's metric 0. Source:
// linux/ipv6_route.h, IP6_RT_PRIO_USER.
const defaultMetric6 = 1024

func observedRoute(f netlink.Route, v6 bool, links map[int]string) route {
	r := route{to: everywhere, metric: f.Priority, unreachable: f.Type == unix.RTN_UNREACHABLE, onlink: f.Flags&int(netlink.FLAG_ONLINK) != 0}
	if v6 {
		r.to = everywhere6
		if r.metric == defaultMetric6 {
			r.metric = 0
		}
	}
	if f.Dst != nil {
		bits, _ := f.Dst.Mask.Size()
		r.to = netip.PrefixFrom(observedAddress(f.Dst.IP), bits)
	}
	if f.Table != unix.RT_TABLE_MAIN {
		r.table = f.Table
	}
	r.via, r.src = observedAddress(f.Gw), observedAddress(f.Src)
	if !r.unreachable {
		r.dev = links[f.LinkIndex]
	}
	return r
}

func observedAddress(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}

func observePolicies(in *namespace) ([]policy, error) {
	var out []policy
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		found, err := dump(func() ([]netlink.Rule, error) { return in.links.RuleList(family) })
		if err != nil {
			return nil, fmt.Errorf("list routing policies: %w", err)
		}
		for _, f := range found {
			if f.Priority == policyPriority {
				out = append(out, policy{mark(f.Mark), family == unix.AF_INET6})
			}
		}
	}
	return out, nil
}

func observeAddresses(in *namespace, links map[int]string, family int) (map[string][]netip.Prefix, error) {
	found, err := dump(func() ([]netlink.Addr, error) { return in.links.AddrList(nil, family) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	out := map[string][]netip.Prefix{}
	for _, f := range found {
		bits, _ := f.Mask.Size()
		out[links[f.LinkIndex]] = append(out[links[f.LinkIndex]], netip.PrefixFrom(observedAddress(f.IP), bits))
	}
	return out, nil
}

// adoptUplinks finds the pairs that routers already have. taken are the addresses of
// the machine that are on other links.
func (m *machine) adoptUplinks(vpcs []string) (have map[string]uplink, taken map[netip.Addr]bool, err error) {
	have, taken = map[string]uplink{}, map[netip.Addr]bool{}
	links, err := observeLinks(m.own)
	if err != nil {
		return nil, nil, err
	}
	addresses, err := observeAddresses(m.own, links, netlink.FAMILY_V4)
	if err != nil {
		return nil, nil, err
	}
	for link, prefixes := range addresses {
		for _, p := range prefixes {
			if link != m.cfg.uplinkName(uplink{machine: p.Addr()}) {
				taken[p.Addr()] = true
			}
		}
	}
	for _, vpc := range vpcs {
		in, err := m.namespace(vpc)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EINVAL) {
			continue // not there, or only its empty file
		}
		if err != nil {
			return nil, nil, err
		}
		l, ok, err := routerUplink(in)
		if err != nil {
			return nil, nil, fmt.Errorf("in %s: %w", vpc, err)
		}
		if ok && !taken[l.machine] {
			have[vpc] = l
		}
	}
	return have, taken, nil
}

func routerUplink(in *namespace) (uplink, bool, error) {
	links, err := observeLinks(in)
	if err != nil {
		return uplink{}, false, err
	}
	addresses, err := observeAddresses(in, links, netlink.FAMILY_V4)
	if err != nil {
		return uplink{}, false, err
	}
	for _, p := range addresses[machineLink] {
		if l, ok := uplinkOf(p.Addr()); ok {
			return l, true, nil
		}
	}
	return uplink{}, false, nil
}
