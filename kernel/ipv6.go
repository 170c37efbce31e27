package kernel

import (
	"fmt"
	"net/netip"
	"path/filepath"
)

// Addresses of IPv6 on the links, each known on its own link only.
var (
	gateway6       = netip.MustParseAddr("fe80::1") // a router, to its interfaces
	uplink6Machine = netip.MustParseAddr("fe80::1") // the machine, to a router
	uplink6Router  = netip.MustParseAddr("fe80::2") // a router, to the machine
	peering6       = [2]netip.Addr{netip.MustParseAddr("fe80::1"), netip.MustParseAddr("fe80::2")}
)

// hasIPv6 says that some address is of IPv6.
func (l *layout) hasIPv6() bool {
	for a := range l.publics {
		if a.Is6() {
			return true
		}
	}
	return false
}

// enableIPv6 gives a link one address, and none that the kernel would choose.
func enableIPv6(link string, address netip.Addr) []op {
	return []op{
		sysctl{"net/ipv6/conf/" + link + "/addr_gen_mode", "1"},
		sysctl{"net/ipv6/conf/" + link + "/accept_ra", "0"},
		sysctl{"net/ipv6/conf/" + link + "/disable_ipv6", "0"},
		addrAdd{dev: link, prefix: netip.PrefixFrom(address, 64)},
	}
}

// switchIPv6 makes a router and its link to the machine have IPv6, or not.
func switchIPv6(cfg Config, r router) script {
	var s script
	name := cfg.uplinkName(r.link)
	if !r.ipv6 {
		s.add("", sysctl{"net/ipv6/conf/" + name + "/disable_ipv6", "1"})
		s.add(r.vpc, sysctl{"net/ipv6/conf/" + machineLink + "/disable_ipv6", "1"})
		return s
	}
	s.add("", enableIPv6(name, uplink6Machine)...)
	s.add("", addrAdd{dev: name, prefix: single(r.link.machine6(cfg.Instance))})
	s.add(r.vpc, sysctl{"net/ipv6/conf/all/forwarding", "1"}, sysctl{"net/ipv6/icmp/ratemask", icmpRateMask6})
	s.add(r.vpc, enableIPv6(machineLink, uplink6Router)...)
	s.add(r.vpc, routeAdd{route: uplink6Route})
	return s
}

// icmpRateMask6 is as icmpRateMask for ICMPv6.
const icmpRateMask6 = "0,3-127"

// uplink6Route is a router's route to all that it does not know.
var uplink6Route = route{to: everywhere6, via: uplink6Machine, dev: machineLink}

// forward6 makes the machine forward IPv6. A machine that forwards does not take routes
// from other routers unless it is told to: those links that did go on. Source:
// Documentation/networking/ip-sysctl.rst, accept_ra.
type forward6 struct{}

func (forward6) String() string {
	return "sysctl -w net.ipv6.conf.*.accept_ra=2, where it is 1\nsysctl -w net.ipv6.conf.all.forwarding=1"
}

func (forward6) do(_ *machine, in *namespace) error { return in.inside(forward6{}.write) }

// write writes in the namespace that the thread is in.
func (forward6) write() error {
	const forwarding = "net/ipv6/conf/all/forwarding"
	if is, err := (sysctl{forwarding, "1"}).is(); err != nil || is {
		return err
	}
	paths, err := filepath.Glob("/proc/sys/net/ipv6/conf/*/accept_ra")
	if err != nil {
		return err
	}
	for _, path := range paths {
		name, err := filepath.Rel("/proc/sys", path)
		if err != nil {
			return err
		}
		if accepts, err := (sysctl{name, "1"}).is(); err != nil {
			return err
		} else if !accepts {
			continue
		}
		if err := (sysctl{name, "2"}).write(); err != nil {
			return fmt.Errorf("go on with router advertisements: %w", err)
		}
	}
	return sysctl{forwarding, "1"}.write()
}
