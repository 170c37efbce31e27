package plan

import (
	"net/netip"
	"slices"

	"fargo/desired"
)

// ClosePlatform closes the address of Fargo's own APIs to interfaces that have no way to
// the Internet, by the routes that [Networks] has resolved. S3 gets an address of its own in
// each VPC, one of AWS's, to which gateway endpoints lead too.
func ClosePlatform(vpcs []desired.VPC) {
	for i := range vpcs {
		v := &vpcs[i]
		v.S3 = addressOfS3(v)
		routes := map[string][]desired.Route{}
		for _, t := range v.RouteTables {
			routes[t.ID] = t.Routes
		}
		for j := range v.Subnets {
			s := &v.Subnets[j]
			s.PlatformFor = platformUsers(routes[s.RouteTable], internetFrom(s.Prefixes))
			if v.S3.Address.IsValid() {
				s.S3For = platformUsers(routes[s.RouteTable], v.S3.Address)
			}
		}
	}
}

// internetFrom stands for the Internet in a subnet.
func internetFrom(prefixes []netip.Prefix) netip.Addr {
	if slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Addr().Is4() }) {
		return internetIPv4
	}
	return internetIPv6
}

// platformUsers are the interfaces from which an address outside of the VPC is reached.
func platformUsers(routes []desired.Route, to netip.Addr) desired.PlatformUsers {
	switch {
	case wayOut(routes, false, to):
		return desired.PlatformForAll
	case wayOut(routes, true, to):
		return desired.PlatformForPublic
	}
	return desired.PlatformForNone
}

// addressOfS3 is the first address in the prefix list of S3; none in a region whose list is
// not known, and in a VPC that has the address itself.
func addressOfS3(v *desired.VPC) (a desired.ServiceAddress) {
	list := ServicePrefixList("s3", v.Region)
	if list == nil {
		return a
	}
	first := netip.MustParsePrefix(*list.Entries()[0].Cidr).Masked().Addr().Next()
	if slices.ContainsFunc(v.CIDRs, func(p netip.Prefix) bool { return p.Contains(first) }) {
		return a
	}
	return desired.ServiceAddress{Address: first, Names: namesOf("s3", v.Region)}
}
