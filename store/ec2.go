package store

import (
	"net/netip"

	"fargo/record"
)

// ByVPC is the index of what is in VPCs or attached to them by the VPC's id.
const ByVPC = "vpc"

// EC2VPCs are the VPCs, by scope and id.
var EC2VPCs = NewTable("ec2vpc", (*record.EC2VPC).Key)

// EC2Subnets are the subnets, by scope and id.
var EC2Subnets = NewTable("ec2subnet", (*record.EC2Subnet).Key,
	Index[record.EC2Subnet]{ByVPC, func(s *record.EC2Subnet) []string { return []string{*s.Subnet.VpcId} }})

// EC2SecurityGroups are the security groups, by scope and id.
var EC2SecurityGroups = NewTable("ec2securitygroup", (*record.EC2SecurityGroup).Key,
	Index[record.EC2SecurityGroup]{ByVPC, func(g *record.EC2SecurityGroup) []string { return []string{*g.Group.VpcId} }})

// The further indexes of EC2NetworkInterfaces.
const (
	InterfaceBySubnet  = "subnet"  // by subnet id
	InterfaceByGroup   = "group"   // by security group id
	InterfaceByAddress = "address" // by InterfaceAddress of each of its addresses
	InterfaceByPublic  = "public"  // by public IPv4 address
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
var EC2NetworkInterfaces = NewTable("ec2networkinterface", (*record.EC2NetworkInterface).Key,
	Index[record.EC2NetworkInterface]{ByVPC, func(i *record.EC2NetworkInterface) []string { return []string{*i.Interface.VpcId} }},
	Index[record.EC2NetworkInterface]{InterfaceBySubnet, func(i *record.EC2NetworkInterface) []string { return []string{*i.Interface.SubnetId} }},
	Index[record.EC2NetworkInterface]{InterfaceByGroup, (*record.EC2NetworkInterface).GroupIDs},
	Index[record.EC2NetworkInterface]{InterfaceByAddress, func(i *record.EC2NetworkInterface) (all []string) {
		for _, a := range i.Addresses() {
			all = append(all, InterfaceAddress(*i.Interface.VpcId, a))
		}
		return all
	}},
	Index[record.EC2NetworkInterface]{InterfaceByPublic, func(i *record.EC2NetworkInterface) []string {
		if i.Interface.Association == nil {
			return nil
		}
		return []string{*i.Interface.Association.PublicIp}
	}},
)

// EC2RouteTables are the route tables, by scope and id.
var EC2RouteTables = NewTable("ec2routetable", (*record.EC2RouteTable).Key,
	Index[record.EC2RouteTable]{ByVPC, func(r *record.EC2RouteTable) []string { return []string{*r.RouteTable.VpcId} }})

// EC2InternetGateways are the internet gateways, by scope and id.
var EC2InternetGateways = NewTable("ec2internetgateway", (*record.EC2InternetGateway).Key,
	Index[record.EC2InternetGateway]{ByVPC, func(g *record.EC2InternetGateway) []string { return attachedTo(g.Gateway.Attachments) }})

// EC2Regions are the regions that were ever used, by scope.
var EC2Regions = NewTable("ec2region", (*record.EC2Region).Key)
