package flowlog

import (
	"net/netip"

	"fargo/desired"
)

// linkLocal has the addresses of what AWS gives every VPC: metadata, time, DNS.
var linkLocal = netip.MustParsePrefix("169.254.0.0/16")

// excluded reports whether traffic is of the kinds that flow logs never have: that with
// the VPC's own resolver and router, with link-local addresses, and DHCP.
// Source: VPC user guide, "Flow log limitations".
func (k *key) excluded(vpc *desired.VPC) bool {
	for _, end := range []netip.AddrPort{k.tuple.Source, k.tuple.Destination} {
		a := end.Addr()
		if linkLocal.Contains(a) || a.IsLinkLocalUnicast() || a.IsMulticast() || k.protocol == 17 && (end.Port() == 67 || end.Port() == 68) {
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
