package plan

import (
	"net/netip"
	"slices"

	"fargo/desired"
)

// ClosePlatform closes the address of Fargo's own APIs to interfaces that have no way to
// the Internet, by the routes that [Networks] has resolved.
func ClosePlatform(vpcs []desired.VPC) {
	for i := range vpcs {
		routes := map[string][]desired.Route{}
		for _, t := range vpcs[i].RouteTables {
			routes[t.ID] = t.Routes
		}
		for j := range vpcs[i].Subnets {
			s := &vpcs[i].Subnets[j]
			s.PlatformFor = platformUsers(s.Prefixes, routes[s.RouteTable])
		}
	}
}

func platformUsers(prefixes []netip.Prefix, routes []desired.Route) desired.PlatformUsers {
	to := internetIPv4
	if !slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() }) {
		to = internetIPv6
	}
	switch {
	case wayOut(routes, false, to):
		return desired.PlatformForAll
	case wayOut(routes, true, to):
		return desired.PlatformForPublic
	}
	return desired.PlatformForNone
}
