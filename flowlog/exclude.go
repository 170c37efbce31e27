package flowlog

import (
	"net/netip"
	"slices"

	"fargo/desired"
)

// services are the link-local addresses of what every VPC has: metadata, time, DNS and the
// router. Others are those that the machine has towards a VPC.
var services = []netip.Prefix{
	netip.MustParsePrefix("169.254.169.0/24"), netip.MustParsePrefix("169.254.170.0/24"), netip.MustParsePrefix("169.254.1.1/32"),
	netip.MustParsePrefix("fd00:ec2::/32"), netip.MustParsePrefix("fe80::/10"),
}

// excluded reports whether traffic is of the kinds that flow logs never have: that with
// the VPC's own resolver and router, with the services that every VPC has, and DHCP.
// Source: VPC user guide, "Flow log limitations".
func (k *key) excluded(vpc *desired.VPC) bool {
	for _, end := range []netip.AddrPort{k.tuple.Source, k.tuple.Destination} {
		a := end.Addr()
		if slices.ContainsFunc(services, func(p netip.Prefix) bool { return p.Contains(a) }) || a.IsMulticast() || k.protocol == 17 && (end.Port() == 67 || end.Port() == 68) {
			return true
		}
		for _, cidr := range vpc.CIDRs {
			router := cidr.Masked().Addr().Next()
			if a == router || a == router.Next() {
				return true
			}
		}
	}
	return false
}

// path is the traffic-path of a packet that leaves an interface in a subnet; empty where
// AWS has none. Source: VPC user guide, "Flow log records", traffic-path.
func path(vpc *desired.VPC, subnet string, to netip.Addr) string {
	const (
		sameVPC, peering, gatewayEndpoint, internetGateway = "1", "4", "7", "8"
	)
	table := ""
	for _, s := range vpc.Subnets {
		if s.ID == subnet {
			table = s.RouteTable
		}
	}
	for _, t := range vpc.RouteTables {
		if t.ID != table {
			continue
		}
		for _, r := range t.Routes {
			if !r.To.Contains(to) {
				continue
			}
			switch {
			case r.NAT != "", r.Target == desired.RouteLocal:
				return sameVPC // by a NAT gateway too: it has an interface in the VPC
			case r.Target == desired.RouteInternet, r.Target == desired.RouteEgressOnly:
				return internetGateway
			case r.Target == desired.RouteService:
				return gatewayEndpoint
			case r.Target == desired.RoutePeer:
				return peering
			}
			return ""
		}
	}
	return ""
}
