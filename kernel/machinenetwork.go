package kernel

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"fargo"
)

// MachineAddresses are the addresses that this machine has at the moment.
func MachineAddresses() ([]netip.Addr, error) {
	all, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	var out []netip.Addr
	for _, a := range all {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			out = append(out, addr.Unmap())
		}
	}
	return out, nil
}

// OutsideAddresses are the addresses at which other machines may reach this one: those of
// links that no instance of Fargo has made, without loopback and link-local ones.
func OutsideAddresses() ([]netip.Addr, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	var out []netip.Addr
	for _, l := range links {
		if ourLink.MatchString(l.Attrs().Name) {
			continue
		}
		all, err := netlink.AddrList(l, netlink.FAMILY_ALL)
		if err != nil {
			return nil, fmt.Errorf("list addresses: %w", err)
		}
		for _, a := range all {
			if addr, ok := netip.AddrFromSlice(a.IP); ok && addr.IsGlobalUnicast() {
				out = append(out, addr.Unmap())
			}
		}
	}
	return out, nil
}

// minPrefixLength is the length of the shortest prefix that counts as a network:
// shorter ones are default routes in parts, such as 0.0.0.0/1 of a VPN.
const minPrefixLength = 8

// ourLink is the name of a link that some instance of Fargo has made.
var ourLink = regexp.MustCompile(`^fg[0-9a-f]{4}-`)

// MachineNetworks are the IPv4 networks that this machine is in or has routes to,
// in any table, without those that Fargo made and without default routes. They are
// sorted by prefix, without duplicates.
func MachineNetworks() ([]fargo.MachineNetwork, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	addresses, err := netlink.AddrList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	routes, err := netlink.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []fargo.MachineNetwork
	for _, a := range addresses {
		out = appendNetwork(out, a.IPNet.String(), names[a.LinkIndex])
	}
	for _, r := range routes {
		reaches := r.Type == unix.RTN_UNICAST || r.Type == unix.RTN_LOCAL
		if !reaches || r.Protocol == routeProtocol || r.Dst == nil {
			continue
		}
		link := r.LinkIndex
		if len(r.MultiPath) > 0 {
			link = r.MultiPath[0].LinkIndex
		}
		out = appendNetwork(out, r.Dst.String(), names[link])
	}
	slices.SortFunc(out, func(a, b fargo.MachineNetwork) int {
		return cmp.Or(a.Prefix.Compare(b.Prefix), cmp.Compare(a.Link, b.Link))
	})
	return slices.Compact(out), nil
}

func appendNetwork(to []fargo.MachineNetwork, block, link string) []fargo.MachineNetwork {
	prefix, err := netip.ParsePrefix(block)
	if err != nil || prefix.Bits() < minPrefixLength || prefix.Addr().IsLoopback() || ourLink.MatchString(link) {
		return to
	}
	return append(to, fargo.MachineNetwork{Prefix: prefix.Masked(), Link: link})
}
