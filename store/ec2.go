package store

import (
	"net/netip"

	"fargo"
)

// ByVPC is the index of subnets, security groups, route tables and network
// interfaces by their VPC's id.
const ByVPC = "vpc"

// EC2VPCs are the VPCs, by scope and id.
var EC2VPCs = NewTable("ec2vpc", (*fargo.EC2VPC).Key)

// EC2Subnets are the subnets, by scope and id.
var EC2Subnets = NewTable("ec2subnet", (*fargo.EC2Subnet).Key,
	Index[fargo.EC2Subnet]{ByVPC, func(s *fargo.EC2Subnet) []string { return []string{*s.Subnet.VpcId} }})

// EC2SecurityGroups are the security groups, by scope and id.
var EC2SecurityGroups = NewTable("ec2securitygroup", (*fargo.EC2SecurityGroup).Key,
	Index[fargo.EC2SecurityGroup]{ByVPC, func(g *fargo.EC2SecurityGroup) []string { return []string{*g.Group.VpcId} }})

// The further indexes of EC2NetworkInterfaces.
const (
	InterfaceBySubnet  = "subnet"  // by subnet id
	InterfaceByGroup   = "group"   // by security group id
	InterfaceByAddress = "address" // by InterfaceAddress
)

// InterfaceAddress is what an interface is found under by its address, which is
// unique in its VPC.
func InterfaceAddress(vpc string, a netip.Addr) string { return vpc + "/" + a.String() }

// AddressTaken reports whether an interface of the VPC has the address.
func AddressTaken(r Reader, vpc string, a netip.Addr) bool {
	for range EC2NetworkInterfaces.By(r, InterfaceByAddress, InterfaceAddress(vpc, a)) {
		return true
	}
	return false
}

// EC2NetworkInterfaces are the elastic network interfaces, by scope and id.
var EC2NetworkInterfaces = NewTable("ec2networkinterface", (*fargo.EC2NetworkInterface).Key,
	Index[fargo.EC2NetworkInterface]{ByVPC, func(i *fargo.EC2NetworkInterface) []string { return []string{*i.Interface.VpcId} }},
	Index[fargo.EC2NetworkInterface]{InterfaceBySubnet, func(i *fargo.EC2NetworkInterface) []string { return []string{*i.Interface.SubnetId} }},
	Index[fargo.EC2NetworkInterface]{InterfaceByGroup, (*fargo.EC2NetworkInterface).GroupIDs},
	Index[fargo.EC2NetworkInterface]{InterfaceByAddress, func(i *fargo.EC2NetworkInterface) []string {
		return []string{InterfaceAddress(*i.Interface.VpcId, i.Address())}
	}},
)

// EC2RouteTables are the route tables, by scope and id.
var EC2RouteTables = NewTable("ec2routetable", (*fargo.EC2RouteTable).Key,
	Index[fargo.EC2RouteTable]{ByVPC, func(r *fargo.EC2RouteTable) []string { return []string{*r.RouteTable.VpcId} }})

// EC2InternetGateways are the internet gateways, by scope and id.
var EC2InternetGateways = NewTable("ec2internetgateway", (*fargo.EC2InternetGateway).Key)

// EC2Regions are the regions that were ever used, by scope.
var EC2Regions = NewTable("ec2region", (*fargo.EC2Region).Key)
