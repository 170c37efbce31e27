package kernel

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An op is one change of the machine. It is idempotent, also when it was done in
// part, so a plan that was interrupted anywhere can be run again. String is the
// command line that would do it.
type op interface {
	String() string
	do(m *machine, in *namespace) error
}

// routeProtocol marks our routes, as "proto 236" in ip-route(8). No daemon
// listed in /etc/iproute2/rt_protos has it.
const routeProtocol = 236

type route struct {
	to          netip.Prefix
	via         netip.Addr
	dev         string
	src         netip.Addr
	onlink      bool
	unreachable bool
	metric      int
	table       int // 0: main
}

func (r route) String() string {
	var b strings.Builder
	if r.unreachable {
		b.WriteString("unreachable ")
	}
	switch {
	case r.to.Bits() == 0:
		b.WriteString("default")
	case r.to.IsSingleIP():
		b.WriteString(r.to.Addr().String())
	default:
		b.WriteString(r.to.String())
	}
	if r.via.IsValid() {
		fmt.Fprintf(&b, " via %s", r.via)
	}
	if r.dev != "" {
		fmt.Fprintf(&b, " dev %s", r.dev)
	}
	if r.src.IsValid() {
		fmt.Fprintf(&b, " src %s", r.src)
	}
	if r.metric != 0 {
		fmt.Fprintf(&b, " metric %d", r.metric)
	}
	if r.table != 0 {
		fmt.Fprintf(&b, " table %d", r.table)
	}
	if r.onlink {
		b.WriteString(" onlink")
	}
	return fmt.Sprintf("%s proto %d", b.String(), routeProtocol)
}

// resolve turns r into what netlink takes, in the namespace of nl.
func (r route) resolve(nl *netlink.Handle) (*netlink.Route, error) {
	out := &netlink.Route{
		Dst:      ipNet(r.to),
		Protocol: routeProtocol,
		Priority: r.metric,
		Type:     unix.RTN_UNICAST,
		Table:    cmp.Or(r.table, unix.RT_TABLE_MAIN),
	}
	if r.unreachable {
		out.Type = unix.RTN_UNREACHABLE
		return out, nil
	}
	if r.via.IsValid() {
		out.Gw = r.via.AsSlice()
	} else {
		out.Scope = netlink.SCOPE_LINK
	}
	if r.src.IsValid() {
		out.Src = r.src.AsSlice()
	}
	if r.onlink {
		out.Flags = int(netlink.FLAG_ONLINK)
	}
	link, err := nl.LinkByName(r.dev)
	if err != nil {
		return nil, err
	}
	out.LinkIndex = link.Attrs().Index
	return out, nil
}

type routeAdd struct {
	route
	appended bool // there may be others with the same destination and metric
}

func (o routeAdd) String() string {
	if o.appended {
		return "ip route append " + o.route.String()
	}
	return "ip route replace " + o.route.String()
}

func (o routeAdd) do(_ *machine, in *namespace) error {
	r, err := o.resolve(in.links)
	if err != nil {
		return err
	}
	if o.appended {
		return unless(in.links.RouteAppend(r), unix.EEXIST)
	}
	return in.links.RouteReplace(r)
}

type routeDel struct{ route }

func (o routeDel) String() string { return "ip route del " + o.route.String() }

func (o routeDel) do(_ *machine, in *namespace) error {
	r, err := o.resolve(in.links)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil // the route went with it
	}
	if err != nil {
		return err
	}
	return unless(in.links.RouteDel(r), unix.ESRCH)
}

type addrAdd struct {
	dev       string
	prefix    netip.Prefix
	noRoute   bool
	linkScope bool
}

// IPv6 addresses are taken as unique: nobody else gives them.
func (o addrAdd) flags() (flags int) {
	if o.noRoute {
		flags |= unix.IFA_F_NOPREFIXROUTE
	}
	if o.prefix.Addr().Is6() {
		flags |= unix.IFA_F_NODAD
	}
	return flags
}

func (o addrAdd) String() string {
	s := fmt.Sprintf("ip addr replace %s dev %s", o.prefix, o.dev)
	if o.linkScope {
		s += " scope link"
	}
	if o.prefix.Addr().Is6() {
		s += " nodad"
	}
	if o.noRoute {
		s += " noprefixroute"
	}
	return s
}

func (o addrAdd) do(_ *machine, in *namespace) error {
	link, err := in.links.LinkByName(o.dev)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: ipNet(o.prefix), Flags: o.flags()}
	if o.prefix.Addr().Is4() {
		addr.Broadcast = net.IPv4zero
	}
	if o.linkScope {
		addr.Scope = int(netlink.SCOPE_LINK)
	}
	return in.links.AddrReplace(link, addr)
}

type addrDel struct {
	dev    string
	prefix netip.Prefix
}

func (o addrDel) String() string { return fmt.Sprintf("ip addr del %s dev %s", o.prefix, o.dev) }

func (o addrDel) do(_ *machine, in *namespace) error {
	link, err := in.links.LinkByName(o.dev)
	if err != nil {
		return err
	}
	return unless(in.links.AddrDel(link, &netlink.Addr{IPNet: ipNet(o.prefix)}), unix.EADDRNOTAVAIL)
}

type linkUp struct{ name string }

func (o linkUp) String() string { return fmt.Sprintf("ip link set %s up", o.name) }

func (o linkUp) do(_ *machine, in *namespace) error {
	link, err := in.links.LinkByName(o.name)
	if err != nil {
		return err
	}
	return in.links.LinkSetUp(link)
}

type linkDel struct{ name string }

func (o linkDel) String() string { return "ip link del " + o.name }

