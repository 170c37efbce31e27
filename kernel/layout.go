package kernel

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"
	"strings"

	"fargo/desired"
	"fargo/host"
)

// A layout is everything that this instance has on the machine but for control
// groups: a [host.Network] with uplinks chosen.
type layout struct {
	unreachable []netip.Prefix // on the machine; sorted, each once
	forwarding  bool           // the machine forwards for some interface or gateway
	rules       *ruleset       // on the machine; nil without VPCs
	routers     map[string]router
	peerings    map[string]peering
	interfaces  map[string]port
	publics     map[netip.Addr]public
}

// A public is whose a public address is: an interface's or a NAT gateway's.
type public struct {
	vpc   string
	link  uplink // of the VPC
	owner string
}

// rulesets are all tables of the layout, by namespace.
func (l *layout) rulesets() map[string]*ruleset {
	out := map[string]*ruleset{"": l.rules}
	for id, r := range l.routers {
		out[id] = &r.rules
	}
	return out
}

// A router is a VPC's namespace.
type router struct {
	vpc      string
	link     uplink
	cidrs    []netip.Prefix // sorted, each once
	services []netip.Addr   // on the router itself, besides those that every router has
	ipv6     bool
	rules    ruleset
	invalid  error // what is wrong in them
	from     routerInput
}

// unreachable are the CIDRs to which the router has a route for what is unused. The
// packet filter rejects it before; of IPv6 only if there is no such route.
func (r router) unreachable() []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(r.cidrs), func(p netip.Prefix) bool { return p.Addr().Is6() })
}

// A port is an interface's namespace and its link to the router. Ports are
// comparable: a change of any field makes another port.
type port struct {
	id, vpc  string
	link     uplink     // of the VPC
	address  netip.Addr // not valid in a subnet without IPv4
	bits     int        // of the subnet
	address6 netip.Addr // not valid in a subnet without IPv6
	bits6    int
	mac      string
}

// without6 is an interface as it is without its IPv6 address.
func (p port) without6() port {
	p.address6, p.bits6 = netip.Addr{}, 0
	return p
}

// addresses are those that an interface has.
func (p port) addresses() []netip.Addr {
	return slices.DeleteFunc([]netip.Addr{p.address, p.address6}, func(a netip.Addr) bool { return !a.IsValid() })
}

// An uplink is the pair of addresses between the machine and a router.
type uplink struct{ machine, router netip.Addr }

// mac is the machine's hardware address on the link, locally administered. It
// is set because udev replaces addresses that the kernel chose (systemd.link(5),
// MACAddressPolicy=), and the router would keep the old one.
func (l uplink) mac() string {
	return net.HardwareAddr(append([]byte{0x02, 0x00}, l.machine.AsSlice()...)).String()
}

// machine6 is the IPv6 address by which the machine connects to interfaces. The block is
// one of those that are unique and routed nowhere (RFC 4193).
func (l uplink) machine6(instance string) netip.Addr {
	b := netip.MustParseAddr("fdfa:7260::").As16()
	_, _ = hex.Decode(b[4:6], []byte(instance)) // Config has checked it
	copy(b[12:], l.machine.AsSlice())
	return netip.AddrFrom16(b)
}

// uplinks is the block that the pairs are from, 8192 of them. It has none of the
// link-local addresses that AWS gives a meaning to.
var uplinks = netip.MustParsePrefix("169.254.192.0/18")

const uplinkCount = 1 << (31 - 18)

// uplinkNumber gives pair n, and pairs again from the start after the last.
func uplinkNumber(n uint32) uplink {
	base := binary.BigEndian.Uint32(uplinks.Addr().AsSlice())
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], base+n%uplinkCount*2)
	machine := netip.AddrFrom4(b)
	return uplink{machine, machine.Next()}
}

// uplinkOf is the pair that a router's address belongs to.
func uplinkOf(router netip.Addr) (uplink, bool) {
	machine := router.Prev()
	ok := uplinks.Contains(router) && machine == netip.PrefixFrom(router, 31).Masked().Addr()
	return uplink{machine, router}, ok
}

