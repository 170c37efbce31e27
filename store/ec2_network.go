package store

import (
	"slices"

	"fargo"
	"fargo/record"
)

// Routing gives what decides about the routes of a VPC: all of it but its security groups
// and network interfaces. Without such a VPC there is nothing.
func Routing(r Reader, scope fargo.Scope, vpc string) (n record.Network) {
	v, ok := EC2VPCs.Get(r, scope.Key(vpc))
	if !ok {
		return n
	}
	return record.Network{
		VPCs:               []*record.EC2VPC{v},
		Subnets:            slices.Collect(EC2Subnets.By(r, ByVPC, vpc)),
		RouteTables:        slices.Collect(EC2RouteTables.By(r, ByVPC, vpc)),
		InternetGateways:   slices.Collect(EC2InternetGateways.By(r, ByVPC, vpc)),
		EgressOnlyGateways: slices.Collect(EC2EgressOnlyGateways.By(r, ByVPC, vpc)),
		NATGateways:        slices.Collect(EC2NATGateways.By(r, ByVPC, vpc)),
		Endpoints:          slices.Collect(EC2VPCEndpoints.By(r, ByVPC, vpc)),
		PrefixLists:        slices.Collect(EC2PrefixLists.Prefix(r, scope.Key())),
		ACLs:               slices.Collect(EC2NetworkACLs.By(r, ByVPC, vpc)),
		Peerings:           slices.Collect(EC2Peerings.By(r, ByVPC, vpc)),
	}
}