func (o linkDel) do(_ *machine, in *namespace) error {
	link, err := in.links.LinkByName(o.name)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil
	}
	if err != nil {
		return err
	}
	return unless(in.links.LinkDel(link), unix.ENODEV)
}

// vethAdd makes a pair, this end up. Both ends are created in their namespaces, so
// their names never appear in another.
type vethAdd struct {
	name    string
	mac     string // "": the kernel's choice
	peer    string
	peerNS  string
	peerMAC string
}

func (o vethAdd) String() string {
	return fmt.Sprintf("ip link add %s%s up type veth peer name %s netns %s%s",
		o.name, addressWords(o.mac), o.peer, o.peerNS, addressWords(o.peerMAC))
}

func addressWords(mac string) string {
	if mac == "" {
		return ""
	}
	return " address " + mac
}

func (o vethAdd) do(m *machine, in *namespace) error {
	peerNS, err := m.namespace(o.peerNS)
	if err != nil {
		return err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Flags = o.name, net.FlagUp
	if o.mac != "" {
		if attrs.HardwareAddr, err = net.ParseMAC(o.mac); err != nil {
			return err
		}
	}
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: o.peer, PeerNamespace: netlink.NsFd(int(peerNS.file.Fd()))}
	if o.peerMAC != "" {
		if veth.PeerHardwareAddr, err = net.ParseMAC(o.peerMAC); err != nil {
			return err
		}
	}
	err = in.links.LinkAdd(veth)
	if !errors.Is(err, unix.EEXIST) || o.joined(in, peerNS) {
		return unless(err, unix.EEXIST)
	}
	// One of the two ends is there, and belongs to something else that is gone.
	if err := (linkDel{o.name}).do(m, in); err != nil {
		return err
	}
	if err := (linkDel{o.peer}).do(m, peerNS); err != nil {
		return err
	}
	return in.links.LinkAdd(veth)
}

// joined reports whether both ends are there and are each other's.
func (o vethAdd) joined(in, peerNS *namespace) bool {
	here, err := in.links.LinkByName(o.name)
	if err != nil {
		return false
	}
	there, err := peerNS.links.LinkByName(o.peer)
	if err != nil {
		return false
	}
	same := here.Attrs().ParentIndex == there.Attrs().Index && there.Attrs().ParentIndex == here.Attrs().Index
	return same && (o.peerMAC == "" || there.Attrs().HardwareAddr.String() == o.peerMAC) && in.links.LinkSetUp(here) == nil
}

// sysctl writes a file below /proc/sys. A file that does not exist is no error: what
// the kernel was built without (IPv6) need not be switched off.
type sysctl struct{ path, value string }

func (o sysctl) String() string {
	return fmt.Sprintf("sysctl -w %s=%s", strings.ReplaceAll(o.path, "/", "."), o.value)
}

func (o sysctl) do(_ *machine, in *namespace) error { return in.inside(o.write) }

// write writes in the namespace that the thread is in.
func (o sysctl) write() error {
	if is, err := o.is(); is || err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/"+o.path, []byte(o.value), 0)
}

// is says that there is nothing to write in the namespace that the thread is in.
func (o sysctl) is() (bool, error) {
	was, err := os.ReadFile("/proc/sys/" + o.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return strings.TrimSpace(string(was)) == o.value, err
}

type policyAdd struct{ policy }

func (o policyAdd) String() string { return "ip " + o.command("add") }

func (o policyAdd) do(_ *machine, in *namespace) error {
	return unless(in.links.RuleAdd(o.rule()), unix.EEXIST)
}

type policyDel struct{ policy }

func (o policyDel) String() string { return "ip " + o.command("del") }

func (o policyDel) do(_ *machine, in *namespace) error {
	return unless(in.links.RuleDel(o.rule()), unix.ENOENT)
}

func (p policy) rule() *netlink.Rule {
	out, bits := netlink.NewRule(), uint32(hopMask)
	family := unix.AF_INET
	if p.ipv6 {
		family = unix.AF_INET6
	}
	out.Family, out.Priority, out.Mark, out.Mask, out.Table = family, policyPriority, uint32(p.mark), &bits, int(p.mark)
	return out
}

type transaction struct{ commands []command }

func (o transaction) String() string {
	lines := make([]string, len(o.commands))
	for i, c := range o.commands {
		lines[i] = "nft " + c.text
	}
	return strings.Join(lines, "\n")
}

func (o transaction) do(_ *machine, in *namespace) error {
	conn, err := in.nft()
	if err != nil {
		return err
	}
	return commit(conn, o.commands)
}

type tableDel struct{ name string }

func (o tableDel) String() string { return "nft destroy table inet " + o.name }

func (o tableDel) do(_ *machine, in *namespace) error {
	conn, err := in.nft()
	if err != nil {
		return err
	}
	t := tableCommands{&nftables.Table{Family: nftables.TableFamilyINet, Name: o.name}}
	return commit(conn, []command{t.add(), t.delete()})
}

// netnsAdd makes a namespace, as newNamespace has it.
type netnsAdd struct{ name string }

func (o netnsAdd) String() string { return "ip netns add " + o.name }

func (o netnsAdd) do(m *machine, _ *namespace) error { return m.addNamespace(o.name) }

type netnsDel struct{ name string }

func (o netnsDel) String() string { return "ip netns del " + o.name }

func (o netnsDel) do(m *machine, _ *namespace) error { return m.removeNamespace(o.name) }

// unless is err, or nil if it is the one that means there is nothing to do.
func unless(err, harmless error) error {
	if errors.Is(err, harmless) {
		return nil
	}
	return err
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