// chooseUplinks gives every VPC a pair: the one it has, or else a free one. The
// search begins at a hash of instance and VPC, so that two instances that choose at
// the same time rarely choose the same. taken are the machine's addresses that are
// not uplinks of this instance. When none is free the VPC gets none.
func chooseUplinks(instance string, vpcs []desired.VPC, have map[string]uplink, taken map[netip.Addr]bool) map[string]uplink {
	out := make(map[string]uplink, len(vpcs))
	used := map[netip.Addr]bool{}
	for _, v := range vpcs {
		if l, ok := have[v.ID]; ok {
			out[v.ID] = l
			used[l.machine] = true
		}
	}
	for _, v := range vpcs {
		if _, ok := out[v.ID]; ok {
			continue
		}
		h := fnv.New32a()
		h.Write([]byte(instance + v.ID))
		start := h.Sum32()
		for i := range uint32(uplinkCount) {
			l := uplinkNumber(start + i)
			if !used[l.machine] && !taken[l.machine] && !taken[l.router] {
				out[v.ID] = l
				used[l.machine] = true
				break
			}
		}
	}
	return out
}

// newLayout is the layout of a network. A VPC or an interface that is invalid, or in
// conflict with one before it, is left out, and its error is among the failures.
// Interfaces that prev has come before those that are new.
func newLayout(cfg Config, prev *layout, network host.Network, links map[string]uplink) (*layout, host.Failures) {
	l := &layout{routers: map[string]router{}, interfaces: map[string]port{}, publics: map[netip.Addr]public{}}
	failed := host.Failures{}
	enis := map[string][]desired.Interface{}
	for _, eni := range inOrder(prev, network.Interfaces) {
		enis[eni.VPC] = append(enis[eni.VPC], eni)
	}
	vpcs := map[string]desired.VPC{}
	for _, vpc := range network.VPCs {
		_, linked := links[vpc.ID]
		err := checkVPC(vpc)
		if _, twice := vpcs[vpc.ID]; twice {
			err = errors.New("is there twice")
		} else if err == nil && !linked {
			err = fmt.Errorf("every uplink address in %s is taken", uplinks)
		}
		if err != nil {
			failed[vpc.ID] = err
			continue
		}
		vpcs[vpc.ID], enis[vpc.ID] = withSubnets(vpc, enis[vpc.ID])
	}
	peers := findPeers(cfg, vpcs)
	l.peerings = peerings(peers, links)
	var all []uplink
	for _, id := range sorted(vpcs) {
		l.addVPC(cfg, prev, vpcs[id], links[id], peers[id], enis[id], failed)
		all = append(all, links[id])
	}
	for id := range enis {
		if _, there := vpcs[id]; there {
			continue
		}
		for _, eni := range enis[id] {
			failed[eni.ID] = fmt.Errorf("vpc %s is not there", id)
		}
	}
	if len(all) > 0 {
		if cfg.Public.IsValid() {
			l.unreachable = append(l.unreachable, cfg.Public)
		}
		if cfg.Public6.IsValid() && slices.ContainsFunc(l.unreachable, func(p netip.Prefix) bool { return p.Addr().Is6() }) {
			l.unreachable = append(l.unreachable, cfg.Public6) // the machine has IPv6
		}
		rules := machineRules(cfg, all, l.publics)
		l.rules = &rules
	}
	l.unreachable = prefixes(l.unreachable)
	return l, failed
}

// inOrder puts the interfaces that prev has before the others.
func inOrder(prev *layout, interfaces []desired.Interface) []desired.Interface {
	if prev == nil {
		return interfaces
	}
	var old, fresh []desired.Interface
	for _, eni := range interfaces {
		if _, had := prev.interfaces[eni.ID]; had {
			old = append(old, eni)
		} else {
			fresh = append(fresh, eni)
		}
	}
	return append(old, fresh...)
}

func checkVPC(vpc desired.VPC) error {
	return checkName(vpc.ID)
}

