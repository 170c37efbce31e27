package kernel

import (
	"net/netip"
	"slices"

	"fargo/desired"
)

// What an older control plane does not say is in these subnets and route tables.
const (
	subnetOpen = "subnet-open" // interfaces with Internet
	subnetShut = "subnet-shut" // the others
)

// isOlder says that the subnets of a VPC are from withSubnets.
func isOlder(vpc desired.VPC) bool { return vpc.Subnets[0].ID == subnetShut }

// withSubnets gives a VPC of an older control plane, which has no subnets, two that do
// what it means: from both, interfaces reach each other; from one, they reach what is
// beyond the machine, as the machine.
func withSubnets(vpc desired.VPC, enis []desired.Interface) (desired.VPC, []desired.Interface) {
	if len(vpc.Subnets) > 0 {
		return vpc, enis
	}
	var local []desired.Route
	for _, cidr := range vpc.CIDRs {
		local = append(local, desired.Route{To: cidr, Target: desired.RouteLocal})
	}
	beyond := func(target desired.RouteTarget) []desired.Route {
		return append(slices.Clone(local), desired.Route{To: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Target: target})
	}
	vpc.Subnets = []desired.Subnet{{ID: subnetShut, RouteTable: "rtb-shut"}}
	vpc.RouteTables = []desired.RouteTable{{ID: "rtb-shut", Routes: beyond(desired.RouteBlackhole)}}
	if slices.ContainsFunc(enis, func(e desired.Interface) bool { return e.Internet }) {
		vpc.Subnets = append(vpc.Subnets, desired.Subnet{ID: subnetOpen, RouteTable: "rtb-open"})
		vpc.RouteTables = append(vpc.RouteTables, desired.RouteTable{ID: "rtb-open", Routes: beyond(desired.RouteService)})
	}
	enis = slices.Clone(enis)
	for i := range enis {
		enis[i].Subnet = subnetShut
		if enis[i].Internet {
			enis[i].Subnet = subnetOpen
		}
	}
	return vpc, enis
}
