package kernel

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"slices"
	"strings"

	"fargo"
)

// A layout is everything of ours on the machine but for control groups: what a
// [fargo.NodeNetwork] comes to, with uplinks chosen.
type layout struct {
	unreachable []netip.Prefix // on the machine; sorted, each once
	forwarding  bool           // the machine forwards for some interface
	rules       *ruleset       // on the machine; nil without VPCs
	routers     map[string]router
	interfaces  map[string]port
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
	vpc   string
	link  uplink
	cidrs []netip.Prefix // sorted, each once
	rules ruleset
}

// A port is an interface's namespace and its way to the machine. Ports are
// comparable: one that differs in anything is another.
type port struct {
	id, vpc string
	link    uplink // of the VPC
	address netip.Addr
	bits    int // of the subnet
	mac     string
}

// An uplink is the pair of addresses between the machine and a router.
type uplink struct{ machine, router netip.Addr }

// mac is the machine's hardware address on the link, locally administered. A
// chosen one is left alone by udev, which would else replace it (systemd.link(5),
// MACAddressPolicy=) under the router's eyes.
func (l uplink) mac() string {
	return net.HardwareAddr(append([]byte{0x02, 0x00}, l.machine.AsSlice()...)).String()
}

// uplinks is where the pairs come from: 8192 of them, away from the link-local
// addresses that AWS gives a meaning to.
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

// chooseUplinks gives every VPC a pair: the one it has, or else a free one,
// looked for from a place that depends on instance and VPC so that instances
// rarely meet. taken are the machine's addresses that are not our uplinks.
func chooseUplinks(instance string, vpcs []fargo.VPC, have map[string]uplink, taken map[netip.Addr]bool) (map[string]uplink, error) {
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
		if _, ok := out[v.ID]; !ok {
			return nil, fmt.Errorf("vpc %s: every uplink address in %s is taken", v.ID, uplinks)
		}
	}
	return out, nil
}

// newLayout works out what the machine must look like. It fails, naming the
// culprit, if the network contradicts itself.
func newLayout(cfg Config, network fargo.NodeNetwork, links map[string]uplink) (*layout, error) {
	l := &layout{routers: map[string]router{}, interfaces: map[string]port{}}
	byVPC := map[string][]fargo.Interface{}
	for _, eni := range network.Interfaces {
		byVPC[eni.VPC] = append(byVPC[eni.VPC], eni)
		l.forwarding = l.forwarding || eni.Internet
	}
	var all []uplink
	for _, vpc := range network.VPCs {
		if _, twice := l.routers[vpc.ID]; twice {
			return nil, fmt.Errorf("vpc %s is there twice", vpc.ID)
		}
		if err := l.addVPC(cfg, vpc, links[vpc.ID], byVPC[vpc.ID]); err != nil {
			return nil, fmt.Errorf("vpc %s: %w", vpc.ID, err)
		}
		all = append(all, links[vpc.ID])
		delete(byVPC, vpc.ID)
	}
	for id, enis := range byVPC {
		return nil, fmt.Errorf("interface %s: vpc %s is not there", enis[0].ID, id)
	}
	l.unreachable = prefixes(l.unreachable)
	if len(all) > 0 {
		rules := machineRules(cfg, all)
		l.rules = &rules
	}
	return l, nil
}

func (l *layout) addVPC(cfg Config, vpc fargo.VPC, link uplink, enis []fargo.Interface) error {
	if err := checkName(vpc.ID); err != nil {
		return err
	}
	for _, cidr := range vpc.CIDRs {
		if !cidr.Addr().Is4() {
			return fmt.Errorf("CIDR %s is not IPv4", cidr)
		}
	}
	addresses := map[netip.Addr]string{}
	names := map[string]string{}
	for _, eni := range enis {
		name := cfg.portName(eni.ID)
		if other, twice := names[name]; twice && other != eni.ID {
			return fmt.Errorf("interfaces %s and %s come to the same link name", other, eni.ID)
		}
		names[name] = eni.ID
		if other, twice := addresses[eni.Address]; twice && other != eni.ID {
			return fmt.Errorf("interfaces %s and %s have the same address %s", other, eni.ID, eni.Address)
		}
		addresses[eni.Address] = eni.ID
		if slices.ContainsFunc(vpc.CIDRs, func(c netip.Prefix) bool { return resolverIn(c) == eni.Address }) {
			return fmt.Errorf("interface %s: address %s is the resolver's", eni.ID, eni.Address)
		}
		if err := l.addInterface(eni, link); err != nil {
			return fmt.Errorf("interface %s: %w", eni.ID, err)
		}
	}
	rules, err := routerRules(cfg, vpc, link, enis)
	if err != nil {
		return err
	}
	l.routers[vpc.ID] = router{vpc.ID, link, prefixes(vpc.CIDRs), rules}
	l.unreachable = append(l.unreachable, vpc.CIDRs...)
	return nil
}

func (l *layout) addInterface(eni fargo.Interface, link uplink) error {
	if err := checkName(eni.ID); err != nil {
		return err
	}
	if _, twice := l.interfaces[eni.ID]; twice {
		return fmt.Errorf("is there twice")
	}
	if !eni.Address.Is4() || !eni.Prefix.Contains(eni.Address) {
		return fmt.Errorf("address %s is not in subnet %s", eni.Address, eni.Prefix)
	}
	if _, err := net.ParseMAC(eni.MAC); err != nil {
		return err
	}
	if len(eni.Groups) == 0 {
		return fmt.Errorf("has no security group")
	}
	l.interfaces[eni.ID] = port{eni.ID, eni.VPC, link, eni.Address, eni.Prefix.Bits(), strings.ToLower(eni.MAC)}
	return nil
}

// checkName makes sure that an id can name a file.
func checkName(id string) error {
	if id == "" || strings.ContainsAny(id, "/\x00") || id[0] == '.' {
		return fmt.Errorf("%q cannot name a namespace", id)
	}
	return nil
}

// prefixes sorts, masks and leaves out what comes twice.
func prefixes(in []netip.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, len(in))
	for i, p := range in {
		out[i] = p.Masked()
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}