// addVPC adds a router and those of its interfaces that are valid.
func (l *layout) addVPC(cfg Config, prev *layout, vpc desired.VPC, link uplink, peers []peer, enis []desired.Interface, failed host.Failures) {
	taken := map[netip.Addr]string{}
	names := map[string]string{}
	var services []netip.Addr
	for _, c := range vpc.CIDRs {
		if c.Addr().Is4() {
			services = append(services, resolverIn(c))
			taken[resolverIn(c)] = "the resolver"
		}
	}
	if a := platformIn(vpc); a.IsValid() {
		services = append(services, a)
		taken[a] = "the platform"
	}
	if a := s3In(vpc); a.IsValid() {
		services = append(services, a)
	}
	for _, p := range peers {
		names[p.link] = p.vpc
	}
	l.addGateways(vpc, link, taken, failed)
	var valid []desired.Interface
	for _, eni := range enis {
		name := cfg.portName(eni.ID)
		err := checkInterface(vpc, eni)
		if _, twice := l.interfaces[eni.ID]; twice {
			err = errors.New("is there twice")
		} else if other, twice := names[name]; err == nil && twice {
			err = fmt.Errorf("comes to the same link name as %s", other)
		}
		for _, a := range eni.Addresses() {
			if other, twice := taken[a]; err == nil && twice {
				err = fmt.Errorf("has the address %s of %s", a, other)
			}
		}
		// An IPv6 address is always a public one.
		for _, a := range []netip.Addr{eni.Public, eni.IPv6} {
			if err == nil && a.IsValid() {
				err = l.addPublic(a, public{vpc.ID, link, eni.ID})
			}
		}
		if err != nil {
			failed[eni.ID] = err
			continue
		}
		names[name] = eni.ID
		for _, a := range eni.Addresses() {
			taken[a] = eni.ID
		}
		l.interfaces[eni.ID] = port{
			eni.ID, eni.VPC, link, eni.Address, max(eni.Prefix.Bits(), 0), eni.IPv6, max(eni.IPv6Prefix.Bits(), 0), strings.ToLower(eni.MAC),
		}
		valid = append(valid, eni)
	}
	r := router{vpc: vpc.ID, link: link, cidrs: prefixes(vpc.CIDRs), services: services, ipv6: hasIPv6(vpc)}
	r.addRules(cfg, prev, routerInput{vpc, peers, valid})
	if r.invalid != nil {
		failed[vpc.ID] = r.invalid
	}
	l.routers[vpc.ID] = r
	l.unreachable = append(l.unreachable, vpc.CIDRs...)
	l.forwarding = l.forwarding || len(l.publics) > 0 || slices.ContainsFunc(vpc.RouteTables, isLedOut)
}

// addGateways takes the addresses of NAT gateways.
func (l *layout) addGateways(vpc desired.VPC, link uplink, taken map[netip.Addr]string, failed host.Failures) {
	for _, g := range vpc.NATGateways {
		for _, a := range g.Addresses {
			taken[a.Private] = g.ID
			if !a.Public.IsValid() {
				continue
			}
			if err := l.addPublic(a.Public, public{vpc.ID, link, g.ID}); err != nil {
				failed[vpc.ID] = fmt.Errorf("NAT gateway %s %w", g.ID, err)
			}
		}
	}
}

func (l *layout) addPublic(a netip.Addr, p public) error {
	if other, twice := l.publics[a]; twice {
		return fmt.Errorf("has the public address %s of %s", a, other.owner)
	}
	l.publics[a] = p
	return nil
}

// isLedOut says that some route of the table needs no public address to lead beyond the
// machine.
func isLedOut(t desired.RouteTable) bool {
	return slices.ContainsFunc(t.Routes, func(r desired.Route) bool { return r.Target == desired.RouteService })
}

func checkInterface(vpc desired.VPC, eni desired.Interface) error {
	if err := checkName(eni.ID); err != nil {
		return err
	}
	if len(eni.Addresses()) == 0 {
		return errors.New("has no address")
	}
	if a := eni.Address; a.IsValid() && (!a.Is4() || !eni.Prefix.Contains(a)) {
		return fmt.Errorf("address %s is not in subnet %s", a, eni.Prefix)
	}
	if a := eni.IPv6; a.IsValid() && (!a.Is6() || !hasIPv6(vpc) || !eni.IPv6Prefix.Contains(a)) {
		return fmt.Errorf("IPv6 address %s is not in subnet %s of a VPC with IPv6", a, eni.IPv6Prefix)
	}
	if eni.Public.IsValid() && (!eni.Public.Is4() || !eni.Address.IsValid()) {
		return fmt.Errorf("public address %s does not stand for an IPv4 address", eni.Public)
	}
	if _, err := net.ParseMAC(eni.MAC); err != nil {
		return err
	}
	if !slices.ContainsFunc(vpc.Subnets, func(s desired.Subnet) bool { return s.ID == eni.Subnet }) {
		return fmt.Errorf("subnet %s is not among those of vpc %s", eni.Subnet, vpc.ID)
	}
	if len(eni.Groups) == 0 {
		return errors.New("has no security group")
	}
	for _, id := range eni.Groups {
		if !slices.ContainsFunc(vpc.Groups, func(g desired.SecurityGroup) bool { return g.ID == id }) {
			return fmt.Errorf("security group %s is not among those of vpc %s", id, vpc.ID)
		}
	}
	return nil
}

// checkName fails when an id cannot be a file name.
func checkName(id string) error {
	if id == "" || strings.ContainsAny(id, "/\x00") || id[0] == '.' {
		return fmt.Errorf("%q cannot name a namespace", id)
	}
	return nil
}

// prefixes sorts and masks prefixes, and drops duplicates.
func prefixes(in []netip.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, len(in))
	for i, p := range in {
		out[i] = p.Masked()
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}
